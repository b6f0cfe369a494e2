#pragma once

#include <string>

#include "text/language/masked_model_training.h"
#include "text/networks/autoencoder_training.h"
#include "text/networks/classifier_training.h"
#include "text/reading/tokenizer.h"

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
    int64_t contrasts = 0;  ///< sentences that the classifier learns from beside the corpus (contrasts.h)

    std::string to_json() const;
    /// The defaults with `json`'s changes. Throws `invalid_argument` for keys it does not know and values of another kind.
    static Recipe from_json(const std::string& json);
};

}  // namespace whynot::text
