#include "text/language/ngram.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "whynot/error.h"

namespace whynot::text {

namespace {

constexpr int max_order = 8;
constexpr std::string_view ngram_mark = "whynot n-gram 1\n";

/// Every n-gram of the highest order as it stands, [n, order].
std::vector<uint32_t> grams_of(const Sentences& sentences, int64_t vocabulary, int order) {
    if (order < 1 || order > max_order || vocabulary <= first_word_id)
        throw Error(ErrorCode::invalid_argument, "n-gram model: expected an order from 1 to " + std::to_string(max_order) +
                                                     " and a vocabulary of more than " + std::to_string(first_word_id) +
                                                     " entries, found " + std::to_string(order) + " and " + std::to_string(vocabulary));
    check_sentences(sentences, vocabulary);
    std::vector<uint32_t> grams, padded;
    for (const auto& sentence : sentences) {
        padded.assign(static_cast<size_t>(order - 1), go_id);
        padded.insert(padded.end(), sentence.begin(), sentence.end());
        padded.push_back(eos_id);
        for (size_t i = 0; i <= sentence.size(); ++i) grams.insert(grams.end(), &padded[i], &padded[i] + order);
    }
    return grams;
}

}  // namespace

NGram::NGram(int64_t vocabulary, int order, const CountedTuples& grams)
    : order_(order), vocabulary_(vocabulary), counts_(static_cast<size_t>(vocabulary), 0) {
    for (size_t i = 0; i < grams.size(); ++i) counts_[grams.words[(i + 1) * grams.width - 1]] += grams.counts[i];
    const auto total = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), vocabulary));
    for (const auto count : counts_) unigram_.push_back(std::log(static_cast<double>(count + 1) / total));

    grams_.emplace_back(grams);
    for (auto lower = grams; lower.width > 1;) {
        lower = lower.without_first();
        grams_.emplace_back(lower);
    }
    std::reverse(grams_.begin(), grams_.end());
}

NGram::NGram(const Sentences& sentences, int64_t vocabulary, int order)
    : NGram(vocabulary, order, CountedTuples::count(static_cast<size_t>(order), grams_of(sentences, vocabulary, order))) {}

std::vector<double> NGram::log_probabilities(const Ids& sentence) const {
    check_sentences({sentence}, vocabulary_);
    const auto word_at = [&](int64_t t) { return t < 0 ? go_id : t < static_cast<int64_t>(sentence.size()) ? sentence[t] : eos_id; };
    std::vector<double> result;
    for (int64_t t = 0; t <= static_cast<int64_t>(sentence.size()); ++t) {
        double p = 1 / static_cast<double>(vocabulary_);
        for (int k = 0; k < order_; ++k) {
            const auto& grams = grams_[static_cast<size_t>(k)];
            auto nodes = grams.first_words();  // behind the k words before t
            for (int depth = 0; depth < k; ++depth) nodes = grams.after(static_cast<size_t>(depth), nodes, word_at(t - k + depth));
            if (nodes.empty()) break;
            const auto count = static_cast<double>(grams.count(nodes, word_at(t)));
            const auto different = static_cast<double>(nodes.size()), total = static_cast<double>(grams.total(nodes));
            p = (std::max(count - discount, 0.0) + discount * different * p) / total;
        }
        result.push_back(std::log(p));
    }
    return result;
}

std::string NGram::serialise() const {
    const auto grams = grams_.back().tuples();
    return sealed(ngram_mark, {static_cast<uint64_t>(order_), static_cast<uint64_t>(vocabulary_), grams.size()}, columns(grams));
}

NGram NGram::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(ngram_mark, bytes, numbers);
    const auto [order, words, grams] = std::tuple(numbers[0], numbers[1], numbers[2]);
    if (order < 1 || order > max_order)
        damaged("expected an order from 1 to " + std::to_string(max_order) + ", found " + std::to_string(order));
    check_vocabulary(words, vocabulary);
    return {vocabulary, static_cast<int>(order), read_columns(payload, grams, order, words)};
}

}  // namespace whynot::text
