#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/language/packed_counts.h"
#include "text/reading/ids.h"

namespace whynot::text {

/// Which words belong to one topic: those that share sentences more often than chance has it.
///
///     a(v, w) = log((n(v, w) + 2) / (n(v) n(w) / N + 2))
///
/// with n the number of sentences that hold a word, or both, and N of all. A pointwise mutual information in which two
/// sentences of evidence for chance keep rare words at about 0; "food, rude" is well below, "staff, rude" well above.
class WordAssociations {
public:
    WordAssociations(const Sentences& sentences, int64_t vocabulary);

    /// As `NGram`'s. Pairs that met once only are not stored.
    static WordAssociations deserialise(std::string_view bytes, int64_t vocabulary);
    std::string serialise() const;

    /// a(v, w), in nats; symmetric.
    double operator()(int64_t v, int64_t w) const;
    /// The share of sentences that hold the word: large for words that belong to no topic.
    double share(int64_t word) const;
    int64_t vocabulary() const { return static_cast<int64_t>(with_.size()); }

private:
    WordAssociations(uint64_t sentences, std::vector<uint64_t> with, const CountedTuples& pairs);
    static WordAssociations count(const Sentences& sentences, int64_t vocabulary);

    uint64_t sentences_;
    std::vector<uint64_t> with_;  // n(w)
    CountTree pairs_;             // smaller and larger word -> n
};

}  // namespace whynot::text
