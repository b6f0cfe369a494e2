#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/language/packed_counts.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// Interpolated Kneser-Ney (Kneser & Ney 1995, in the form of Chen & Goodman 1999) of any order, with one discount D:
///
///     p(w | h) = (max(c(h w) - D, 0) + D u(h) p(w | h')) / t(h)
///
/// where h' is h without its first word, u(h) the number of different words seen after h and t(h) their total count. c is how often
/// h w occurs for the highest order, and for lower ones how many different words stand before it. Below the first order: 1/V.
/// A context that was never seen takes the next shorter one's p.
class NGram {
public:
    static constexpr double discount = 0.75;

    /// Counts `sentences`, each between order - 1 times <go> and one <eos>. A few seconds for a million words.
    NGram(const Sentences& sentences, int64_t vocabulary, int order = 3);

    /// What `serialise` wrote. Throws Error `bad_pack` for bytes that are truncated, altered, or of another vocabulary.
    static NGram deserialise(std::string_view bytes, int64_t vocabulary);

    /// The n-grams and their counts, sorted, in differences, deflated. The lower orders follow from the highest and are not stored.
    std::string serialise() const;

    /// Log-probability of each word and of <eos>: m + 1 numbers for m words.
    std::vector<double> log_probabilities(const Ids& sentence) const;

    int order() const { return order_; }
    int64_t vocabulary() const { return vocabulary_; }
    /// How often each word of the vocabulary (and <eos>) was counted.
    const std::vector<int64_t>& counts() const { return counts_; }
    /// log((count + 1) / (total + V)) of each word.
    const std::vector<double>& unigram() const { return unigram_; }

private:
    NGram(int64_t vocabulary, int order, const CountedTuples& grams);

    int order_;
    int64_t vocabulary_;
    /// Of each order, the lowest first: the context, its farthest word first, and the word behind it -> c. Its t is the total of what
    /// follows a context, its u their number.
    std::vector<CountTree> grams_;
    std::vector<int64_t> counts_;
    std::vector<double> unigram_;
};

}  // namespace whynot::text
