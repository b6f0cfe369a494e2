#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "text/reading/ids.h"
#include "whynot/progress.h"

namespace whynot::text {

/// The sizes of an autoencoder, as the pack's manifest has them.
struct AutoencoderSizes {
    int64_t latent = 128;       ///< k; even
    int64_t encoder = 160;      ///< hidden size of each direction of the encoder
    int64_t decoder = 256;      ///< hidden size of the decoder
    int64_t output_extra = 64;  ///< columns of the output matrix beyond those tied to the embedding
};

/// Words that the decoder is given (teacher forcing), position after position: <go> and the words of a sentence, then the next sentence's.
/// Whatever the code is, they say the same; so this is computed once for all codes.
struct GivenWords {
    at::Tensor gates;  ///< [N, 4 h], what each adds to the gates of the decoder's LSTM, biases included
    at::Tensor said;   ///< [N, k], what the words up to this position have written into the code
    at::Tensor times;  ///< [N], the position within the sentence
};

/// P positions of sentences in the order in which packed_lstm goes through them. Each row has one at least.
struct Packing {
    std::vector<int64_t> counts;  ///< sentences that have position t
    at::Tensor positions;         ///< [P], places in GivenWords
    at::Tensor rows;              ///< [P], rows of z that they belong to; the first counts[0] are all rows, longest sentence first
};

/// The generator of the text modality: a recurrent denoising autoencoder after Shen et al. 2019 ("Educating text
/// autoencoders"), on the classifier's frozen embedding M divided by its deviation (e below).
///
/// With recurrent states alone, the code of an unseen sentence of nine words hardly gives it back. So the code is the sum of
/// two: what a bidirectional LSTM reads, and the words themselves, each turned by its position,
///
///     z = L [h_forward; h_backward] + sum_t Q^t R e(x_t)                       (x_m = <eos>)
///
/// where Q rotates each pair of coordinates by an angle of its own (as in Plate's holographic representations, 1995, and in
/// rotary embeddings, Su et al. 2021), so that positions need no parameters and any length can be written. The decoder
/// takes away the words it has already said and turns back what is left:
///
///     u_t = A Q^-t (z - sum_{s<t} Q^s R e(x_s))
///     o_t = LSTM([e(x_{t-1}) + B z ; u_t]),    d_t = softmax([W o_t + [u_t; 0]] . [e | E']' + b)
///
/// The output matrix is tied to the embedding; `output_extra` more columns E' and a bias are its own.
///
/// Teacher forcing: given the words as inputs, all positions come from one LSTM call and one matrix product; that is how
/// it is trained, how z0 is refined, and how the relaxed sentence moves during a solve (design: temperature 1).
class Autoencoder {
public:
    /// @param embedding the classifier's, [V, d]; kept by reference, frozen
    Autoencoder(const at::Tensor& embedding, const AutoencoderSizes& sizes);

    /// Gives the weights their shapes and no memory (training/pack_contents.h): they are yet to be taken from a pack.
    void declare();
    /// Makes room and draws initial weights.
    void initialise(at::Generator generator);

    const AutoencoderSizes& sizes() const { return sizes_; }
    int64_t vocabulary() const { return input_.size(0); }

    /// Weights shared by every word, and tables with one row a word. What is saved, and what is trained.
    std::vector<std::pair<std::string, at::Tensor*>> dense();
    std::vector<std::pair<std::string, at::Tensor*>> tables();

    /// Codes of sentences of one length, [B, k]. `words` is [B, m]; `keep` ([B, m, 1], or undefined) hides words.
    at::Tensor encode(const at::Tensor& words, const at::Tensor& keep = {}) const;

    /// Codes of any sentences, [B, k], without gradients.
    at::Tensor encode(const Sentences& sentences) const;

    /// Output features for teacher-forced words, [B, T, d + extra]: position t has seen inputs[:, 0..t] (inputs[:, 0] = <go>).
    at::Tensor features(const at::Tensor& z, const at::Tensor& inputs, const at::Tensor& keep = {}) const;

    /// The same for sentences of several lengths, without padding and with frozen weights, [P, d + extra].
    at::Tensor features(const at::Tensor& z, const GivenWords& given, const Packing& packing) const;
    /// What it needs of the sentences, with the weights as they are now. Without gradients.
    GivenWords given_words(const Sentences& sentences) const;

    /// Rows of the output matrix [r, d + extra] and of the bias [r] for the words `rows`; all of them when undefined.
    /// With training the extra columns and the bias come from outside, so that gradients reach their rows only.
    at::Tensor output_matrix() const;
    const at::Tensor& output_bias() const { return bias_; }
    const at::Tensor& embedded() const { return input_; }  ///< e for every word, [V, d]

    /// The most likely sentence at each code, word by word on its own output, up to `longest` words.
    Sentences greedy(const at::Tensor& z, int64_t longest) const;

    /// Frees what is only needed to train and keeps the output matrix at hand.
    void freeze();

    /// A copy whose `features`, `given_words` and `output_matrix` compute there; frozen. On the same device it shares the weights.
    Autoencoder on(at::Device device) const;

private:
    void shape_weights(const std::function<at::Tensor(at::IntArrayRef)>& make);
    at::Tensor rotate(const at::Tensor& v, int64_t first, int64_t step) const;
    std::vector<at::Tensor> first_state(const at::Tensor& z) const;
    at::Tensor output_features(const at::Tensor& states, const at::Tensor& u) const;

    AutoencoderSizes sizes_;
    at::Tensor input_;                 // e, [V, d]
    at::Tensor angles_;                // of Q, [k / 2]
    at::Tensor output_;                // [V, d + extra] once frozen
    at::Tensor write_;                 // R', [d, k]
    at::Tensor read_;                  // A', [k, d]
    std::vector<at::Tensor> encoder_;  // weights of the two directions, in LibTorch's order
    std::vector<at::Tensor> decoder_;
    at::Tensor code_, code_bias_;        // L, [k, 2 he]
    at::Tensor every_, every_bias_;      // B, [d, k]
    at::Tensor state_, state_bias_;      // first h and c, [2 hd, k]
    at::Tensor feature_, feature_bias_;  // W, [d + extra, hd]
    at::Tensor extra_;                   // E', [V, extra]
    at::Tensor bias_;                    // b, [V]
};

}  // namespace whynot::text
