#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

#include "text/networks/sentence_network.h"
#include "text/reading/ids.h"
#include "training/torchscript.h"

namespace whynot::text {

/// Embedding sum + linear (dissertation, 4.3.1): logits = W sum_t M[x_t] + b.
///
/// Additive in its words: word w adds `word_logits()[w]` to the logits wherever it stands. The rows of <pad>, <go> and
/// <eos> are zero and stay zero, because they receive some of the soft mass while a sentence is being optimised.
///
/// Or one that sees the order of words and is not additive: a network of ours (sentence_network.h), or one that was brought along, takes the embedded
/// words [b, m, d] in place of W.
struct Classifier {
    at::Tensor embedding;                                              ///< M, [V, d]
    at::Tensor weight;                                                 ///< W, [C, d]; undefined beside a network
    at::Tensor bias;                                                   ///< b, [C]; zero beside a network
    std::shared_ptr<const training::ScriptNetwork> network = nullptr;  ///< that was brought along
    Emits emits = Emits::logits;                                       ///< of that network
    std::shared_ptr<const SentenceNetwork> own_network = nullptr;      ///< of ours
    int64_t longest = 0;                                               ///< the most words or pieces that it takes; 0: any number

    bool additive() const { return !network && !own_network; }

    int64_t vocabulary() const { return embedding.size(0); }
    int64_t dimension() const { return embedding.size(1); }
    int64_t classes() const { return bias.size(0); }

    /// What each word adds to each logit, M W', [V, C]. Only where it is additive.
    at::Tensor word_logits() const;

    /// Logits of embedded sentences of one length, [b, m, d] -> [b, C]; differentiable.
    at::Tensor logits(const at::Tensor& embedded) const;

    /// Logits of sentences, [B, C].
    at::Tensor logits(const Sentences& sentences) const;

    /// A copy whose `word_logits` and `logits` of embedded sentences compute on a device; on the same device it shares the weights.
    Classifier on(at::Device device) const;
};

/// The words of sentences one after another, and where each sentence begins, as at::embedding_bag takes them.
std::pair<at::Tensor, at::Tensor> bag_of(const Sentences& sentences);

/// For each sentence of a bag the sum of its rows of a table, [B, d]; differentiable in the table.
at::Tensor sums_of_rows(const at::Tensor& table, const at::Tensor& rows, const at::Tensor& begins);

/// Share of sentences given their label.
double accuracy(const Classifier& classifier, const Sentences& sentences, const std::vector<int64_t>& labels);

}  // namespace whynot::text
