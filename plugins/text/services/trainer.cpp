#include "text/services/trainer.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "text/model/model.h"
#include "text/model/networks.h"
#include "text/networks/classifier_training.h"
#include "text/reading/corpus.h"
#include "text/services/evaluator.h"
#include "text/services/generator.h"
#include "text/services/recipe.h"
#include "training/checkpoint.h"
#include "training/pack_contents.h"
#include "training/random.h"
#include "training/run.h"

namespace whynot::text {

namespace {

using base::Json;

constexpr uint64_t classifier_stage = 1;  // the others are those of generator.cpp
constexpr const char* classifier_checkpoint = "classifier.checkpoint";

LabelledIds encode(const Tokenizer& tokenizer, const std::vector<LabelledSentence>& sentences) {
    LabelledIds encoded;
    for (const LabelledSentence& sentence : sentences) {
        encoded.sentences.push_back(tokenizer.encode(sentence.words).ids);
        encoded.labels.push_back(sentence.label);
    }
    return encoded;
}

Classifier trained_classifier(const ClassifierData& data, const Recipe& recipe, uint64_t seed, const training::Checkpoint& checkpoint,
                              const Observer& observer) {
    Classifier classifier = train_classifier(data, recipe.classifier, training::mix_seed(seed, classifier_stage), checkpoint, observer);
    training::round_to_half(classifier.embedding);
    if (classifier.own_network) {
        training::round_to_half(classifier.own_network->tensors());
    } else {
        training::round_to_half(classifier.weight);
        training::round_to_half(classifier.bias);
    }
    return classifier;
}

PackManifest manifest_of(const TrainRequest& request, const Corpus& corpus, const Recipe& recipe, const Json& quality) {
    PackManifest manifest = training::manifest_for(request.out, "text", corpus.classes(), request.seed);
    manifest.description = "Sentences: " + corpus.manifest.title;
    manifest.recipe = recipe.to_json();
    manifest.corpus = request.corpus;
    manifest.corpus_sha256 = corpus.sha256;
    manifest.licence = corpus.manifest.licence;
    manifest.quality = Json{{"figures", training::repeatable(quality["figures"])}}.dump();
    return manifest;
}

}  // namespace

std::string TextTrainer::default_recipe() const { return Recipe().to_json(); }

void TextTrainer::train(const TrainRequest& request, const Observer& observer) {
    const Recipe recipe = Recipe::from_json(request.recipe);
    training::check_folder(request.out);
    // Refuses a folder that is not ours to write before anything long begins.
    PackWriter writer(request.out, {classifier_checkpoint, autoencoder_checkpoint, masked_checkpoint});
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    const Json run{{"recipe", base::parse_own_json(recipe.to_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    const training::CheckpointFolder checkpoints(request.out, run.dump());

    const std::string tokenizer_model =
        train_tokenizer(recipe.tokenizer, corpus.train.size(), [&](size_t i) { return &corpus.train[i].words; });
    Tokenizer tokenizer(recipe.tokenizer.kind, tokenizer_model);
    const ClassifierData data{encode(tokenizer, corpus.train), encode(tokenizer, corpus.development), tokenizer.size(),
                              static_cast<int64_t>(corpus.classes().size())};
    training::say(observer, "corpus " + request.corpus + ": " + std::to_string(corpus.train.size()) + " training sentences, " +
                                std::to_string(corpus.development.size()) + " for development, " + std::to_string(corpus.held_out.size()) +
                                " held out; vocabulary " + std::to_string(data.vocabulary));
    Classifier classifier =
        trained_classifier(data, recipe, request.seed, checkpoints.at(classifier_checkpoint), training::part(observer, 0, 0.02));

    // What the search for an answer uses has read one half of the sentences only.
    GeneratorData sentences{data.train.sentences, data.development.sentences, {}};
    for (const auto& words : language_model_halves(corpus.train).search) sentences.search.push_back(tokenizer.encode(words).ids);
    TextModel model(corpus.classes(), train_generator({std::move(tokenizer), std::move(classifier), corpus.classes()}, sentences, recipe,
                                                      request.seed, checkpoints, training::part(observer, 0.02, 0.9)));

    // The weights have been rounded already: these are the figures of what is stored.
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    const Json quality = evaluate_model(model, &corpus, {}, evaluation, training::part(observer, 0.9, 1));
    PackManifest manifest = manifest_of(request, corpus, recipe, quality);
    model.networks().save(writer, manifest, tokenizer_model);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
