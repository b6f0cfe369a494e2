#pragma once

/// `whynot explain` for thousands: questions.h says how they come, and one whynot.explanation/1 a line goes out, in the same order.
///
/// Questions go in batches of up to 64 to workers (workers.h). No more batches are under way than there are workers, and one waiting for
/// each: memory does not grow with the stream.

#include "commands.h"

namespace whynot::cli {

int explain_stream(const ExplainCommand& command);

}  // namespace whynot::cli
