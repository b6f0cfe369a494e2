#pragma once

/// What the ways to solve have in common.

#include "whynot/problem.h"
#include "whynot/solver.h"

namespace whynot::internal {

/// Throws Error `invalid_argument` for options out of range and for tensors whose shapes or types do not fit.
void check(const Problem& problem, const SolverOptions& options);

/// `whynot::solve`.
Summary solve(const Problem& problem, const SolverOptions& options);

/// Fills in what follows from the solutions of a summary: how many there are of each status, evaluations, the median distance.
void count(Summary& summary);

}  // namespace whynot::internal
