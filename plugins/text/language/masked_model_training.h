#pragma once

#include <cstdint>

#include "text/language/masked_model.h"
#include "text/reading/ids.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

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

}  // namespace whynot::text
