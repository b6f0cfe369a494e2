#pragma once

/// What the contrastive solver knows of the world: points of a latent space and what a classifier thinks of them.
///
/// With l_y(z) the log-likelihood of class y at the generator's output for z, a question asks for the nearest z at
/// which the foil is exactly as likely as the fact and no third class is above both:
///
///     minimise  |z - z0|^2
///     s.t.      l_fact(z) - l_foil(z)  = 0
///               l_y(z) - l_fact(z)    <= eps      for every other class y
///               l_y(z) - l_foil(z)    <= eps
///
/// (S. Feghahati, Deep Contrastive Explanation, PhD dissertation, UC Riverside, 2020, equations 3.2 and 4.4; the
/// printed signs of the two inequalities are mended here.) Latent distances have no unit but the generator's own;
/// log-likelihoods are natural logarithms (nats).

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace whynot {

/// A batch of B questions in latent space. Everything the solver knows of a modality.
///
///     #include <ATen/ATen.h>
///
///     #include "whynot/solver.h"
///
///     // Points in the plane, told apart by a linear classifier: from (1, 0.5), which of the points that are as likely class 2 as class 1
///     // is nearest? The boundary is the line y = x, and the answer (0.75, 0.75).
///     at::Tensor nearest() {
///         const at::Tensor weight = at::tensor({-2.0, 0.0, 2.0, 0.0, 0.0, 2.0}).view({3, 2});  // [C, k]
///         whynot::Problem problem;
///         problem.start = at::tensor({1.0, 0.5}).view({1, 2});                                 // [B, k]
///         problem.fact = at::tensor({1}, at::kLong);                                           // [B]
///         problem.foil = at::tensor({2}, at::kLong);                                           // [B]
///         problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor&) { return z.matmul(weight.t()); };
///         return whynot::solve(problem).solutions[0].z;
///     }
///
/// From a modality's batch, `ask` (asking.h) makes a problem. The tensors are borrowed for reading; the solver changes none
/// of them.
struct Problem {
    at::Tensor start;         ///< z0, [B, k], float or double; its type and device are those of every z handed out
    at::Tensor fact, foil;    ///< [B], int64 class indices
    at::Tensor begin;         ///< [B, k] or undefined: where the search from z0 begins, if not there; distance stays measured to z0
    at::Tensor extra_starts;  ///< [B, S, k] or undefined: further points to start from, likewise
    /// Log-likelihoods [b, C] of the rows `rows` (int64 indices into the batch, [b]; one index may occur several times)
    /// at latent points z [b, k]; differentiable in z. Any constant a row may be added, so logits will do. Each row of
    /// the result may depend on its own row of z only, and the same z must give the same values: dropout off, batch
    /// normalisation in evaluation mode. Weights are best frozen, or their gradients are computed for nothing.
    /// It is called on the thread that solves, with gradients enabled there.
    std::function<at::Tensor(const at::Tensor& z, const at::Tensor& rows)> log_likelihood;
    std::vector<std::string> class_names;  ///< [C], for `Solution::reason`; empty: it says their indices
};

}  // namespace whynot
