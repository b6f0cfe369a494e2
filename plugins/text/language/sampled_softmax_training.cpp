#include "text/language/sampled_softmax_training.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>
#include <vector>

namespace whynot::text {

at::Tensor draw_words(const at::Tensor& own, int64_t first, int64_t vocabulary, int64_t draws, at::Generator& random) {
    const at::Tensor drawn = std::get<0>(at::_unique(at::randint(first, vocabulary, {draws}, random, at::kLong), true));
    return drawn.masked_select(at::isin(drawn, own).logical_not());
}

at::Tensor draw_words(const at::Tensor& own, int64_t first, int64_t vocabulary, int64_t draws, std::mt19937_64& random) {
    std::vector<char> taken(static_cast<size_t>(vocabulary), 0);
    const auto own_words = own.accessor<int64_t, 1>();
    for (int64_t i = 0; i < own_words.size(0); ++i) taken[static_cast<size_t>(own_words[i])] = 1;
    std::vector<int64_t> drawn;
    for (int64_t i = 0; i < draws; ++i) {
        const auto word = first + static_cast<int64_t>(random() % static_cast<uint64_t>(vocabulary - first));
        if (std::exchange(taken[static_cast<size_t>(word)], 1) == 0) drawn.push_back(word);
    }
    return at::tensor(drawn, at::kLong);
}

SampledWords with_drawn(const at::Tensor& own, const at::Tensor& drawn, int64_t first, int64_t vocabulary) {
    SampledWords words{at::cat({own, drawn}), at::zeros({own.size(0) + drawn.size(0)})};
    if (drawn.size(0) > 0)
        words.correction.slice(0, own.size(0))
            .fill_(std::log(static_cast<double>(vocabulary - first - own.size(0)) / static_cast<double>(drawn.size(0))));
    return words;
}

at::Tensor sampled_softmax_loss(const at::Tensor& features, const at::Tensor& table, const at::Tensor& bias, const SampledWords& words,
                                const at::Tensor& targets) {
    return at::cross_entropy_loss(at::linear(features, table, bias + words.correction), targets);
}

}  // namespace whynot::text
