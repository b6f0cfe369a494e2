#pragma once

#include <string>

#include "autoencoder_training.h"
#include "classifier.h"
#include "language_model.h"
#include "tokenizer.h"
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

/// The service `whynot.train/1` for text: tokenizer, classifier, autoencoder on the classifier's frozen embedding, masked word
/// model and n-grams on the search half of the corpus; then measures what it made and writes the pack.
class TextTrainer : public Trainer {
public:
    std::string default_recipe() const override;
    void train(const TrainRequest& request, const Observer& observer) override;
};

}  // namespace whynot::text
