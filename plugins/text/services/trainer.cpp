#include "text/services/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/json.h"
#include "text/model/model.h"
#include "text/model/networks.h"
#include "text/reading/corpus.h"
#include "text/services/evaluator.h"
#include "training/checkpoint.h"
#include "training/random.h"
#include "training/recipe.h"
#include "training/run.h"
#include "whynot/error.h"
#include "whynot/solver.h"
#include "whynot/version.h"

namespace whynot::text {

namespace {

using base::Json;

enum Stage : uint64_t { classifier_stage = 1, autoencoder_stage = 2, weights_stage = 3, masked_stage = 4 };

constexpr const char* classifier_checkpoint = "classifier.checkpoint";

struct Encoded {
    Sentences sentences;
    std::vector<int64_t> labels;
};

Encoded encode(const Tokenizer& tokenizer, const std::vector<LabelledSentence>& sentences) {
    Encoded encoded;
    for (const LabelledSentence& sentence : sentences) {
        encoded.sentences.push_back(tokenizer.encode(sentence.words).ids);
        encoded.labels.push_back(sentence.label);
    }
    return encoded;
}

// The median distance of explanations, which the solver scales its steps with.
double typical_distance(TextModel& model, const Sentences& sentences) {
    std::vector<ReadNotes> notes;
    std::vector<Input> inputs;
    for (size_t i = 0; i < std::min<size_t>(64, sentences.size()); ++i) {
        std::string text;
        for (const std::string& word : model.networks().tokenizer.decode(sentences[i])) text += word + " ";
        inputs.push_back({text, ""});
    }
    const auto batch = model.read(inputs, notes);
    if (batch->size() == 0) return 1;
    const at::Tensor order = batch->classify().argsort(1, true);
    Problem problem;
    problem.fact = order.select(1, 0).contiguous();
    problem.foil = order.select(1, 1).contiguous();
    problem.start = batch->start(problem.fact, 1);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    const double median = solve(problem, options).median_distance;
    return median > 0 ? median : 1;
}

Sentences distinct(Sentences sentences) {
    std::sort(sentences.begin(), sentences.end());
    sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
    return sentences;
}

}  // namespace

std::string Recipe::to_json() const {
    Json json;
    json["tokenizer"] = {{"kind", to_string(tokenizer.kind)}, {"min_count", tokenizer.min_count}, {"vocabulary", tokenizer.vocabulary}};
    json["classifier"] = {{"dimension", classifier.dimension},
                          {"epochs", classifier.epochs},
                          {"batch", classifier.batch},
                          {"learning_rate", classifier.learning_rate},
                          {"deviation", classifier.deviation}};
    json["autoencoder"] = {{"latent", sizes.latent},
                           {"encoder", sizes.encoder},
                           {"decoder", sizes.decoder},
                           {"output_extra", sizes.output_extra},
                           {"epochs", autoencoder.epochs},
                           {"batch", autoencoder.batch},
                           {"negatives", autoencoder.negatives},
                           {"learning_rate", autoencoder.learning_rate},
                           {"linear_rate", autoencoder.linear_rate},
                           {"clip", autoencoder.clip},
                           {"noise", autoencoder.noise},
                           {"code_weight", autoencoder.code_weight},
                           {"hide_encoder", autoencoder.hide_encoder},
                           {"hide_decoder", autoencoder.hide_decoder},
                           {"joined", autoencoder.joined},
                           {"longest", autoencoder.longest}};
    json["masked_model"] = {{"embedding", masked_sizes.embedding},
                            {"hidden", masked_sizes.hidden},
                            {"head", masked_sizes.head},
                            {"epochs", masked.epochs},
                            {"batch", masked.batch},
                            {"negatives", masked.negatives},
                            {"learning_rate", masked.learning_rate},
                            {"dropout", masked.dropout},
                            {"clip", masked.clip}};
    json["ngram"] = {{"order", ngram_order}};
    return json.dump();
}

Recipe Recipe::from_json(const std::string& text) {
    Recipe recipe;
    Json json = Json::parse(training::merge_recipe(recipe.to_json(), text));
    const auto take = [&](const char* group, const char* key, auto& to) { json[group][key].get_to(to); };
    recipe.tokenizer.kind = tokenizer_kind(json["tokenizer"]["kind"].get<std::string>());
    take("tokenizer", "min_count", recipe.tokenizer.min_count);
    take("tokenizer", "vocabulary", recipe.tokenizer.vocabulary);
    take("classifier", "dimension", recipe.classifier.dimension);
    take("classifier", "epochs", recipe.classifier.epochs);
    take("classifier", "batch", recipe.classifier.batch);
    take("classifier", "learning_rate", recipe.classifier.learning_rate);
    take("classifier", "deviation", recipe.classifier.deviation);
    take("autoencoder", "latent", recipe.sizes.latent);
    take("autoencoder", "encoder", recipe.sizes.encoder);
    take("autoencoder", "decoder", recipe.sizes.decoder);
    take("autoencoder", "output_extra", recipe.sizes.output_extra);
    take("autoencoder", "epochs", recipe.autoencoder.epochs);
    take("autoencoder", "batch", recipe.autoencoder.batch);
    take("autoencoder", "negatives", recipe.autoencoder.negatives);
    take("autoencoder", "learning_rate", recipe.autoencoder.learning_rate);
    take("autoencoder", "linear_rate", recipe.autoencoder.linear_rate);
    take("autoencoder", "clip", recipe.autoencoder.clip);
    take("autoencoder", "noise", recipe.autoencoder.noise);
    take("autoencoder", "code_weight", recipe.autoencoder.code_weight);
    take("autoencoder", "hide_encoder", recipe.autoencoder.hide_encoder);
    take("autoencoder", "hide_decoder", recipe.autoencoder.hide_decoder);
    take("autoencoder", "joined", recipe.autoencoder.joined);
    take("autoencoder", "longest", recipe.autoencoder.longest);
    take("masked_model", "embedding", recipe.masked_sizes.embedding);
    take("masked_model", "hidden", recipe.masked_sizes.hidden);
    take("masked_model", "head", recipe.masked_sizes.head);
    take("masked_model", "epochs", recipe.masked.epochs);
    take("masked_model", "batch", recipe.masked.batch);
    take("masked_model", "negatives", recipe.masked.negatives);
    take("masked_model", "learning_rate", recipe.masked.learning_rate);
    take("masked_model", "dropout", recipe.masked.dropout);
    take("masked_model", "clip", recipe.masked.clip);
    take("ngram", "order", recipe.ngram_order);

    const auto require = [](bool right, const char* what) {
        if (!right) throw Error(ErrorCode::invalid_argument, std::string("recipe: ") + what);
    };
    const AutoencoderSizes& sizes = recipe.sizes;
    require(sizes.latent >= 2 && sizes.latent <= 4096 && sizes.latent % 2 == 0, "'autoencoder.latent' must be even, from 2 to 4096");
    require(std::min({sizes.encoder, sizes.decoder, recipe.classifier.dimension, recipe.masked_sizes.embedding, recipe.masked_sizes.hidden,
                      recipe.masked_sizes.head}) >= 1 &&
                sizes.output_extra >= 0,
            "sizes of networks must be positive");
    require(std::max({sizes.encoder, sizes.decoder, sizes.output_extra, recipe.classifier.dimension, recipe.masked_sizes.embedding,
                      recipe.masked_sizes.hidden, recipe.masked_sizes.head}) <= 4096,
            "sizes of networks go up to 4096");
    require(std::min({recipe.classifier.epochs, recipe.autoencoder.epochs, recipe.masked.epochs, recipe.classifier.batch,
                      recipe.autoencoder.batch, recipe.masked.batch, recipe.autoencoder.negatives, recipe.masked.negatives}) >= 1,
            "epochs, batches and negatives must be at least 1");
    require(std::min({recipe.classifier.learning_rate, recipe.autoencoder.learning_rate, recipe.masked.learning_rate}) > 0,
            "learning rates must be positive");
    require(recipe.autoencoder.longest >= 1 && recipe.autoencoder.longest <= 200, "'autoencoder.longest' must be from 1 to 200");
    for (const double share : {recipe.autoencoder.hide_encoder, recipe.autoencoder.hide_decoder, recipe.masked.dropout})
        require(share >= 0 && share < 1, "shares of hidden words and dropout must be from 0 to less than 1");
    return recipe;
}

Networks train_generator(Tokenizer tokenizer, Classifier classifier, const std::vector<std::string>& classes, const GeneratorData& data,
                         const Recipe& recipe, uint64_t seed, const std::function<training::Checkpoint(const char*)>& checkpoint,
                         const Observer& observer) {
    const int64_t vocabulary = tokenizer.size();
    Autoencoder autoencoder(classifier.embedding, recipe.sizes);
    autoencoder.initialise(training::make_generator(training::mix_seed(seed, weights_stage)));
    const Sentences few(data.development.begin(), data.development.begin() + std::min<size_t>(500, data.development.size()));
    train_autoencoder(autoencoder, distinct(data.train), few, recipe.autoencoder, training::mix_seed(seed, autoencoder_stage),
                      checkpoint(autoencoder_checkpoint), training::part(observer, 0, 0.77));
    for (auto& [name, tensor] : autoencoder.dense()) training::round_to_half(*tensor);
    for (auto& [name, tensor] : autoencoder.tables()) training::round_to_half(*tensor);
    autoencoder.freeze();

    MaskedModelSizes masked_sizes = recipe.masked_sizes;
    masked_sizes.vocabulary = vocabulary;
    MaskedModel masked(masked_sizes, training::mix_seed(seed, masked_stage));
    train_masked_model(masked, data.search, recipe.masked, training::mix_seed(seed, masked_stage, 1), training::part(observer, 0.77, 1),
                       few, checkpoint(masked_checkpoint));
    for (auto& item : masked->named_parameters()) training::round_to_half(item.value());
    NGram ngram(data.search, vocabulary, recipe.ngram_order);

    TextModel model(classes,
                    Networks{std::move(tokenizer), std::move(classifier), std::move(autoencoder), FluencyModel(masked, std::move(ngram)),
                             WordAssociations(data.search, vocabulary), recipe.autoencoder.longest, 3.0});
    model.networks().typical_distance = typical_distance(model, few);
    return std::move(model.networks());
}

std::string TextTrainer::default_recipe() const { return Recipe().to_json(); }

void TextTrainer::train(const TrainRequest& request, const Observer& observer) {
    const Recipe recipe = Recipe::from_json(request.recipe);
    const auto log = [&](const std::string& line) {
        if (observer.log) observer.log(line);
    };
    // Refuses a folder that is not ours to write before anything long begins.
    PackWriter writer(request.out, {classifier_checkpoint, autoencoder_checkpoint, masked_checkpoint});
    const Corpus corpus = read_corpus(request.corpora, request.corpus);
    const Json run{{"recipe", Json::parse(recipe.to_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    const auto checkpoint = [&](const char* name) { return training::Checkpoint(request.out / name, run.dump()); };
    std::filesystem::create_directories(request.out);

    // Vocabulary.
    const std::string tokenizer_model =
        train_tokenizer(recipe.tokenizer, corpus.train.size(), [&](size_t i) { return &corpus.train[i].words; });
    Tokenizer tokenizer(recipe.tokenizer.kind, tokenizer_model);
    const int64_t vocabulary = tokenizer.size();
    log("corpus " + request.corpus + ": " + std::to_string(corpus.train.size()) + " training sentences, " +
        std::to_string(corpus.development.size()) + " for development, " + std::to_string(corpus.held_out.size()) +
        " held out; vocabulary " + std::to_string(vocabulary));
    const Encoded train = encode(tokenizer, corpus.train), development = encode(tokenizer, corpus.development);

    // Classifier.
    Classifier classifier;
    if (training::NamedTensors saved = checkpoint(classifier_checkpoint).load(); !saved.empty()) {
        classifier = {saved.at("embedding"), saved.at("weight"), saved.at("bias")};
        log("classifier: taken from its checkpoint");
    } else {
        classifier = train_classifier(train.sentences, train.labels, development.sentences, development.labels, vocabulary,
                                      static_cast<int64_t>(corpus.classes().size()), recipe.classifier,
                                      training::mix_seed(request.seed, classifier_stage), training::part(observer, 0, 0.02));
        for (at::Tensor* tensor : {&classifier.embedding, &classifier.weight, &classifier.bias}) training::round_to_half(*tensor);
        checkpoint(classifier_checkpoint)
            .save({{"embedding", classifier.embedding}, {"weight", classifier.weight}, {"bias", classifier.bias}});
    }

    // The rest. What the search for an answer uses has read one half of the sentences only.
    GeneratorData data{train.sentences, development.sentences, {}};
    for (const auto& words : language_model_halves(corpus.train).search) data.search.push_back(tokenizer.encode(words).ids);
    // What it explains with, measured. The weights have been rounded already: these are the figures of what is stored.
    TextModel measured(corpus.classes(), train_generator(std::move(tokenizer), std::move(classifier), corpus.classes(), data, recipe,
                                                         request.seed, checkpoint, training::part(observer, 0.02, 0.9)));
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    const Json quality = evaluate_model(measured, &corpus, {}, evaluation, training::part(observer, 0.9, 1));
    PackManifest manifest;
    manifest.id = request.out.filename().empty() ? request.out.parent_path().filename().string() : request.out.filename().string();
    manifest.description = "Sentences: " + corpus.manifest.title;
    manifest.modality = "text";
    manifest.plugin_id = "text";
    manifest.plugin_version = WHYNOT_VERSION;
    manifest.classes = corpus.classes();
    manifest.recipe = recipe.to_json();
    manifest.seed = request.seed;
    manifest.corpus = request.corpus;
    manifest.corpus_sha256 = corpus.sha256;
    manifest.licence = corpus.manifest.licence;
    manifest.quality = Json{{"figures", quality["figures"]}}.dump();
    measured.networks().save(writer, manifest, tokenizer_model);
    writer.finish(manifest);
    log("written: " + request.out.string());
}

}  // namespace whynot::text
