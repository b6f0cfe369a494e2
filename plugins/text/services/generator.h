#pragma once

#include <string>
#include <vector>

#include "text/model/model.h"
#include "text/model/networks.h"
#include "text/networks/classifier.h"
#include "text/reading/tokenizer.h"
#include "text/services/recipe.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::text {

/// A classifier that a generator is trained for, and the words that it reads.
struct Reader {
    Tokenizer tokenizer;
    Classifier classifier;
    std::vector<std::string> classes;
};

/// What the networks beside a classifier learn from, all of it pieces of its tokenizer.
struct GeneratorData {
    Sentences train, development;
    Sentences search;  ///< for what searches an answer: half of the sentences, so that the other half can measure it
};

/// The checkpoints that `train_generator` keeps.
constexpr const char* autoencoder_checkpoint = "autoencoder.checkpoint";
constexpr const char* masked_checkpoint = "masked_model.checkpoint";

/// What is measured of networks that are complete: the typical distance of explanations, and what is usual of sentences.
/// @param development sentences that the n-grams have not counted
void measure_scales(TextModel& model, const Sentences& development);

/// Trains autoencoder, masked word model, n-grams and associations around a classifier, and measures the typical distance.
/// @param observer of all of it
Networks train_generator(Reader reader, const GeneratorData& data, const Recipe& recipe, uint64_t seed,
                         const training::CheckpointFolder& checkpoints, const Observer& observer);

}  // namespace whynot::text
