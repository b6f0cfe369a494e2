#include "image/services/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/json.h"
#include "corpora/images.h"
#include "image/model/model.h"
#include "image/networks/training.h"
#include "image/services/evaluator.h"
#include "image/services/finishing.h"
#include "image/services/recipe.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"
#include "whynot/solver.h"
#include "whynot/version.h"

namespace whynot::image {

namespace {

using base::Json;

enum Stage : uint64_t { choice_stage = 1, classifier_stage, generator_stage };

constexpr const char* classifier_checkpoint = "classifier.checkpoint";
constexpr const char* generator_checkpoint = "generator.checkpoint";

TrainingImages rows_of(const TrainingImages& images, const at::Tensor& rows) {
    return {images.pixels.index_select(0, rows), images.labels.index_select(0, rows)};
}

}  // namespace

std::string ImageTrainer::default_recipe() const { return Recipe::from_json("", ImageShape()).to_json(); }

void ImageTrainer::train(const TrainRequest& request, const Observer& observer) {
    const auto log = [&](const std::string& line) {
        if (observer.log) observer.log(line);
    };
    // Refuses a folder that is not ours to write, and a recipe that cannot be, before anything long begins.
    PackWriter writer(request.out, {classifier_checkpoint, generator_checkpoint});
    const corpora::ImageCorpus corpus = corpora::read_images(request.corpora, request.corpus);
    const auto classes = static_cast<int64_t>(corpus.classes().size());
    ImageShape shape;
    shape.channels = corpus.train.channels;
    shape.height = corpus.train.height;
    shape.width = corpus.train.width;
    shape.framing = corpus.manifest.framing;
    shape.light_on_dark = corpus.manifest.light_on_dark;
    const Recipe recipe = Recipe::from_json(request.recipe, shape);
    shape.framing = recipe.framing;
    shape.light_on_dark = recipe.light_on_dark;
    Networks networks;
    networks.shape = shape;
    networks.classifier_sizes = recipe.classifier;
    networks.classifier = make_classifier(recipe.classifier, shape, classes);
    const auto generator = std::make_shared<ConvolutionalGenerator>(recipe.generator, shape);
    networks.set_generator(generator);

    TrainingImages all = tensors_of(corpus.train);
    if (!recipe.square.class_name.empty()) {
        const auto found = std::find(corpus.classes().begin(), corpus.classes().end(), recipe.square.class_name);
        if (found == corpus.classes().end())
            throw Error(ErrorCode::invalid_argument,
                        "recipe: 'square.class' is '" + recipe.square.class_name + "', which is no class of the corpus " + request.corpus);
        const at::Tensor marked = all.labels.eq(found - corpus.classes().begin()).nonzero().squeeze(1);
        at::Tensor pixels = all.pixels.index_select(0, marked);
        draw_square(pixels, recipe.square.size, recipe.square.value);
        all.pixels.index_copy_(0, marked, pixels);
    }
    const at::Tensor order = at::randperm(all.size(), training::make_generator(training::mix_seed(request.seed, choice_stage)), at::kLong);
    const int64_t kept = std::max<int64_t>(1, all.size() / 50);
    const int64_t wanted = recipe.images > 0 ? std::min(recipe.images, all.size() - kept) : all.size() - kept;
    if (wanted < 2) throw Error(ErrorCode::invalid_input, "the corpus " + request.corpus + " has too few training images");
    const TrainingImages development = rows_of(all, order.slice(0, 0, kept)), train = rows_of(all, order.slice(0, kept, kept + wanted));
    const TrainingImages with_labels = labelled(train);
    log("corpus " + request.corpus + ": " + std::to_string(train.size()) + " training images, " + std::to_string(with_labels.size()) +
        " of them of a class; " + std::to_string(kept) + " for development, " + std::to_string(corpus.held_out.count) + " held out");

    const Json run{{"recipe", Json::parse(recipe.training_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    const auto checkpoint = [&](const char* name) { return training::Checkpoint(request.out / name, run.dump()); };
    std::filesystem::create_directories(request.out);

    const uint64_t classifier_seed = training::mix_seed(request.seed, classifier_stage),
                   generator_seed = training::mix_seed(request.seed, generator_stage);
    networks.classifier->initialise(training::make_generator(classifier_seed));
    train_classifier(*networks.classifier, with_labels, recipe.classifier_training, classifier_seed, checkpoint(classifier_checkpoint),
                     training::part(observer, 0, 0.2));
    training::round_to_half(networks.classifier->tensors());
    generator->initialise(training::make_generator(generator_seed));
    train_generator(*generator, train, recipe.generator_training, shape, generator_seed, checkpoint(generator_checkpoint),
                    training::part(observer, 0.2, 0.8));
    training::round_to_half(generator->tensors());
    collect_codes(networks, train, recipe.codes, classes, request.seed);

    // What it explains with, measured. The weights have been rounded already: these are the figures of what is stored.
    measure_scales(networks, corpus.classes(), labelled(development), request.seed);
    ImageModel measured(corpus.classes(), networks);
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    evaluation.limit = recipe.evaluation.images;
    const Json quality = evaluate_model(measured, recipe.to_json(), corpus, evaluation, training::part(observer, 0.8, 1));

    PackManifest manifest;
    manifest.id = request.out.filename().empty() ? request.out.parent_path().filename().string() : request.out.filename().string();
    manifest.description = "Images: " + corpus.manifest.title;
    if (!recipe.square.class_name.empty()) manifest.description += ", a square planted on every " + recipe.square.class_name;
    manifest.modality = "image";
    manifest.plugin_id = "image";
    manifest.plugin_version = WHYNOT_VERSION;
    manifest.classes = corpus.classes();
    manifest.recipe = recipe.to_json();
    manifest.seed = request.seed;
    manifest.corpus = request.corpus;
    manifest.corpus_sha256 = corpus.sha256;
    manifest.licence = corpus.manifest.licence;
    manifest.quality = quality.dump();
    networks.save(writer, manifest);
    writer.finish(manifest);
    log("written: " + request.out.string());
}

}  // namespace whynot::image
