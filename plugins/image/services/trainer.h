#pragma once

#include "whynot/train.h"

namespace whynot::image {

/// The service `whynot.train/1` for images: classifier, generator, codes of examples; then measures what it made and writes the pack.
/// One in fifty training images is kept from both networks for what has to be measured before the pack is finished.
class ImageTrainer : public Trainer {
public:
    std::string default_recipe() const override;
    void train(const TrainRequest& request, const Observer& observer) override;
};

}  // namespace whynot::image
