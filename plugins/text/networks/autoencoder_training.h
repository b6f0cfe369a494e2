#pragma once

#include <cstdint>

#include "text/networks/autoencoder.h"
#include "text/reading/ids.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

/// How the autoencoder is trained. A code that merely copies is easy to get and worth little: moving it would move words through
/// the embedding, whatever they say together. What makes nearby codes nearby *sentences* is denoising: from a code that was
/// written with many of its words hidden, and then disturbed, all words must come back, so the decoder has to know what
/// belongs into the gaps. (In short runs, hiding up to 60 % instead of 10 % of the words took the perplexity of edits from 119 to 74.)
struct AutoencoderTraining {
    int64_t epochs = 6;
    int64_t batch = 64;           ///< sentences of one length, so that nothing is padded
    int64_t negatives = 600;      ///< sampled words of the softmax, beside the batch's own
    double learning_rate = 2e-3;  ///< peak; 200 steps of warm-up, then a cosine
    double linear_rate = 0.2;     ///< the share of it that the code's two linear paths take
    double clip = 5.0;            ///< largest norm of the gradient
    double noise = 1.0;           ///< deviation of the disturbance of the code
    double code_weight = 0.3;     ///< weight of the mean square of the code: with `noise`, the scale of the latent space
    double hide_encoder = 0.6;    ///< of each sentence, a share of words drawn evenly from 0 to this is hidden from the encoder
    double hide_decoder = 0.15;   ///< share of words hidden from the decoder's inputs
    double joined = 0.1;          ///< pairs of sentences joined to one, as a share of the sentences: inputs longer than the corpus has
    int64_t longest = 30;         ///< words of a joined sentence at most
};

/// Trains from the weights that `autoencoder` has. After each epoch `observer.log` gets the loss, and how many of the
/// `development` sentences come back exactly from their codes. On cancellation the state is saved first.
void train_autoencoder(Autoencoder& autoencoder, const Sentences& sentences, const Sentences& development,
                       const AutoencoderTraining& options, uint64_t seed, const training::Checkpoint& checkpoint, const Observer& observer);

/// How well sentences come back from codes.
struct Reconstruction {
    double exact = 0;   ///< share of sentences that come back word for word
    double tokens = 0;  ///< share of words that come back at their position
};
Reconstruction reconstruction(const Autoencoder& autoencoder, const Sentences& sentences, const at::Tensor& codes);

}  // namespace whynot::text
