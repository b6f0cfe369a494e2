#pragma once

/// A reference for distances: the dissertation's augmented Lagrangian with L-BFGS in place of gradient descent.
///
///     whynot::Summary theirs = whynot::solve_by_lbfgs(problem, options);   // as that of whynot::solve
///
/// It minimises the function in src/solver/augmented_lagrangian.cpp (dissertation, equations 3.3 and 3.4, signs mended) by
/// L-BFGS with a line search (J. Nocedal, S. Wright, Numerical Optimization, 2006, algorithms 7.5 and 3.5, as LibTorch has them), from z0
/// alone, one question after the other. Its distances are short and it is slow: it is for comparison, not for answering.

#include "whynot/export.h"
#include "whynot/problem.h"
#include "whynot/solver.h"

namespace whynot {

/// Answers every question of the batch, one by one. A feasible point must meet a little more than in `solve`: a third class may exceed
/// neither fact nor foil by more than the tolerance, while `solve` compares it with their mean.
/// @param options only guards, guard_slack, gap_tolerance, max_iterations (updates of the multipliers, 0: 60) and callback are used. The
///     callback is called once an evaluation; its `rows_active` is the number of questions that are not yet done
///
/// Throws Error as `solve` does.
WHYNOT_API Summary solve_by_lbfgs(const Problem& problem, const SolverOptions& options = {});

}  // namespace whynot
