#pragma once

/// Which words a sentence can take, read from both sides: a small recurrent network that predicts a word from its left context, and
/// a word, or what could stand in a gap, from both contexts. (The idea of the cloze task as in Devlin et al. 2019; here two LSTMs that
/// never see the word.) masked_model_training.h trains it.

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

struct MaskedModelSizes {
    int64_t vocabulary = 0;  ///< V
    int64_t embedding = 128;
    int64_t hidden = 192;    ///< h, of each of the two LSTMs
    int64_t head = 160;      ///< p
    bool both_sides = true;  ///< false: an ordinary language model that reads from the left only, and has no `between`
};

/// Forward and backward LSTM over an embedding of its own; a head tanh(linear) from the left state (`next word`) and one from the
/// left and the right state (`word between`); one softmax p -> V shared by both. Inference keeps no state and draws nothing: one model
/// may be used by several threads at a time. Training changes the model.
///
///     auto model = MaskedModel(MaskedModelSizes{vocabulary}, seed);
///     train_masked_model(model, sentences, {}, seed, observer);                     // masked_model_training.h
///     auto [left, right] = model->contexts(ids.unsqueeze(0));                       // [1, m + 1, h] each
///     auto mask = model->between(left[0].slice(0, 0, m), right[0].slice(0, 1));     // [m, V]: what could stand at each position
///     auto gap = model->between(left[0], right[0]);                                 // [m + 1, V]: what could be inserted before each
class MaskedModelImpl : public torch::nn::Module {
public:
    /// Weights that are yet to be filled in, as from a pack.
    explicit MaskedModelImpl(const MaskedModelSizes& sizes);
    /// Untrained weights, drawn from `seed` alone.
    MaskedModelImpl(const MaskedModelSizes& sizes, uint64_t seed);

    const MaskedModelSizes& sizes() const { return sizes_; }

    /// What each LSTM has read at every gap of sentences of equal length.
    struct Contexts {
        at::Tensor left;   ///< [n, m + 1, h]; left[:, j] has read <go> and the words before j
        at::Tensor right;  ///< [n, m + 1, h]; right[:, j] has read <eos> and the words from the last one back to j
    };
    /// @param sentences [n, m], int64
    Contexts contexts(const at::Tensor& sentences) const;

    /// Log-probabilities [r, V] of the one word between a left context [r, h] and a right one [r, h]. Contexts that leave out
    /// one word give the mask, none an insertion, two adjacent words a single word in their place.
    at::Tensor between(const at::Tensor& left, const at::Tensor& right) const;

    /// Log-probability of each word given those before it, and of <eos> at the end: m + 1 numbers a sentence of m words.
    /// Prefixes that sentences share are computed once, which halves the work for variants of one sentence.
    std::vector<std::vector<double>> next_log_probabilities(const Sentences& sentences) const;

    /// The rows of the softmax, [V, p]: words with like rows fit the same places (great, terrible).
    const at::Tensor& output() const { return weights_.output; }

    /// What is saved, and what is trained.
    struct Weights {
        at::Tensor embedding;               ///< [V, d]
        std::array<at::Tensor, 4> forward;  ///< input and hidden weights, input and hidden biases, gates in Torch's order
        std::array<at::Tensor, 4> backward;
        at::Tensor next_weight, next_bias;        ///< h -> p
        at::Tensor between_weight, between_bias;  ///< 2h -> p
        at::Tensor output, output_bias;           ///< [V, p], [V]
    };
    const Weights& weights() const { return weights_; }

private:
    MaskedModelSizes sizes_;
    Weights weights_;
};
TORCH_MODULE(MaskedModel);

/// What one LSTM has read at every position of sentences of equal length, from a state of zeros: input [n, m, d] -> [n, m, h].
at::Tensor run_lstm(const at::Tensor& input, const std::array<at::Tensor, 4>& weights);

}  // namespace whynot::text
