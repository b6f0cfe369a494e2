#pragma once

/// Pictures hold 256 levels of light, points of the latent space any number: from one to the other without losing the boundary.

#include <ATen/core/Tensor.h>

#include <functional>

namespace whynot::image {

/// Each value to the nearest of 256 levels. @param images in [0, 1]
at::Tensor to_levels(const at::Tensor& images);

/// The same, but as exactly as likely the one class as the other. Rounding moves the gap by some hundredths of a nat, and lifts a
/// third class that is tied with both a little above them; where it does, values go to the
/// next nearest level instead, those first whose rounding error grows least for what they bring, until the gap is as good as closed.
/// @param images [b, channels, h, w], in [0, 1] @param classes the two of each image, [b]
/// @param logits [b, channels, h, w] -> [b, C], differentiable @param tolerance of the gap, nats
at::Tensor to_levels_on_boundary(const at::Tensor& images, const at::Tensor& one_class, const at::Tensor& other_class,
                                 const std::function<at::Tensor(const at::Tensor&)>& logits, double tolerance);

}  // namespace whynot::image
