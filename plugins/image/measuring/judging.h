#pragma once

/// What those say of a picture that had no part in its making: a second classifier, and the training images.

#include <ATen/core/Tensor.h>

#include <memory>

#include "image/measuring/report.h"
#include "image/networks/classifier.h"
#include "image/networks/training.h"
#include "image/services/recipe.h"
#include "training/checkpoint.h"

namespace whynot::image {

/// A classifier as the recipe has it, trained on as many images of the same corpus, from other first weights and in another order.
/// @param seed of the evaluation; the classifier's own is drawn from it
/// @param train labelled images
std::shared_ptr<Classifier> train_judge(const Recipe& recipe, const ImageShape& shape, int64_t classes, TrainingImages train, uint64_t seed,
                                        const training::Checkpoint& checkpoint, const Observer& observer);

/// The name of what a judge depends on, for checkpoints and caches.
base::Json judge_identity(const Recipe& recipe, const std::string& corpus_sha256, uint64_t seed);

/// Whether at least three of the five nearest training images, by their pixels, are of the foil. [n], bool
/// @param pictures [n, channels, h, w] @param foil [n] @param train labelled images
at::Tensor plausible(const at::Tensor& pictures, const at::Tensor& foil, const TrainingImages& train, const Watch& watch);

}  // namespace whynot::image
