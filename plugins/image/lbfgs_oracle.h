#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "whynot/problem.h"

namespace whynot::image {

/// One question's answer by the oracle.
struct OracleSolution {
    bool feasible = false;
    double distance = 0;    ///< of the shortest feasible point that it met
    int64_t gradients = 0;  ///< evaluations, each forward and backward
};

/// The yardstick of distances: the dissertation's augmented Lagrangian (equations 3.3 and 3.4, signs mended) with L-BFGS instead of gradient
/// descent inside, from z0 alone, one question after the other. Slow, and better at short distances than anything of a single start that
/// was tried beside it; for comparisons, not for answering.
/// @param watch called before each evaluation with the index of the question it is for; what it throws passes through. May be empty
std::vector<OracleSolution> solve_by_lbfgs(const Problem& problem, double tolerance = 0.01,
                                           const std::function<void(int64_t question)>& watch = {});

}  // namespace whynot::image
