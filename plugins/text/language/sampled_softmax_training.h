#pragma once

/// A softmax over a vocabulary that is too large to be computed at each step of a training: over the words that the batch has, and some others
/// drawn evenly from the rest, of which each stands for as many as it was drawn from. With o own words of the n that can be predicted and
/// k drawn,
///
///     p(w | x) = exp(l_w + c_w) / sum_v exp(l_v + c_v),      c_w = 0 for own words, log((n - o) / k) for drawn ones.
///
///     const auto [own, index] = at::_unique(targets, true, true);
///     const SampledWords words = with_drawn(own, draw_words(own, first, vocabulary, 600, generator), first, vocabulary);
///     const at::Tensor table = output.index_select(0, words.rows).requires_grad_();
///     sampled_softmax_loss(features, table, bias, words, index).backward();
///     row_adam.step(words.rows, table.grad(), rate);                                  // optimiser.h

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>

namespace whynot::text {

/// Words that are not own, each once, of `draws` draws with replacement from [first, vocabulary). [k], int64.
/// The two differ in the generator and in the order: sorted, or as drawn. Trained weights depend on it in the last digits, so that a network
/// stays with the one that its packs were made with.
at::Tensor draw_words(const at::Tensor& own, int64_t first, int64_t vocabulary, int64_t draws, at::Generator& random);
at::Tensor draw_words(const at::Tensor& own, int64_t first, int64_t vocabulary, int64_t draws, std::mt19937_64& random);

/// What one step's softmax is over.
struct SampledWords {
    at::Tensor rows;        ///< [r], int64: the own words, then the drawn ones
    at::Tensor correction;  ///< [r], c
};

/// @param own [o], int64, each once, from [first, vocabulary) @param drawn [k], none of them own
SampledWords with_drawn(const at::Tensor& own, const at::Tensor& drawn, int64_t first, int64_t vocabulary);

/// Mean cross entropy.
/// @param features [b, p] @param table [r, p] and @param bias [r], of the words' rows @param targets [b], int64, as indices into the rows
at::Tensor sampled_softmax_loss(const at::Tensor& features, const at::Tensor& table, const at::Tensor& bias, const SampledWords& words,
                                const at::Tensor& targets);

}  // namespace whynot::text
