#pragma once

#include "whynot/import.h"

namespace whynot::image {

/// The service `whynot.import/1` for images: classifiers in TorchScript, with a generator in TorchScript or one of ours trained for them.
class ImageImporter : public Importer {
public:
    std::string import_model(const ImportRequest& request, const Observer& observer) override;
    void train_generator(const GeneratorRequest& request, const Observer& observer) override;
};

}  // namespace whynot::image
