#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "text/networks/ngram_classifier.h"
#include "text/pack/generator.h"
#include "text/pack/reader.h"
#include "whynot/pack.h"

namespace whynot::text {

/// Everything that a text pack holds: what reads, and what says sentences. A pack without a generator classifies; one whose generator is in another
/// pack names that by id and SHA-256, and finds it beside itself or among the packs there are. Files:
///
///     weights.safetensors      "classifier.*" of a classifier of ours, 16-bit floats; beside it the generator's (generator.h)
///     classifier.pt            a classifier that was brought along, TorchScript, with
///     embedding.safetensors    the embedding of what it reads, 32-bit floats
///     vocab.txt, ...           its tokenizer, where it has a reading of its own (piece_reader.h)
///     words.safetensors        "masked_model.*" of a word model of its own, 16-bit floats
///     opinion.safetensors      "table" and "bias" of the second opinion, 16-bit floats
///
/// and those of the generator. `pack.json` has the classifier and the generator under `network`, the tokenizer under `input.pieces`.
struct Networks {
    Reader reader;
    std::optional<Generator> generator;
    double typical_distance = 1;  ///< median |z_e - z0| of explanations, measured after training

    /// The pack that has the generator, where this one names it.
    struct Named {
        std::string id, sha256;
    };
    std::optional<Named> named{};

    /// Another classifier of the same classes, of another kind and trained on part of the sentences: it has a say in which answer is the best, never
    /// in whether one is an answer. Only beside a generator of whole words.
    std::optional<NGramClassifier> opinion{};

    /// Whether the word model that searches answers is the pack's own, trained on more than the generator that it names was. It stands in that
    /// generator's place then, over the same words.
    bool own_words = false;

    const Classifier& classifier() const { return reader.classifier; }
    /// Whether the classifier takes the words of the generator.
    bool shared() const { return !reader.pieces; }

    /// What the classifier takes for a sentence of a corpus.
    Ids read(const std::vector<std::string>& words) const;

    /// Reads a verified pack, and the generator that it names. Throws `bad_pack` where the files do not fit the manifest or one another,
    /// `not_found` where the generator's pack is not there.
    static Networks load(const Pack& pack);

    /// Whether a pack has a generator or names one; whether it has one and no classifier.
    static bool has_generator(const Pack& pack);
    static bool is_generator(const Pack& pack);

    /// Writes the files, and fills in `manifest.network`, `manifest.input` and `manifest.emits`.
    /// @param tokenizer_model the generator's, a SentencePiece model; not used where there is none or another pack has it
    void save(PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model) const;
};

/// The pack that holds a pack's generator: itself, or the one that it names. Throws as `Networks::load`, and `bad_pack` where it has none.
Pack generator_pack(const Pack& pack);

/// The generator that a pack holds.
Generator load_generator(const Pack& pack);

/// Writes the files of a generator and nothing else: a pack that others name.
void save_generator(const Generator& generator, PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model);

}  // namespace whynot::text
