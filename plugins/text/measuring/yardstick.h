#pragma once

#include <filesystem>
#include <vector>

#include "text/language/fluency.h"
#include "text/networks/ngram_classifier.h"
#include "text/reading/corpus.h"
#include "text/reading/tokenizer.h"
#include "whynot/progress.h"

namespace whynot::text {

/// The language model that measures how natural answers are, and that the search does not use: an LSTM and a Kneser-Ney trigram mixed word by
/// word, trained on the half of the corpus that the pack's own models have not read. It takes minutes to train.
/// @param cache the folder that keeps it; empty: none does
FluencyModel yardstick(const Tokenizer& tokenizer, const Corpus& corpus, const std::filesystem::path& cache, const Observer& observer);

/// A classifier of words, pairs and triples, trained on half of the corpus: the half that the search has read, for a pack's second opinion, or the
/// other, for a judge that had no part in an answer. @param tokenizer of whole words
NGramClassifier opinion_of_half(const Corpus& corpus, const Tokenizer& tokenizer, bool search_half, uint64_t seed);

/// What the yardstick says of sentences.
struct Naturalness {
    double nll = 0;                   ///< of all sentences, nats
    double tokens = 0;                ///< words and <eos>
    std::vector<double> rarity_free;  ///< (NLL + log unigram) / tokens of each sentence

    double nll_per_token() const;
};
Naturalness naturalness(const FluencyModel& model, const Sentences& sentences);

}  // namespace whynot::text
