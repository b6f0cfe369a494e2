#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "text/language/associations.h"
#include "text/language/fluency.h"
#include "text/model/likeness.h"
#include "text/networks/autoencoder.h"
#include "text/networks/classifier.h"
#include "text/reading/tokenizer.h"
#include "whynot/pack.h"

namespace whynot::text {

/// Everything that a text pack holds, and how it is stored:
///
///     tokenizer.model      SentencePiece model
///     weights.safetensors  "classifier.*", "autoencoder.*", "masked_model.*", 16-bit floats
///     classifier.pt        a classifier that was brought along, TorchScript, with
///     embedding.safetensors    the embedding of its words, 32-bit floats
///     ngram.bin            n-grams of the search half of the corpus
///     associations.bin     which words share sentences there
///
/// `pack.json` has the sizes of the networks under `network`, and under `input` the tokenizer's kind and the longest sentence.
struct Networks {
    Tokenizer tokenizer;
    Classifier classifier;
    Autoencoder autoencoder;
    FluencyModel fluency;
    WordAssociations associations;
    int64_t longest = 0;                      ///< words of the longest sentence that it explains
    double typical_distance = 1;              ///< median |z_e - z0| of explanations, measured after training
    Usual usual_unknown{}, usual_surprise{};  ///< of sentences like those it was trained on (likeness.h)

    /// What the autoencoder was trained on, [V, d]; undefined: the classifier's own embedding (dissertation, 4.3). A generator that was taken over
    /// from another pack keeps its own, over the same vocabulary.
    at::Tensor generator_embedding{};

    /// Reads a verified pack. Throws `bad_pack` where the files do not fit the manifest or one another.
    static Networks load(const Pack& pack);

    /// The parts of a pack that are there before a generator is: its tokenizer, and a classifier that was brought along.
    static Tokenizer load_tokenizer(const Pack& pack);
    static Classifier load_classifier(const Pack& pack, int64_t vocabulary);
    static bool has_generator(const Pack& pack);

    /// Writes such a classifier, and says in the manifest what it is.
    static void save_classifier(const Classifier& classifier, PackWriter& writer, PackManifest& manifest);

    /// Writes the files, and fills in `manifest.network` and `manifest.input`.
    void save(PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model);
};

}  // namespace whynot::text
