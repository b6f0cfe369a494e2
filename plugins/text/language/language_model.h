#pragma once

/// Which words a sentence can take, and how natural a sentence is: the two things that the search for an answer asks.
///
/// - `MaskedModel`: a small recurrent network that predicts a word from its left context, and a word, or what could stand in a
///   gap, from both contexts. (The idea of the cloze task as in Devlin et al. 2019; here two LSTMs that never see the word.)
/// - `NGram`: interpolated Kneser-Ney (Kneser & Ney 1995, in the form of Chen & Goodman 1999).
/// - `FluencyModel`: the two mixed word by word, half and half. Either alone has its blind spots: the n-gram model knows exactly
///   which fixed phrases occur, the network knows what fits together over a distance.
///
/// The models that a pack carries are trained on one half of the corpus; the yardstick of `whynot evaluate` is trained on the
/// other, so that answers are not judged by what chose them.
///
/// Inference keeps no state and draws nothing: one model may be used by several threads at a time. Training changes the model.

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/reading/ids.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

class MaskedModel;
struct MaskedTraining;

struct MaskedModelSizes {
    int64_t vocabulary = 0;  ///< V
    int64_t embedding = 128;
    int64_t hidden = 192;    ///< h, of each of the two LSTMs
    int64_t head = 160;      ///< p
    bool both_sides = true;  ///< false: an ordinary language model that reads from the left only, and has no `between`
};

/// Forward and backward LSTM over an embedding of its own; a head tanh(linear) from the left state (`next word`) and one from the
/// left and the right state (`word between`); one softmax p -> V shared by both.
///
///     auto model = MaskedModel(MaskedModelSizes{vocabulary}, seed);
///     train_masked_model(model, sentences, {}, seed, observer);
///     auto [left, right] = model->contexts(ids.unsqueeze(0));                       // [1, m + 1, h] each
///     auto mask = model->between(left[0].slice(0, 0, m), right[0].slice(0, 1));     // [m, V]: what could stand at each position
///     auto gap = model->between(left[0], right[0]);                                 // [m + 1, V]: what could be inserted before each
class MaskedModelImpl : public torch::nn::Module {
public:
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
    const at::Tensor& output() const { return output_; }

private:
    friend void train_masked_model(MaskedModel&, const Sentences&, const MaskedTraining&, uint64_t, const Observer&, const Sentences&,
                                   const training::Checkpoint&);

    std::array<at::Tensor, 4> register_lstm(const std::string& name, const at::Generator& generator);

    MaskedModelSizes sizes_;
    at::Tensor embedding_;               // [V, d]
    std::array<at::Tensor, 4> forward_;  // input and hidden weights, input and hidden biases, gates in Torch's order
    std::array<at::Tensor, 4> backward_;
    at::Tensor next_weight_, next_bias_;        // h -> p
    at::Tensor between_weight_, between_bias_;  // 2h -> p
    at::Tensor output_, output_bias_;           // [V, p], [V]
};
TORCH_MODULE(MaskedModel);

struct MaskedTraining {
    int64_t epochs = 4;
    double learning_rate = 3e-3;  ///< the peak; a cosine takes it down to 2 % of that
    int64_t batch = 64;           ///< sentences of equal length: no padding, no masks
    double dropout = 0.2;         ///< on embeddings, states and heads
    /// Words drawn uniformly beside the batch's own targets; their logits are raised by the log of how many words each stands for.
    int64_t negatives = 800;
    double clip = 5.0;  ///< largest norm of the gradient of the dense parameters
};

/// Trains both heads (their losses are summed) on sentences of any lengths >= 1. Logs each epoch with its speed and the
/// perplexities on `development`, if there is any. Same seed, same weights, on the same machine and thread count; a run that was
/// stopped and goes on from its checkpoint ends with the weights of one that was not.
void train_masked_model(MaskedModel& model, const Sentences& sentences, const MaskedTraining& options, uint64_t seed,
                        const Observer& observer, const Sentences& development = {}, const training::Checkpoint& checkpoint = {});

/// Perplexity a word of the left-to-right head (<eos> counted), and of the masked one (0 where the model has none).
struct Perplexities {
    double next = 0;
    double mask = 0;
};
Perplexities perplexities(const MaskedModel& model, const Sentences& sentences);

/// Open addressing from pairs of 32-bit numbers to 32-bit values.
class CountTable {
public:
    /// The value of `key`, made with 0 where it is missing.
    uint32_t& operator[](uint64_t key);
    const uint32_t* find(uint64_t key) const;
    size_t size() const { return size_; }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [key, value] : slots_)
            if (key != 0) visit(key - 1, value);
    }

private:
    size_t slot(uint64_t key) const;
    std::vector<std::pair<uint64_t, uint32_t>> slots_;  // key + 1; 0 is an empty slot
    size_t size_ = 0;
};

/// Interpolated Kneser-Ney of any order, with one discount D:
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
    /// A context: the words before the one to be predicted, as a path from the nearest to the farthest.
    struct Context {
        uint32_t shorter;    // the context without its farthest word
        int32_t farthest;    // that word
        uint32_t total;      // t
        uint32_t different;  // u
    };

    NGram(int64_t vocabulary, int order);
    void add(const int64_t* gram, uint32_t count);
    void count_words();

    int order_;
    int64_t vocabulary_;
    std::vector<Context> contexts_;  // [0] is the empty one
    CountTable longer_;              // context and the word before it -> context
    CountTable grams_;               // context and word -> c
    std::vector<int64_t> counts_;
    std::vector<double> unigram_;
};

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
    explicit WordAssociations(int64_t vocabulary);
    uint64_t sentences_ = 0;
    std::vector<uint64_t> with_;  // n(w)
    CountTable pairs_;            // smaller and larger word -> n
};

/// log(weight p_network + (1 - weight) p_ngram), word by word.
class FluencyModel {
public:
    FluencyModel(MaskedModel network, NGram ngram, double network_weight = 0.5);

    /// Log-probability of each sentence, <eos> included.
    std::vector<double> log_likelihood(const Sentences& sentences) const;

    const MaskedModel& network() const { return network_; }
    const NGram& ngram() const { return ngram_; }

private:
    MaskedModel network_;
    NGram ngram_;
    double network_weight_;
};

}  // namespace whynot::text
