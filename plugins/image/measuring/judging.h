#pragma once

/// What those say of a picture that had no part in its making: a second classifier, and the training images.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "image/measuring/report.h"
#include "image/networks/classifier.h"
#include "image/networks/training.h"
#include "image/services/recipe.h"

namespace whynot::image {

/// A classifier as the recipe has it, trained on as many images of the same corpus, from other first weights and in another order.
/// @param train labelled images @param corpus_sha256 of the corpus that they are from
/// @param seed of the measurement; the classifier's own is drawn from it
/// @param cache a folder in which it is kept for the next measurement; empty: it is not
std::shared_ptr<Classifier> train_judge(const Recipe& recipe, const ImageShape& shape, int64_t classes, TrainingImages train,
                                        const std::string& corpus_sha256, uint64_t seed, const std::filesystem::path& cache,
                                        const Observer& observer);

/// Whether at least three of the five nearest training images, by their pixels, are of the foil. [n], bool
/// @param pictures [n, channels, h, w] @param foil [n] @param train labelled images
at::Tensor plausible(const at::Tensor& pictures, const at::Tensor& foil, const TrainingImages& train, const Watch& watch);

}  // namespace whynot::image
