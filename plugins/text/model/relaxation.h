#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "text/model/entrance.h"
#include "text/networks/autoencoder.h"
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
/// meets the embedding's dimension. Any other classifier is given the expected embeddings d_t M, sentences of one length at a time; one that has a
/// reading of its own, as entrance.h says, with what stands before and behind the words.
///
/// Of a long text the generator says some sentences, each by a code of its own; the rest is what it is. Rows are texts; `rows` [b] are indices into
/// them, z is [b, n k], n codes a row where some text has as many sentences: those of another row that it does not have change nothing. Weights are
/// frozen; only z receives gradients. It computes where the networks are; what goes in and comes out is on the processor.
class Relaxation {
public:
    /// Keeps references to both. Throws Error `invalid_argument` for a sentence without words.
    /// @param sentences what the generator says of each text, several sentences one after another
    /// @param read how the classifier reads each text; not needed where both share a vocabulary and all of a text is said
    /// @param lengths of each text's sentences; empty: each is one
    Relaxation(const Autoencoder& autoencoder, const Entrance& entrance, Sentences sentences, std::vector<PieceSentence> read = {},
               std::vector<std::vector<size_t>> lengths = {});

    const Sentences& sentences() const { return sentences_; }
    /// n, the codes of a row.
    int64_t codes() const { return codes_; }
    /// What the encoder makes of texts like these rows, word for word, [b, n k].
    at::Tensor encode(const Sentences& sentences, const std::vector<int64_t>& rows) const;
    /// What the generator says at codes [b, n k] of these rows, word by word, with up to `more` words more in each sentence.
    Sentences greedy(const at::Tensor& z, const std::vector<int64_t>& rows, int64_t more) const;
    /// How the classifier reads a sentence.
    const PieceSentence& read(int64_t row) const { return read_[static_cast<size_t>(row)]; }

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
    /// Positions of some rows in the order in which the decoder goes through them, and of each its row and its place there.
    struct Packed {
        Packing packing;  ///< its rows are codes, i n + j for the j-th of row i
        Ids rows, places;
    };
    Packed pack(const at::Tensor& rows, bool with_eos) const;
    at::Tensor features(const at::Tensor& z, const Packing& packing) const;
    at::Tensor logits_of_words(const at::Tensor& soft, const Packing& packing, int64_t rows) const;
    at::Tensor logits_of_pieces(const at::Tensor& soft, const Packed& packed, const at::Tensor& rows) const;
    at::Tensor index(const Ids& ids) const;

    const Autoencoder& autoencoder_;
    const Entrance& entrance_;
    Sentences sentences_;
    std::vector<PieceSentence> read_;
    std::vector<std::vector<size_t>> lengths_;
    int64_t codes_ = 1;
    bool plain_ = true;                         // one vocabulary, one sentence a row, nothing around it
    at::Tensor values_;                         // Entrance::words
    GivenWords given_;                          // of all sentences, each beginning with <go>
    at::Tensor targets_;                        // [N], what comes after each: the words and <eos>
    std::vector<std::vector<int64_t>> begins_;  // where each sentence of each row begins in both
};

}  // namespace whynot::text
