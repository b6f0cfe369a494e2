#pragma once

#include "whynot/import.h"

namespace whynot::text {

/// The service `whynot.import/1` for text: classifiers in TorchScript that take embedded words.
///
/// Their vocabulary becomes one of ours: the words of it that a text can be split into (words.h), with <pad>, <go> and <eos> of rows of zeros
/// and their own unknown word. The embedding's rows follow the words.
class TextImporter : public Importer {
public:
    std::string import_model(const ImportRequest& request, const Observer& observer) override;
    void train_generator(const GeneratorRequest& request, const Observer& observer) override;
};

}  // namespace whynot::text
