#pragma once

/// `whynot explain` for thousands: questions.h says how they come, and one whynot.explanation/1 a line goes out, in the same order.
///
/// Questions go in batches of up to 64, all of one modality, to workers, each with its own explainer and one thread: the answers do not
/// depend on how many there are, and more of them are faster than one with as many threads. No more batches are under way than there are workers,
/// and one waiting for each: memory does not grow with the stream.

#include "commands.h"

namespace whynot::cli {

int explain_stream(const ExplainCommand& command);

}  // namespace whynot::cli
