#pragma once

/// The yardstick of distances: the dissertation's augmented Lagrangian with L-BFGS in the place of gradient descent.
///
///     whynot::Summary theirs = whynot::solve_by_lbfgs(problem, options);   // as of whynot::solve
///
/// It minimises the function that stands in src/solver/augmented_lagrangian.cpp (dissertation, equations 3.3 and 3.4, signs mended) by
/// L-BFGS with a line search (J. Nocedal, S. Wright, Numerical Optimization, 2006, algorithms 7.5 and 3.5, as LibTorch has them), from z0
/// alone, one question after the other. Its distances are good and it is slow: it is there to be compared with, not for answering.

#include "whynot/export.h"
#include "whynot/problem.h"
#include "whynot/solver.h"

namespace whynot {

/// Answers every question of the batch, one by one. Feasible is a little stricter than `solve` has it: at the point, fact and foil must each
/// be exceeded by less than the tolerance, not only their mean.
/// @param options of these, guards, guard_slack, gap_tolerance, max_iterations (updates of the multipliers, 0: 60) and callback count; the
///     callback is called once an evaluation, and its `rows_active` are the questions that are not yet done
///
/// Throws Error as `solve` does.
WHYNOT_API Summary solve_by_lbfgs(const Problem& problem, const SolverOptions& options = {});

}  // namespace whynot
