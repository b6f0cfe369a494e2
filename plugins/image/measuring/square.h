#pragma once

/// The bias that a recipe can plant: a bright square in the corner of every image of one class (recipe.h), and whether explanations find it.

#include <ATen/core/Tensor.h>

#include "image/measuring/report.h"
#include "image/model/model.h"
#include "image/networks/training.h"
#include "image/services/recipe.h"

namespace whynot::image {

/// Draws a square into the top left corner of images [n, channels, h, w], bytes, in place.
void draw_square(at::Tensor pixels, int64_t size, double value);

/// Whether the window of `side` x `side` in which each map [n, h, w] is largest on average lies in the top left corner, as the square does: [n], bool.
at::Tensor hits_corner(const at::Tensor& maps, int64_t side);

/// Whether "why not the class with the square?" shows the square, beside the gradient and gradient times input.
/// @param held_out labelled images, without a square @param order in which they are asked about @param limit how many of them
void measure_square(Report& report, const ImageModel& model, const Recipe& recipe, const TrainingImages& held_out, const at::Tensor& order,
                    int64_t limit, uint64_t seed);

}  // namespace whynot::image
