#pragma once

/// Are the gradients of a problem right? For authors of a modality: a detached tensor, dropout left on or a row that
/// looks at its neighbour all show here before they show as a solver that finds nothing.
///
///     whynot::GradientCheck check = whynot::check_gradients(problem);
///     if (!check.ok) std::cerr << check.log;

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "whynot/export.h"
#include "whynot/problem.h"

namespace whynot {

struct GradientCheckOptions {
    /// Half the distance of the two points of a central difference; 0: 1e-5 for double, 1e-2 for float, where rounding
    /// of the log-likelihoods (1e-7 of their size, divided by the step) and curvature (the step's square) balance.
    double step = 0;
    /// Allowed difference, relative to the largest gradient component of the row, beyond what the differences
    /// themselves are uncertain by: estimated from a second, doubled step, and from the slopes on either side of the point.
    double tolerance = 0.02;
    int64_t max_coordinates = 64;  ///< of the latent space, evenly spread; each costs four evaluations of the batch
};

struct GradientCheck {
    bool ok = false;
    at::Tensor coordinates;                               ///< [n], int64: the latent coordinates that were tried
    at::Tensor autograd;                                  ///< [B, C, n], double: d l_c / d z_coordinate by automatic differentiation
    at::Tensor numeric;                                   ///< [B, C, n], double: the same by central differences
    double worst_error = -1;                              ///< the largest excess over the uncertainty, relative as `tolerance` is
    int64_t row = -1, class_index = -1, coordinate = -1;  ///< where that is
    std::string log;                                      ///< the verdict, the worst component, what to look for
};

/// Compares at `Problem::start`, or at `z` [B, k] where given. Only `start` and `log_likelihood` of the problem are
/// used.
WHYNOT_API GradientCheck check_gradients(const Problem& problem, const GradientCheckOptions& options = {}, const at::Tensor& z = {});

}  // namespace whynot
