#include "text/language/associations.h"

#include <algorithm>
#include <cmath>

namespace whynot::text {

namespace {

constexpr std::string_view associations_mark = "whynot associations 1\n";

}  // namespace

WordAssociations::WordAssociations(int64_t vocabulary) : with_(static_cast<size_t>(vocabulary), 0) {}

WordAssociations::WordAssociations(const Sentences& sentences, int64_t vocabulary) : WordAssociations(vocabulary) {
    check_sentences(sentences, vocabulary);
    sentences_ = sentences.size();
    CountTable pairs;
    for (auto words : sentences) {
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        for (size_t i = 0; i < words.size(); ++i) {
            ++with_[static_cast<size_t>(words[i])];
            for (size_t j = i + 1; j < words.size(); ++j) ++pairs[key(static_cast<uint64_t>(words[i]), words[j])];
        }
    }
    pairs.for_each([&](uint64_t pair, uint32_t count) {
        if (count > 1) pairs_[pair] = count;
    });
}

double WordAssociations::operator()(int64_t v, int64_t w) const {
    constexpr double prior = 2;
    const auto* together = pairs_.find(key(static_cast<uint64_t>(std::min(v, w)), std::max(v, w)));
    const double expected = static_cast<double>(with_.at(static_cast<size_t>(v))) * share(w);
    return std::log(((together == nullptr ? 0 : *together) + prior) / (expected + prior));
}

double WordAssociations::share(int64_t word) const {
    return static_cast<double>(with_.at(static_cast<size_t>(word))) / static_cast<double>(std::max<uint64_t>(1, sentences_));
}

std::string WordAssociations::serialise() const {
    Counted pairs;
    pairs_.for_each([&](uint64_t pair, uint32_t count) {
        pairs.emplace_back(Ids{static_cast<int64_t>(pair >> 32), static_cast<int64_t>(pair & 0xFFFFFFFFu)}, count);
    });
    const uint64_t number = pairs.size();
    std::string payload;
    for (const auto count : with_) put(payload, count);
    return sealed(associations_mark, {static_cast<uint64_t>(vocabulary()), sentences_, number}, payload + columns(std::move(pairs)));
}

WordAssociations WordAssociations::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(associations_mark, bytes, numbers);
    check_vocabulary(numbers[0], vocabulary);
    WordAssociations result(vocabulary);
    result.sentences_ = numbers[1];
    std::string_view rest(payload);
    for (auto& count : result.with_) count = get(rest);
    read_columns(rest, numbers[2], 2, numbers[0],
                 [&](const int64_t* pair, uint32_t count) { result.pairs_[key(static_cast<uint64_t>(pair[0]), pair[1])] = count; });
    return result;
}

}  // namespace whynot::text
