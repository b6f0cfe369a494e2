#pragma once

#include <string>

#include "whynot/train.h"

namespace whynot::text {

/// The service `whynot.train/1` for text: tokenizer, classifier, autoencoder on the classifier's frozen embedding, masked word
/// model and n-grams on the search half of the corpus; then measures what it made and writes the pack.
class TextTrainer : public Trainer {
public:
    std::string default_recipe() const override;
    void train(const TrainRequest& request, const Observer& observer) override;
};

}  // namespace whynot::text
