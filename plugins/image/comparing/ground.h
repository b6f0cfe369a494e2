#pragma once

/// What the experiments on images stand on: a pack with its corpus and model, packs that are trained for an experiment, and questions.

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corpora/images.h"
#include "image/measuring/questions.h"
#include "image/measuring/report.h"
#include "image/model/model.h"
#include "image/networks/training.h"
#include "image/services/recipe.h"
#include "training/steps.h"
#include "whynot/experiment.h"
#include "whynot/pack.h"

namespace whynot::image {

/// The pack to explain: `request.pack`, or else the one called `id`. Throws `invalid_argument` for one of another modality.
Pack experiment_pack(const ExperimentRequest& request, const std::string& id);

/// The steps of an experiment, whose identity has the request, corpus and pack already.
training::Steps experiment_steps(const ExperimentRequest& request, const corpora::ImageCorpus& corpus, const Pack& pack,
                                 const Observer& observer);

/// For `ExperimentResult::settings`: corpus and pack with their SHA-256.
nlohmann::ordered_json sources_of(const corpora::ImageCorpus& corpus, const Pack& pack);

/// A pack, the corpus that it was trained on, and its model.
struct Ground {
    /// Throws `invalid_argument` for a pack that does not fit the corpus, `cancelled` when the observer says so.
    /// @param corpus_name empty: the pack's own
    Ground(const ExperimentRequest& request, Pack pack, const Observer& observer, const std::string& corpus_name = "");

    Pack pack;
    corpora::ImageCorpus corpus;
    ImageModel model;
    TrainingImages held_out, train;  ///< labelled
    at::Tensor order;                ///< of the held-out images by their hash
    Recipe recipe;

    const std::vector<std::string>& classes() const { return corpus.classes(); }
    /// The index of a class. Throws `invalid_argument` where the corpus has none of that name.
    int64_t class_called(const std::string& name) const;
    /// The first `count` held-out images, by their hash, from `skip` on. Throws `invalid_input` where there are fewer.
    at::Tensor images(int64_t count, int64_t skip = 0) const;
    /// Those of a class that the classifier gets right, likewise; as many as there are.
    at::Tensor images_of(int64_t label, int64_t count) const;
};

/// A second classifier, which has no part in what it judges: the pack's own kind, from other first weights, on the same images. With --quick one epoch.
std::shared_ptr<Classifier> second_classifier(const ExperimentRequest& request, const Ground& ground, const Observer& observer);

/// A pack that an experiment trains for itself, in `request.out`/packs/NAME: whatever was trained there before by the same recipe is used again, and a
/// training that was stopped goes on.
/// @param recipe JSON @param generator id or folder of a pack whose generator it gets; empty: one of its own
Pack trained_pack(const ExperimentRequest& request, const std::string& name, const std::string& corpus, const std::string& recipe,
                  const std::string& generator, const Observer& observer);

/// A generator for people: "VAE", "autoencoder", "GAN"; "generator" for one that was brought along.
std::string name_of(const Generator& generator);

/// The ground's classifier beside a GAN that is trained on the same corpus (`trained_pack`), so that the generator is all that differs.
struct BesideGan {
    std::string recipe;  ///< JSON
    ImageModel model;
};
BesideGan beside_gan(const ExperimentRequest& request, const Ground& ground, const Observer& observer);

/// Where searches begin, [n, k of the generator] (`ImageBatch::start`), a few images at a time: an inversion takes a second for each.
at::Tensor starts_of(const ImageModel& model, const at::Tensor& images, uint64_t seed, const Watch& watch);

/// Whose foils.
struct Kind {
    std::string name;
    at::Tensor foil;  ///< [n]
};

/// Images to ask about, and ways to choose the foil: the runner-up, and where there are three classes or more one at random and the least likely.
struct Asked {
    /// @param codes where searches begin, as of `Sample`
    Asked(const ImageModel& model, const at::Tensor& images, uint64_t seed, const Watch& watch, const at::Tensor& codes = {});

    Sample sample;
    std::vector<Kind> kinds;

    const Kind& kind(const std::string& name) const;
};

/// A watch that stops when the observer says so, and tells it of a stage.
Watch watching(const Observer& observer, const std::string& stage);

/// Three digits: what these figures are sure of.
ExperimentValue rounded(double value);

/// Of one value a question.
double mean_of(const at::Tensor& values);
double median_of(const at::Tensor& values);
/// Tensors of a step, and back.
nlohmann::ordered_json numbers_of(const at::Tensor& values);
at::Tensor tensor_of(const nlohmann::ordered_json& numbers);

}  // namespace whynot::image
