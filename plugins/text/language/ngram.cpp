#include "text/language/ngram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "whynot/error.h"

namespace whynot::text {

namespace {

constexpr int max_order = 8;
constexpr std::string_view ngram_mark = "whynot n-gram 1\n";

}  // namespace

NGram::NGram(int64_t vocabulary, int order) : order_(order), vocabulary_(vocabulary), contexts_{{0, 0, 0, 0}} {
    if (order < 1 || order > max_order || vocabulary <= first_word_id)
        throw Error(ErrorCode::invalid_argument, "n-gram model: expected an order from 1 to " + std::to_string(max_order) +
                                                     " and a vocabulary of more than " + std::to_string(first_word_id) +
                                                     " entries, found " + std::to_string(order) + " and " + std::to_string(vocabulary));
}

NGram::NGram(const Sentences& sentences, int64_t vocabulary, int order) : NGram(vocabulary, order) {
    check_sentences(sentences, vocabulary);
    Ids padded;
    for (const auto& sentence : sentences) {
        padded.assign(static_cast<size_t>(order - 1), go_id);
        padded.insert(padded.end(), sentence.begin(), sentence.end());
        padded.push_back(eos_id);
        for (size_t i = 0; i <= sentence.size(); ++i) add(&padded[i], 1);
    }
    count_words();
}

/// Adds to the highest order; an n-gram that is new there is one more word before its shorter form, and so on down.
void NGram::add(const int64_t* gram, uint32_t count) {
    std::array<uint32_t, max_order> path{};  // the contexts of length 0, 1, ... order - 1
    for (int k = 1; k < order_; ++k) {
        const int64_t word = gram[order_ - 1 - k];
        auto& context = longer_[key(path[static_cast<size_t>(k - 1)], word)];
        if (context == 0) {
            context = static_cast<uint32_t>(contexts_.size());
            contexts_.push_back({path[static_cast<size_t>(k - 1)], static_cast<int32_t>(word), 0, 0});
        }
        path[static_cast<size_t>(k)] = context;
    }
    for (int k = order_ - 1; k >= 0; --k) {
        auto& context = contexts_[path[static_cast<size_t>(k)]];
        auto& times = grams_[key(path[static_cast<size_t>(k)], gram[order_ - 1])];
        const bool is_new = times == 0;
        times += count;
        context.total += count;
        if (!is_new) break;
        ++context.different;
        count = 1;
    }
}

void NGram::count_words() {
    std::vector<int> depth(contexts_.size(), 0);  // contexts come after their shorter ones
    for (size_t i = 1; i < contexts_.size(); ++i) depth[i] = depth[contexts_[i].shorter] + 1;
    counts_.assign(static_cast<size_t>(vocabulary_), 0);
    grams_.for_each([&](uint64_t gram, uint32_t count) {
        if (depth[gram >> 32] == order_ - 1) counts_[gram & 0xFFFFFFFFu] += count;
    });
    const auto total = static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), vocabulary_));
    unigram_.clear();
    for (const auto count : counts_) unigram_.push_back(std::log(static_cast<double>(count + 1) / total));
}

std::vector<double> NGram::log_probabilities(const Ids& sentence) const {
    check_sentences({sentence}, vocabulary_);
    std::vector<double> result;
    for (size_t t = 0; t <= sentence.size(); ++t) {
        const int64_t word = t < sentence.size() ? sentence[t] : eos_id;
        double p = 1 / static_cast<double>(vocabulary_);
        uint32_t context = 0;
        for (int k = 0; k < order_; ++k) {
            if (k > 0) {
                const auto before = static_cast<int64_t>(t) - k;
                const auto* longer = longer_.find(key(context, before >= 0 ? sentence[static_cast<size_t>(before)] : go_id));
                if (longer == nullptr) break;
                context = *longer;
            }
            const auto& [shorter, farthest, total, different] = contexts_[context];
            if (total == 0) break;
            const auto* count = grams_.find(key(context, word));
            p = (std::max((count == nullptr ? 0 : *count) - discount, 0.0) + discount * different * p) / total;
        }
        result.push_back(std::log(p));
    }
    return result;
}

std::string NGram::serialise() const {
    std::vector<int> depth(contexts_.size(), 0);
    for (size_t i = 1; i < contexts_.size(); ++i) depth[i] = depth[contexts_[i].shorter] + 1;
    Counted grams;
    grams_.for_each([&](uint64_t gram, uint32_t count) {
        if (depth[gram >> 32] != order_ - 1) return;
        Ids words;
        for (auto context = static_cast<uint32_t>(gram >> 32); context != 0; context = contexts_[context].shorter)
            words.push_back(contexts_[context].farthest);
        words.push_back(static_cast<int64_t>(gram & 0xFFFFFFFFu));
        grams.emplace_back(std::move(words), count);
    });
    const uint64_t number = grams.size();
    return sealed(ngram_mark, {static_cast<uint64_t>(order_), static_cast<uint64_t>(vocabulary_), number}, columns(std::move(grams)));
}

NGram NGram::deserialise(std::string_view bytes, int64_t vocabulary) {
    std::vector<uint64_t> numbers(3);
    const auto payload = unsealed(ngram_mark, bytes, numbers);
    if (numbers[0] < 1 || numbers[0] > max_order)
        damaged("expected an order from 1 to " + std::to_string(max_order) + ", found " + std::to_string(numbers[0]));
    check_vocabulary(numbers[1], vocabulary);
    NGram result(vocabulary, static_cast<int>(numbers[0]));
    read_columns(payload, numbers[2], numbers[0], numbers[1], [&](const int64_t* gram, uint32_t count) { result.add(gram, count); });
    result.count_words();
    return result;
}

}  // namespace whynot::text
