#pragma once

/// Latent inversion: z0 = argmin loss(G(z), input), where the encoder alone does not give the input back or there is
/// none (the dissertation's Procedure 2). Adam on a whole batch of rows, each of which stops by itself.
///
///     auto result = whynot::invert(
///         [&](const at::Tensor& z, const at::Tensor& rows) {
///             at::Tensor logits = generator.teacher_forced(z, rows);                // [b, m, V]
///             return whynot::InversionLoss{negative_log_likelihood(logits, rows),   // [b]
///                                          equals_the_sentence(logits, rows)};      // [b], bool
///         },
///         encoder.forward(x));

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "whynot/export.h"

namespace whynot {

/// What a loss function answers for the rows it was asked about.
struct InversionLoss {
    at::Tensor loss;  ///< [b], differentiable in z; row i may depend on row i of z only
    at::Tensor done;  ///< [b], bool: these z are good enough as they are. Undefined: none is
};

/// The loss of rows `rows` (int64 indices into the batch, [b]) at z [b, k].
using InversionFunction = std::function<InversionLoss(const at::Tensor& z, const at::Tensor& rows)>;

struct InversionOptions {
    double learning_rate = 0.1;
    double decay = 0.0;          ///< share of the learning rate that is gone at the last step, linearly; 0 to 1
    double prior_weight = 0.01;  ///< adds prior_weight * |z - prior_centre|^2 to the loss; a little of it improves the fit
    at::Tensor prior_centre;     ///< [B, k]; undefined: the start. Zeros for the prior of a GAN
    int64_t max_steps = 80;
    std::function<bool()> cancelled;  ///< polled every step; true makes `invert` throw Error `cancelled`. May be empty
};

struct InversionResult {
    at::Tensor z;      ///< [B, k]: where the row was done, else where loss plus prior was smallest
    at::Tensor loss;   ///< [B], double: the loss there, without the prior
    at::Tensor steps;  ///< [B], int64: Adam steps taken
    at::Tensor done;   ///< [B], bool
};

/// Rows that are done leave the batch; a row whose loss or gradient is not finite stops where it was best. The start is
/// only read. Same input, same bytes. Throws Error `invalid_argument` for options out of range, shapes that do not fit,
/// or a loss that is not differentiable.
WHYNOT_API InversionResult invert(const InversionFunction& function, const at::Tensor& start, const InversionOptions& options = {});

}  // namespace whynot
