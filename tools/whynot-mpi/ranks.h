#pragma once

/// What the ranks do: each has an explainer; rank 0 also reads the questions, hands them out and writes the answers in order.

#include <string>
#include <vector>

#include "commands/explain/explain.h"
#include "messages.h"

namespace whynot::mpi {

/// Rank 0. @param arguments of each explainer
/// @return an exit code. Throws Error as the filter does, and `io` when no explainer is left.
int hand_out(Messages& messages, const cli::ExplainCommand& command, const std::vector<std::string>& arguments);

/// Every other rank, until rank 0 says stop.
void serve(Messages& messages, const std::vector<std::string>& arguments);

/// Of rank 0: ends all others.
void stop_others(Messages& messages);

}  // namespace whynot::mpi
