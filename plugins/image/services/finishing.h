#pragma once

#include <string>
#include <vector>

#include "image/model/networks.h"
#include "image/networks/training.h"

namespace whynot::image {

/// What a training of a pack begins and ends with: which images are learned from and which measured with; and what a pack needs besides
/// trained networks: codes to start from beyond the boundary, and the scales of distances and residuals.

/// What a training run that was interrupted goes on with the generator from.
constexpr const char* generator_checkpoint = "generator.checkpoint";

/// One image in fifty, at least one, is kept for measuring.
struct Division {
    TrainingImages development, train;
};
/// @param wanted how many to learn from; 0: all that are left
Division divide(const TrainingImages& images, int64_t wanted, uint64_t seed);

/// Up to `count` codes of each class: of those images, or draws of the prior where the generator has no encoder.
void collect_codes(Networks& networks, const TrainingImages& images, int64_t count, int64_t classes, uint64_t seed);

/// The median distance of explanations, which the solver scales its steps with, and the usual size of residuals, on images that the
/// networks have not learned from.
/// @returns how many of up to 64 questions, each about an image's runner-up, were solved
struct Solved {
    int64_t found = 0, asked = 0;
};
Solved measure_scales(Networks& networks, const std::vector<std::string>& classes, const TrainingImages& images, uint64_t seed);

}  // namespace whynot::image
