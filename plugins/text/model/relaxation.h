#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "text/networks/autoencoder.h"
#include "text/networks/classifier.h"
#include "text/reading/ids.h"
#include "whynot/inversion.h"

namespace whynot::text {

/// Sentences made soft (SoftEmbedding, dissertation equation 4.3): at each position t the generator's distribution d_t over the
/// vocabulary takes the place of the word, and the classifier sees its expected embedding d_t M.
///
/// The words of the sentence itself are the decoder's inputs (teacher forcing), the temperature is one, and the number of positions
/// is fixed: one LSTM call and one matrix product serve all positions, and position t of the soft sentence stands for word t of
/// the sentence, so that what changed there means something. Sentences of several lengths go through it together, longest first, and none
/// is padded.
///
/// Where the classifier is additive, sum_t d_t M W' = sum_t d_t V with V = M W' one row of C numbers a word: the vocabulary never
/// meets the embedding's dimension. Any other classifier is given the expected embeddings d_t M, sentences of one length at a time.
///
/// Rows are sentences; `rows` [b] are indices into them, z is [b, k]. Weights are frozen; only z receives gradients. It computes where the
/// networks are; what goes in and comes out is on the processor.
class Relaxation {
public:
    /// Keeps references to both networks. Throws Error `invalid_argument` for a sentence without words.
    Relaxation(const Autoencoder& autoencoder, const Classifier& classifier, Sentences sentences);

    const Sentences& sentences() const { return sentences_; }

    /// The classifier's logits for the soft sentences, [b, C].
    at::Tensor logits(const at::Tensor& z, const at::Tensor& rows) const;

    /// A word counts as given back when the generator gives it this probability: then greedy decoding says it, and the soft
    /// sentence at z0 weighs what the sentence itself weighs.
    static constexpr double sure = 0.6;

    /// How unlikely the generator finds the sentences, sum_t -log d_t(x_t) with <eos> at the end, [b]; and whether each of their words
    /// is given back.
    InversionLoss likelihood(const at::Tensor& z, const at::Tensor& rows) const;

    /// Logarithms of the distributions at the word positions of one sentence, at several points z [r, k]: [r, m, V]. No gradients.
    at::Tensor log_distributions(const at::Tensor& z, int64_t row) const;

private:
    Packing pack(const at::Tensor& rows, bool with_eos) const;
    at::Tensor features(const at::Tensor& z, const Packing& packing) const;

    const Autoencoder& autoencoder_;
    const Classifier& classifier_;
    Sentences sentences_;
    at::Tensor values_;            // of words: M W' [V, C], or M [V, d] where the classifier is not additive
    GivenWords given_;             // of all sentences, each beginning with <go>
    at::Tensor targets_;           // [N], what comes after each: the words and <eos>
    std::vector<int64_t> begins_;  // where each sentence begins in both
};

}  // namespace whynot::text
