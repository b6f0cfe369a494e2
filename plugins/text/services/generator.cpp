#include "text/services/generator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "text/language/masked_model_training.h"
#include "text/model/model.h"
#include "text/networks/autoencoder_training.h"
#include "text/pack/likeness.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/asking.h"
#include "whynot/solver.h"

namespace whynot::text {

namespace {

enum Stage : uint64_t { autoencoder_stage = 2, weights_stage = 3, masked_stage = 4 };  // 1 is the classifier's, in trainer.cpp

Sentences distinct(Sentences sentences) {
    std::sort(sentences.begin(), sentences.end());
    sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
    return sentences;
}

Autoencoder trained_autoencoder(const at::Tensor& embedding, const GeneratorData& data, const Sentences& few, const Recipe& recipe,
                                uint64_t seed, const training::Checkpoint& checkpoint, const Observer& observer) {
    Autoencoder autoencoder(embedding, recipe.sizes);
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
Sentences few_of(const Sentences& sentences, size_t count) {
    return {sentences.begin(), sentences.begin() + static_cast<std::ptrdiff_t>(std::min(count, sentences.size()))};
}

}  // namespace

double typical_distance(TextModel& model, const Sentences& sentences) {
    std::vector<ReadNotes> notes;
    std::vector<Input> inputs;
    for (const Ids& sentence : few_of(sentences, 64))
        inputs.push_back({base::joined(model.networks().generator->tokenizer.decode(sentence), " "), ""});
    const auto batch = model.read(inputs, notes);
    if (batch->size() == 0) return 1;
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    const double median = solve(ask(*batch, model.info()), options).median_distance;
    return median > 0 ? median : 1;
}

Generator train_generator(Tokenizer tokenizer, const at::Tensor& embedding, const GeneratorData& data, const Recipe& recipe, uint64_t seed,
                          const training::CheckpointFolder& checkpoints, const Observer& observer) {
    const int64_t vocabulary = tokenizer.size();
    const Sentences few = few_of(data.development, 500);
    const bool own = !embedding.defined();
    const double first = own ? 0.23 : 0.77;  // of two steps: an embedding of its own has to be there before the autoencoder is
    std::optional<MaskedModel> masked;
    const auto train_masked = [&](const Observer& part) {
        masked = trained_masked_model(vocabulary, data, few, recipe, seed, checkpoints.at(masked_checkpoint), part);
    };
    if (own) train_masked(training::part(observer, 0, first));
    const at::Tensor words = own ? (*masked)->weights().embedding.detach() : embedding;
    Autoencoder autoencoder = trained_autoencoder(words, data, few, recipe, seed, checkpoints.at(autoencoder_checkpoint),
                                                  training::part(observer, own ? first : 0, own ? 1 : first));
    if (!own) train_masked(training::part(observer, first, 1));
    Generator generator{std::move(tokenizer), std::move(autoencoder),
                        FluencyModel(*masked, NGram(data.search, vocabulary, recipe.ngram_order)),
                        WordAssociations(data.search, vocabulary), recipe.autoencoder.longest};
    if (own) generator.embedding = words;
    measure_usual(generator, data.development);
    return generator;
}

}  // namespace whynot::text
