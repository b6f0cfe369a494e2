#pragma once

/// `whynot explain` for thousands: questions.h says how they come, and one whynot.explanation/1 a line goes out, in the same order.
///
/// Questions go in batches of up to 64 to workers (workers.h). No more batches are under way than there are workers, and one waiting for
/// each: memory does not grow with the stream.
///
/// Which questions share a batch shows in the last digits of their answers. So a run that goes on with a file makes the same batches as one
/// that was not cut off: a batch of which the file has a part is asked once more as a whole, and the missing answers are written.

#include "commands/explain/explain.h"

namespace whynot::cli {

int explain_stream(const ExplainCommand& command);

}  // namespace whynot::cli
