#include "text/services/generator.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/format.h"
#include "text/language/masked_model_training.h"
#include "text/model/model.h"
#include "text/networks/autoencoder_training.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/asking.h"
#include "whynot/solver.h"

namespace whynot::text {

namespace {

enum Stage : uint64_t { autoencoder_stage = 2, weights_stage = 3, masked_stage = 4 };  // 1 is the classifier's, in trainer.cpp

// The median distance of explanations, which the solver scales its steps with.
double typical_distance(TextModel& model, const Sentences& sentences) {
    std::vector<ReadNotes> notes;
    std::vector<Input> inputs;
    for (size_t i = 0; i < std::min<size_t>(64, sentences.size()); ++i) {
        inputs.push_back({base::joined(model.networks().tokenizer.decode(sentences[i]), " "), ""});
    }
    const auto batch = model.read(inputs, notes);
    if (batch->size() == 0) return 1;
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    const double median = solve(ask(*batch, model.info()), options).median_distance;
    return median > 0 ? median : 1;
}

Sentences distinct(Sentences sentences) {
    std::sort(sentences.begin(), sentences.end());
    sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
    return sentences;
}

Autoencoder trained_autoencoder(const Reader& reader, const GeneratorData& data, const Sentences& few, const Recipe& recipe, uint64_t seed,
                                const training::Checkpoint& checkpoint, const Observer& observer) {
    Autoencoder autoencoder(reader.classifier.embedding, recipe.sizes);
    autoencoder.initialise(training::make_generator(training::mix_seed(seed, weights_stage)));
    train_autoencoder(autoencoder, distinct(data.train), few, recipe.autoencoder, training::mix_seed(seed, autoencoder_stage), checkpoint,
                      observer);
    for (auto& [name, tensor] : autoencoder.dense()) training::round_to_half(*tensor);
    for (auto& [name, tensor] : autoencoder.tables()) training::round_to_half(*tensor);
    autoencoder.freeze();
    return autoencoder;
}

MaskedModel trained_masked_model(int64_t vocabulary, const GeneratorData& data, const Sentences& few, const Recipe& recipe, uint64_t seed,
                                 const training::Checkpoint& checkpoint, const Observer& observer) {
    MaskedModelSizes sizes = recipe.masked_sizes;
    sizes.vocabulary = vocabulary;
    MaskedModel masked(sizes, training::mix_seed(seed, masked_stage));
    train_masked_model(masked, data.search, recipe.masked, training::mix_seed(seed, masked_stage, 1), observer, few, checkpoint);
    for (auto& item : masked->named_parameters()) training::round_to_half(item.value());
    return masked;
}

/// The first of them, where a few will do.
Sentences few_of(const Sentences& development) {
    return {development.begin(), development.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(500, development.size()))};
}

}  // namespace

void measure_scales(TextModel& model, const Sentences& development) {
    model.networks().typical_distance = typical_distance(model, few_of(development));
    measure_usual(model.networks(), development);
}

Networks train_generator(Reader reader, const GeneratorData& data, const Recipe& recipe, uint64_t seed,
                         const training::CheckpointFolder& checkpoints, const Observer& observer) {
    const int64_t vocabulary = reader.tokenizer.size();
    const Sentences few = few_of(data.development);
    Autoencoder autoencoder =
        trained_autoencoder(reader, data, few, recipe, seed, checkpoints.at(autoencoder_checkpoint), training::part(observer, 0, 0.77));
    const MaskedModel masked =
        trained_masked_model(vocabulary, data, few, recipe, seed, checkpoints.at(masked_checkpoint), training::part(observer, 0.77, 1));
    FluencyModel fluency(masked, NGram(data.search, vocabulary, recipe.ngram_order));
    TextModel model(reader.classes,
                    Networks{std::move(reader.tokenizer), std::move(reader.classifier), std::move(autoencoder), std::move(fluency),
                             WordAssociations(data.search, vocabulary), recipe.autoencoder.longest, 3.0});
    measure_scales(model, data.development);
    return std::move(model.networks());
}

}  // namespace whynot::text
