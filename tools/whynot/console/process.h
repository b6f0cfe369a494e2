#pragma once

/// What a program of ours sets right before it does anything else.

namespace whynot::cli {

/// - Descriptors 0 to 2 are open: what was closed would be given to the next file or pipe, and be read as standard input or written to as
///   standard error. Reading from one that was closed finds the end, writing to it fails.
/// - A file that may not grow further is an error of writing (EFBIG), not the end of the program (SIGXFSZ).
/// - OMP_NUM_THREADS is at most `most_threads()`: OpenMP takes it literally, and asks for memory for each.
void prepare_process();

/// Four for each core that this process may use: beyond that threads only wait for each other.
int most_threads();

}  // namespace whynot::cli
