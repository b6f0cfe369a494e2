#include "text/services/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "text/measuring/evaluator.h"
#include "text/measuring/yardstick.h"
#include "text/model/model.h"
#include "text/networks/classifier_training.h"
#include "text/pack/networks.h"
#include "text/reading/contrasts.h"
#include "text/reading/corpus.h"
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

constexpr uint64_t classifier_stage = 1, contrasts_stage = 5, opinion_stage = 6;  // the others are those of generator.cpp
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

/// Sentences that the classifier learns from beside the corpus's.
std::vector<LabelledSentence> contrasts_for(const Corpus& corpus, const Recipe& recipe, uint64_t seed) {
    if (recipe.contrasts == 0) return {};
    if (corpus.classes() != std::vector<std::string>{"negative", "positive"})
        throw Error(ErrorCode::invalid_argument,
                    "the recipe has 'classifier.contrasts', which are made for the classes negative and positive only");
    return made_contrasts(corpus.train, recipe.contrasts, training::mix_seed(seed, contrasts_stage));
}

/// The pack whose generator is to explain; nothing where one is to be trained.
std::optional<Pack> generator_of(const TrainRequest& request) {
    if (request.generator.empty()) return std::nullopt;
    const Pack pack = find_pack(request.generator, default_pack_search());
    if (pack.manifest().modality != "text" || !Networks::has_generator(pack))
        throw Error(ErrorCode::invalid_argument,
                    "the pack '" + pack.manifest().id + "' has no generator of sentences; choose one that explains text, or a generator");
    return generator_pack(pack);
}

/// A classifier with a reading of its own: the words of its corpus.
Reader reader_of(Classifier classifier, const std::string& model) {
    Reader reader{std::move(classifier), {"words", {{"words.model", model}}, {}, {}, {}}, nullptr};
    reader.pieces = make_piece_reader(reader.source);
    return reader;
}

