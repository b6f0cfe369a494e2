#pragma once

/// Labelled sentences from a folder of corpora, split the same way for everybody.
///
///     const Corpus corpus = read_corpus(std::getenv("WHYNOT_CORPORA"), "yelp");
///     corpus.train[0].words;   // {"ok", "never", ...}
///     corpus.classes()[1];     // "positive"
///
/// `<corpora>/<name>/` holds the files; a manifest says what they are (corpora/manifest.h, which also checks and hashes the files).
///
/// Splits. Train is all of the files of that split. Of dev, sentences that occur in train or earlier in dev are left out,
/// whatever their label; a sentence is held out when bit 32 of its hash is 1, and development otherwise. Nothing depends on
/// the order of the lines or on a random generator. The hash is FNV-1a, 64 bits, of the sentence's words joined by single
/// spaces, in UTF-8: for a tokenised corpus, of the line as it stands in the file.
///
/// Threads: pure functions.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "corpora/manifest.h"

namespace whynot::text {

struct LabelledSentence {
    std::vector<std::string> words;
    int64_t label = 0;  ///< index into the classes
};

using corpora::CorpusManifest;

struct Corpus {
    CorpusManifest manifest;
    std::string sha256;  ///< of all files' text, uncompressed, one after the other in the manifest's order
    std::vector<LabelledSentence> train, development, held_out;

    const std::vector<std::string>& classes() const { return manifest.classes; }
};

/// The manifest of a corpus of sentences. @throws Error as `corpora::find_corpus`
CorpusManifest find_corpus(const std::filesystem::path& corpora, const std::string& name);

struct CorpusOptions {
    bool distinct_train = false;  ///< of equal train sentences keep the first only
};

/// Reads and splits a corpus; Yelp takes about a second.
/// @throws Error as `find_corpus`; not_found for a missing file, io for one that cannot be read or whose gzip is damaged,
///         invalid_input for a line that is not UTF-8, naming file and line
Corpus read_corpus(const std::filesystem::path& corpora, const std::string& name, const CorpusOptions& options = {});

/// The hash that splits go by.
uint64_t sentence_hash(const std::vector<std::string>& words);

/// The distinct sentences of a list in two disjoint halves, for two language models that shall not have read the same text.
struct Halves {
    std::vector<std::vector<std::string>> yardstick;  ///< half A, bit 33 of the hash is 1: for the model that measures
    std::vector<std::vector<std::string>> search;     ///< half B: for the model that proposes
};
Halves language_model_halves(const std::vector<LabelledSentence>& sentences);
/// Whether a sentence is of half B.
bool is_search_half(const std::vector<std::string>& words);

/// Sentences of a corpus in the order of their hash: the same for everybody, and no part of the corpus before another.
std::vector<const LabelledSentence*> in_order_of_hash(const std::vector<LabelledSentence>& sentences);

}  // namespace whynot::text
