#pragma once

#include <optional>

#include "base/json.h"
#include "text/language/associations.h"
#include "text/language/fluency.h"
#include "text/networks/autoencoder.h"
#include "text/reading/ids.h"
#include "text/reading/tokenizer.h"
#include "whynot/pack.h"

namespace whynot::text {

/// What is usual of one of the two things that tell whether a sentence is like those that a generator was trained on (likeness.h).
struct Usual {
    double mean = 0;
    double excess = 0;  ///< what hardly a sentence exceeds; 0: not measured
};

/// What says sentences: trained once for a language and a domain, on sentences without labels. It serves every classifier of them, whatever that
/// reads. How it is stored:
///
///     tokenizer.model      its words, a SentencePiece model
///     weights.safetensors  "autoencoder.*", "masked_model.*", 16-bit floats; the classifier's tensors may stand beside them
///     ngram.bin            n-grams of the search half of the corpus
///     associations.bin     which words share sentences there
///
/// `pack.json` has the sizes of the networks under `network`, the tokenizer's kind and the longest sentence under `input`.
struct Generator {
    Tokenizer tokenizer;
    Autoencoder autoencoder;
    FluencyModel fluency;
    WordAssociations associations;
    int64_t longest = 0;                      ///< words of the longest sentence that it says
    Usual usual_unknown{}, usual_surprise{};  ///< of sentences like those it was trained on

    /// What the autoencoder was trained on, [V, d]; undefined: the embedding of the classifier beside it (dissertation, 4.3).
    at::Tensor embedding{};
};

}  // namespace whynot::text
