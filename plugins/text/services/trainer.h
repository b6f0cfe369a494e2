#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/language/masked_model_training.h"
#include "text/model/networks.h"
#include "text/networks/autoencoder_training.h"
#include "text/networks/classifier.h"
#include "text/reading/tokenizer.h"
#include "whynot/train.h"

namespace whynot::text {

/// Everything that a training run depends on but its corpus and seed. As JSON, keys as here: {"tokenizer": {"kind", ...}, ...}.
struct Recipe {
    TokenizerOptions tokenizer;
    ClassifierOptions classifier;
    AutoencoderSizes sizes;
    AutoencoderTraining autoencoder;
    MaskedModelSizes masked_sizes;
    MaskedTraining masked;
    int ngram_order = 3;

    std::string to_json() const;
    /// The defaults with `json`'s changes. Throws `invalid_argument` for keys it does not know and values of another kind.
    static Recipe from_json(const std::string& json);
};

/// What the networks beside a classifier learn from, all of it pieces of its tokenizer.
struct GeneratorData {
    Sentences train, development;
    Sentences search;  ///< for what searches an answer: half of the sentences, so that the other half can measure it
};

/// Trains autoencoder, masked word model, n-grams and associations around a classifier, and measures the typical distance.
/// @param checkpoint of a name; @param observer of all of it
Networks train_generator(Tokenizer tokenizer, Classifier classifier, const std::vector<std::string>& classes, const GeneratorData& data,
                         const Recipe& recipe, uint64_t seed, const std::function<training::Checkpoint(const char*)>& checkpoint,
                         const Observer& observer);

/// The checkpoints that it keeps.
constexpr const char* autoencoder_checkpoint = "autoencoder.checkpoint";
constexpr const char* masked_checkpoint = "masked_model.checkpoint";

/// The service `whynot.train/1` for text: tokenizer, classifier, autoencoder on the classifier's frozen embedding, masked word
/// model and n-grams on the search half of the corpus; then measures what it made and writes the pack.
class TextTrainer : public Trainer {
public:
    std::string default_recipe() const override;
    void train(const TrainRequest& request, const Observer& observer) override;
};

}  // namespace whynot::text
