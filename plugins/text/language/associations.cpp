#include "text/language/associations.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace whynot::text {

namespace {

constexpr std::string_view associations_mark = "whynot associations 1\n";

}  // namespace

WordAssociations::WordAssociations(uint64_t sentences, std::vector<uint64_t> with, const CountedTuples& pairs)
    : sentences_(sentences), with_(std::move(with)), pairs_(pairs) {}

WordAssociations WordAssociations::count(const Sentences& sentences, int64_t vocabulary) {
    check_sentences(sentences, vocabulary);
    auto words_of = sentences;  // each sentence's words, ascending, once
    std::vector<std::vector<size_t>> holding(static_cast<size_t>(vocabulary));
    for (size_t s = 0; s < words_of.size(); ++s) {
        auto& words = words_of[s];
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        for (const auto word : words) holding[static_cast<size_t>(word)].push_back(s);
    }

    std::vector<uint64_t> with;
    CountedTuples pairs;
    pairs.width = 2;
    std::vector<uint32_t> together(static_cast<size_t>(vocabulary), 0);  // with word v
    for (size_t v = 0; v < holding.size(); ++v) {
        with.push_back(holding[v].size());
        Ids others;
        for (const auto s : holding[v]) {
            const auto& words = words_of[s];
            for (auto w = std::upper_bound(words.begin(), words.end(), static_cast<int64_t>(v)); w != words.end(); ++w)
                if (together[static_cast<size_t>(*w)]++ == 0) others.push_back(*w);
        }
        std::sort(others.begin(), others.end());
        for (const auto w : others) {
            const auto count = std::exchange(together[static_cast<size_t>(w)], 0);
            if (count < 2) continue;
            pairs.words.insert(pairs.words.end(), {static_cast<uint32_t>(v), static_cast<uint32_t>(w)});
            pairs.counts.push_back(count);
        }
    }
    return {sentences.size(), std::move(with), pairs};
}

WordAssociations::WordAssociations(const Sentences& sentences, int64_t vocabulary) : WordAssociations(count(sentences, vocabulary)) {}

double WordAssociations::operator()(int64_t v, int64_t w) const {
    constexpr double prior = 2;
    const auto together = static_cast<double>(pairs_.count(pairs_.after(0, pairs_.first_words(), std::min(v, w)), std::max(v, w)));
    const double expected = static_cast<double>(with_.at(static_cast<size_t>(v))) * share(w);
    return std::log((together + prior) / (expected + prior));
}

double WordAssociations::share(int64_t word) const {
    return static_cast<double>(with_.at(static_cast<size_t>(word))) / static_cast<double>(std::max<uint64_t>(1, sentences_));
}

std::string WordAssociations::serialise() const {
    const auto pairs = pairs_.tuples();
    std::string payload;
    for (const auto count : with_) put(payload, count);
    return sealed(associations_mark, {static_cast<uint64_t>(vocabulary()), sentences_, pairs.size()}, payload + columns(pairs));
}

WordAssociations WordAssociations::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(associations_mark, bytes, numbers);
    check_vocabulary(numbers[0], vocabulary);
    std::string_view rest(payload);
    std::vector<uint64_t> with;
    for (int64_t word = 0; word < vocabulary; ++word) with.push_back(get(rest));
    return {numbers[1], std::move(with), read_columns(rest, numbers[2], 2, numbers[0])};
}

}  // namespace whynot::text