/// The second opinion of a pack: trained on one half of the sentences, that which the search for an answer has read.
NGramClassifier trained_opinion(const Corpus& corpus, const Tokenizer& tokenizer, uint64_t seed, const Observer& observer) {
    NGramClassifier opinion = opinion_of_half(corpus, tokenizer, true, training::mix_seed(seed, opinion_stage));
    int64_t right = 0;
    for (const LabelledSentence& sentence : corpus.development) {
        const std::vector<double> said = opinion.logits(tokenizer.encode(sentence.words).ids);
        right += std::max_element(said.begin(), said.end()) - said.begin() == sentence.label;
    }
    training::say(observer, "second opinion: right for " + std::to_string(right) + " of " + std::to_string(corpus.development.size()) +
                                " sentences of the development half");
    return opinion;
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

/// A pack as it is, with a second opinion.
void add_opinion(const TrainRequest& request, PackWriter& writer, const Observer& observer) {
    const Pack pack = find_pack(request.opinion_for, default_pack_search());
    if (pack.manifest().modality != "text" || !Networks::has_generator(pack))
        throw Error(ErrorCode::invalid_argument,
                    "a second opinion has a say in answers: expected a pack of text that has a generator, and '" + pack.manifest().id +
                        "' is none");
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    if (corpus.classes() != pack.manifest().classes)
        throw Error(ErrorCode::invalid_argument, "expected a corpus with the classes of the pack '" + pack.manifest().id + "', " +
                                                     base::some_of(pack.manifest().classes) + "; '" + request.corpus + "' has " +
                                                     base::some_of(corpus.classes()));
    Networks networks = Networks::load(pack);
    const Tokenizer& tokenizer = networks.generator->tokenizer;
    if (tokenizer.kind() != TokenizerKind::word)
        throw Error(ErrorCode::invalid_argument,
                    "a second opinion reads whole words; the generator of '" + pack.manifest().id + "' has pieces of words");
    networks.opinion = trained_opinion(corpus, tokenizer, request.seed, observer);
    const std::string words = networks.named ? "" : base::read_file(pack.file("tokenizer.model"), uint64_t{1} << 30, ErrorCode::bad_pack);
    PackManifest manifest = pack.manifest();
    manifest.id = training::manifest_for(request.out, "text", manifest.classes, request.seed).id;
    networks.save(writer, manifest, words);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace

std::string TextTrainer::default_recipe() const { return Recipe().to_json(); }

void TextTrainer::train(const TrainRequest& request, const Observer& observer) {
    const Recipe recipe = Recipe::from_json(request.recipe);
    training::check_folder(request.out);
    // Refuses a folder that is not ours to write before anything long begins.
    PackWriter writer(request.out, {classifier_checkpoint, autoencoder_checkpoint, masked_checkpoint});
    if (!request.opinion_for.empty()) return add_opinion(request, writer, observer);
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    const std::string words = train_tokenizer(recipe.tokenizer, corpus.train.size(), [&](size_t i) { return &corpus.train[i].words; });
    const std::optional<Pack> generator = generator_of(request);
    // A generator of the same words shares its vocabulary with the classifier.
    const bool shared = !generator || base::read_file(generator->file("tokenizer.model"), uint64_t{1} << 30, ErrorCode::bad_pack) == words;
    if (!shared && recipe.tokenizer.kind != TokenizerKind::word)
        throw Error(ErrorCode::invalid_argument,
                    "a classifier that a generator of another vocabulary explains reads whole words; expected the recipe's tokenizer.kind "
                    "to be 'word'");
    Json run{{"recipe", base::parse_own_json(recipe.to_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    if (generator) run["generator"] = generator->sha256();
    const training::CheckpointFolder checkpoints(request.out, run.dump());
    Tokenizer tokenizer(recipe.tokenizer.kind, words);
    std::vector<LabelledSentence> labelled = corpus.train;
    for (LabelledSentence& made : contrasts_for(corpus, recipe, request.seed)) labelled.push_back(std::move(made));
    const ClassifierData data{encode(tokenizer, labelled), encode(tokenizer, corpus.development), tokenizer.size(),
                              static_cast<int64_t>(corpus.classes().size())};
    training::say(observer, "corpus " + request.corpus + ": " + std::to_string(corpus.train.size()) + " training sentences, " +
                                std::to_string(corpus.development.size()) + " for development, " + std::to_string(corpus.held_out.size()) +
                                " held out; vocabulary " + std::to_string(data.vocabulary));
    const double learned = generator ? 0.9 : 0.02;
    Classifier classifier =
        trained_classifier(data, recipe, request.seed, checkpoints.at(classifier_checkpoint), training::part(observer, 0, learned));

    Networks networks;
    if (generator) {
        networks.generator = load_generator(*generator);
        networks.named = Networks::Named{generator->manifest().id, generator->sha256()};
    } else {
        // What the search for an answer uses has read one half of the sentences only.
        GeneratorData sentences{encode(tokenizer, corpus.train).sentences, data.development.sentences, {}};
        for (const auto& half : language_model_halves(corpus.train).search) sentences.search.push_back(tokenizer.encode(half).ids);
        networks.generator = train_generator(std::move(tokenizer), classifier.embedding, sentences, recipe, request.seed, checkpoints,
                                             training::part(observer, learned, 0.9));
    }
    if (shared)
        networks.reader.classifier = std::move(classifier);
    else
        networks.reader = reader_of(std::move(classifier), words);
    networks.typical_distance = 3;
    if (networks.generator->tokenizer.kind() == TokenizerKind::word)
        networks.opinion = trained_opinion(corpus, networks.generator->tokenizer, request.seed, observer);
    TextModel model(corpus.classes(), std::move(networks));
    Sentences development;
    for (const LabelledSentence& sentence : corpus.development)
        development.push_back(model.networks().generator->tokenizer.encode(sentence.words).ids);
    model.networks().typical_distance = typical_distance(model, development);

    // The weights have been rounded already: these are the figures of what is stored.
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    const Json quality = evaluate_model(model, &corpus, {}, evaluation, training::part(observer, 0.9, 1));
    PackManifest manifest = manifest_of(request, corpus, recipe, quality);
    model.networks().save(writer, manifest, words);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
