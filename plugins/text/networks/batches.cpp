#include "text/networks/batches.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "training/random.h"

namespace whynot::text {

ByLength by_length(const Sentences& sentences) {
    ByLength result;
    for (const Ids& sentence : sentences) result[sentence.size()].push_back(sentence);
    return result;
}

std::vector<Sentences> batches_of_one_length(ByLength sentences, int64_t size, std::mt19937_64& random) {
    std::vector<Sentences> batches;
    for (auto& [length, group] : sentences) {
        training::shuffle(group, random);
        for (auto begin = group.begin(); begin != group.end();) {
            const auto end = begin + std::min<std::ptrdiff_t>(size, group.end() - begin);
            batches.emplace_back(begin, end);
            begin = end;
        }
    }
    training::shuffle(batches, random);
    return batches;
}

at::Tensor rectangle(const Sentences& sentences) {
    at::Tensor words = at::empty({static_cast<int64_t>(sentences.size()), static_cast<int64_t>(sentences[0].size())}, at::kLong);
    auto* out = words.data_ptr<int64_t>();
    for (const Ids& sentence : sentences) out = std::copy(sentence.begin(), sentence.end(), out);
    return words;
}

}  // namespace whynot::text
