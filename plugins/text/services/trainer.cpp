#include "text/services/trainer.h"

#include <ATen/ATen.h>

#include <optional>

#include "base/file.h"
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
#include "whynot/error.h"

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

/// The pieces that everything reads, and the pack whose generator reads them already.
struct Vocabulary {
    TokenizerKind kind;
    std::string model;  ///< SentencePiece's
    std::optional<Pack> pack;
};

Vocabulary trained_vocabulary(const Recipe& recipe, const Corpus& corpus) {
    return {recipe.tokenizer.kind, train_tokenizer(recipe.tokenizer, corpus.train.size(), [&](size_t i) { return &corpus.train[i].words; }),
            std::nullopt};
}

Vocabulary vocabulary_of(const std::string& generator) {
    Pack pack = find_pack(generator, default_pack_search());
    if (pack.manifest().modality != "text" || !Networks::has_generator(pack))
        throw Error(ErrorCode::invalid_argument,
                    "the pack '" + pack.manifest().id + "' has no generator of sentences to take over; choose one that explains text");
    const TokenizerKind kind = Networks::load_tokenizer(pack).kind();
    std::string model = base::read_file(pack.file("tokenizer.model"), uint64_t{1} << 30, ErrorCode::bad_pack);
    return {kind, std::move(model), std::move(pack)};
}

/// The generator of a pack beside another classifier of the same pieces.
Networks taken_over(const Pack& pack, Classifier classifier) {
    Networks networks = Networks::load(pack);
    if (!networks.generator_embedding.defined()) networks.generator_embedding = networks.classifier.embedding;
    networks.classifier = std::move(classifier);
    return networks;
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
    const Vocabulary vocabulary = request.generator.empty() ? trained_vocabulary(recipe, corpus) : vocabulary_of(request.generator);
    Json run{{"recipe", base::parse_own_json(recipe.to_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    if (vocabulary.pack) run["generator"] = vocabulary.pack->sha256();
    const training::CheckpointFolder checkpoints(request.out, run.dump());
    Tokenizer tokenizer(vocabulary.kind, vocabulary.model);
    const ClassifierData data{encode(tokenizer, corpus.train), encode(tokenizer, corpus.development), tokenizer.size(),
                              static_cast<int64_t>(corpus.classes().size())};
    training::say(observer, "corpus " + request.corpus + ": " + std::to_string(corpus.train.size()) + " training sentences, " +
                                std::to_string(corpus.development.size()) + " for development, " + std::to_string(corpus.held_out.size()) +
                                " held out; vocabulary " + std::to_string(data.vocabulary));
    const double learned = request.generator.empty() ? 0.02 : 0.9;
    Classifier classifier =
        trained_classifier(data, recipe, request.seed, checkpoints.at(classifier_checkpoint), training::part(observer, 0, learned));

    // What the search for an answer uses has read one half of the sentences only.
    GeneratorData sentences{data.train.sentences, data.development.sentences, {}};
    for (const auto& words : language_model_halves(corpus.train).search) sentences.search.push_back(tokenizer.encode(words).ids);
    TextModel model(corpus.classes(), vocabulary.pack
                                          ? taken_over(*vocabulary.pack, std::move(classifier))
                                          : train_generator({std::move(tokenizer), std::move(classifier), corpus.classes()}, sentences,
                                                            recipe, request.seed, checkpoints, training::part(observer, learned, 0.9)));
    if (vocabulary.pack) measure_scales(model, sentences.development);

    // The weights have been rounded already: these are the figures of what is stored.
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    const Json quality = evaluate_model(model, &corpus, {}, evaluation, training::part(observer, 0.9, 1));
    PackManifest manifest = manifest_of(request, corpus, recipe, quality);
    model.networks().save(writer, manifest, vocabulary.model);
    if (vocabulary.pack) manifest.network = training::with_generator_from(manifest.network, *vocabulary.pack);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
