#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

/// A classifier of another kind, for a second opinion: logistic regression on the words, pairs and triples of words of a sentence (as in Wang and
/// Manning, Baselines and Bigrams, ACL 2012), each at a place of a table that its hash gives (Weinberger et al., Feature Hashing, ICML 2009).
///
///     logits = bias + sum_g table[hash(g)]         g: the n-grams of <go> x_1 .. x_m <eos>, n = 1 to 3
///
/// It knows words by their spelling, not by their number, so that it fits whatever vocabulary says the sentence.
/// Threads: nothing changes after it is made.
class NGramClassifier {
public:
    /// @param table [N, C], float, N a power of two @param bias [C] @param vocabulary the words whose ids sentences are made of
    /// Throws Error `invalid_argument` for sizes that do not fit.
    NGramClassifier(at::Tensor table, at::Tensor bias, const std::vector<std::string>& vocabulary);

    const at::Tensor& table() const { return table_; }
    const at::Tensor& bias() const { return bias_; }
    int64_t classes() const { return classes_; }

    /// [C] of one sentence.
    std::vector<double> logits(const Ids& sentence) const;

    /// What each word of a sentence adds to the logit of `fact` over that of `foil`: its own weight, and its part of the pairs and triples that it
    /// stands in, which their words share alike. [m]
    std::vector<double> contributions(const Ids& sentence, int64_t fact, int64_t foil) const;

    /// Appends the rows of a sentence's n-grams.
    void each_row(const Ids& sentence, std::vector<int64_t>& rows) const;

    /// What each word of the vocabulary adds by itself, [V].
    std::vector<double> word_gaps(int64_t fact, int64_t foil) const;

private:
    template <class Use>
    void each_gram(const Ids& sentence, Use use) const;  // use(row of the table, first position, words); positions from -1 to m

    at::Tensor table_, bias_;
    int64_t classes_;
    std::vector<uint64_t> hashes_;  // of the vocabulary
};

struct NGramTraining {
    int64_t rows = int64_t{1} << 16;  ///< of the table, for two classes; of more it gets fewer, to 2^13
    int64_t epochs = 6;
    double learning_rate = 0.3;
    double decay = 1e-5;  ///< of the weights that a sentence touches
};

/// Trains one on labelled sentences. The same input, the same weights. Weights are rounded to 16 bits, as they are stored.
NGramClassifier train_ngram_classifier(const Sentences& sentences, const std::vector<int64_t>& labels, int64_t classes,
                                       const std::vector<std::string>& vocabulary, const NGramTraining& options, uint64_t seed);

}  // namespace whynot::text
