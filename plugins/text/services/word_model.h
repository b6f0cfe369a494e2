#pragma once

#include "whynot/import.h"
#include "whynot/progress.h"

namespace whynot::text {

/// A pack as it is, with a word model of its own for answers in place of the one that came with its generator: trained over the same words on all
/// the sentences of `request.corpora`, but on half of those of the pack's own corpus, for the other half measures the answers.
void train_word_model(const GeneratorRequest& request, const Observer& observer);

constexpr const char* words_checkpoint = "word_model.checkpoint";

}  // namespace whynot::text
