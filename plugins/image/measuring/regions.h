#pragma once

/// Regions of pictures: made lighter or darker by themselves, and changed by themselves, so as to see what a classifier makes of them.

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "image/networks/training.h"
#include "image/services/recipe.h"

namespace whynot::image {

/// What lies within any of the boxes, [height, width], bool.
at::Tensor mask_of(const std::vector<Box>& boxes, int64_t height, int64_t width);

/// Images [n, channels, h, w] with the region made lighter, x + amount (1 - x), or where the amount is below 0 darker, x (1 + amount).
/// @param mask [h, w], bool @param amount from -1, black, to 1, white
at::Tensor brightened(const at::Tensor& images, const at::Tensor& mask, double amount);

/// The same in place, of some rows, to the nearest of 256 levels.
void brighten(TrainingImages& images, const at::Tensor& rows, const at::Tensor& mask, double amount);

/// The images with the region as the pictures have it.
at::Tensor pasted(const at::Tensor& images, const at::Tensor& pictures, const at::Tensor& mask);

/// What share of the gap between the logits of fact and foil is closed on the way from each image to its picture, [n], double: 0 where nothing is, 1 on
/// the boundary, more beyond it, below 0 where the gap grows.
/// @param logits [b, channels, h, w] -> [b, C] @param fact, foil [n]
at::Tensor gap_closed(const std::function<at::Tensor(const at::Tensor&)>& logits, const at::Tensor& images, const at::Tensor& pictures,
                      const at::Tensor& fact, const at::Tensor& foil);

}  // namespace whynot::image
