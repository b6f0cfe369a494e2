#pragma once

#include <functional>

#include "image/networks/classifier.h"
#include "image/networks/generator.h"
#include "image/services/recipe.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::image {

/// Images for training: bytes until a batch needs them.
struct TrainingImages {
    at::Tensor pixels;  ///< [n, channels, h, w], uint8
    at::Tensor labels;  ///< [n], int64; below zero: of no class, for the generator only

    int64_t size() const { return pixels.size(0); }
    /// Those of some rows.
    TrainingImages chosen(const at::Tensor& rows) const { return {pixels.index_select(0, rows), labels.index_select(0, rows)}; }
    /// The images whose labels are classes.
    TrainingImages labelled() const { return chosen(labels.ge(0).nonzero().squeeze(1)); }
    /// Rows as networks want them, [b, channels, h, w], float in [0, 1].
    at::Tensor images(const at::Tensor& rows) const { return pixels.index_select(0, rows).to(at::kFloat).div_(255); }
};

/// Trains from the classifier's present weights: Adam on the cross entropy. All labels must be classes. It ends frozen.
void train_classifier(Classifier& classifier, const TrainingImages& data, const ClassifierTraining& training, uint64_t seed,
                      const training::Checkpoint& checkpoint, const Observer& observer);

/// Trains from the generator's present weights, as its kind asks. It ends frozen.
///
/// - vae: E[-log p(x | z)] + beta KL(q(z | x) | N(0, I)), Kingma & Welling 2014.
/// - autoencoder: -log p(x | z) + penalty |z|^2, then the code is whitened.
/// - dcgan: as a Wasserstein GAN with gradient penalty (Arjovsky et al. 2017; Gulrajani et al. 2017), whose critic mirrors the generator.
void train_generator(ConvolutionalGenerator& generator, const TrainingImages& data, const GeneratorTraining& training,
                     const ImageShape& shape, uint64_t seed, const training::Checkpoint& checkpoint, const Observer& observer);

/// Logits of all images, [n, C], a few at a time.
/// @param watch called before each few with the share that is done; what it throws passes through. May be empty
at::Tensor all_logits(const Classifier& classifier, const TrainingImages& data, const std::function<void(double)>& watch = {});

/// Share of images that the classifier gets right.
double accuracy(const Classifier& classifier, const TrainingImages& data, const std::function<void(double)>& watch = {});

}  // namespace whynot::image
