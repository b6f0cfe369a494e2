#pragma once

#include <string>
#include <vector>

#include "text/model/model.h"
#include "text/networks/classifier.h"
#include "text/pack/networks.h"
#include "text/reading/tokenizer.h"
#include "text/services/recipe.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

/// What a generator learns from, all of it pieces of its tokenizer.
struct GeneratorData {
    Sentences train, development;
    Sentences search;  ///< for what searches an answer: half of the sentences, so that the other half can measure it
};

/// The checkpoints that `train_generator` keeps.
constexpr const char* autoencoder_checkpoint = "autoencoder.checkpoint";
constexpr const char* masked_checkpoint = "masked_model.checkpoint";

/// The median distance of explanations of some sentences, which the solver scales its steps with. @param sentences of the generator's pieces
double typical_distance(TextModel& model, const Sentences& sentences);

/// Trains autoencoder, masked word model, n-grams and associations, and measures what is usual of sentences.
/// @param embedding of the classifier that it shares its vocabulary with, [V, d]; undefined: it gets one of its own, the masked model's
/// @param observer of all of it
Generator train_generator(Tokenizer tokenizer, const at::Tensor& embedding, const GeneratorData& data, const Recipe& recipe, uint64_t seed,
                          const training::CheckpointFolder& checkpoints, const Observer& observer);

}  // namespace whynot::text
