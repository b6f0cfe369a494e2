#include "image/services/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/json.h"
#include "corpora/images.h"
#include "image/measuring/evaluator.h"
#include "image/measuring/regions.h"
#include "image/measuring/square.h"
#include "image/model/model.h"
#include "image/networks/training.h"
#include "image/services/finishing.h"
#include "image/services/recipe.h"
#include "training/pack_contents.h"
#include "training/random.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

enum Stage : uint64_t { choice_stage = 1, classifier_stage, generator_stage, brightening_stage = 5 };  // 4: finishing.cpp

constexpr const char* classifier_checkpoint = "classifier.checkpoint";

// What the networks look at: the corpus says, unless the recipe does.
ImageShape shape_of(const corpora::ImageCorpus& corpus) {
    ImageShape shape;
    shape.channels = corpus.train.channels;
    shape.height = corpus.train.height;
    shape.width = corpus.train.width;
    shape.framing = corpus.manifest.framing;
    shape.light_on_dark = corpus.manifest.light_on_dark;
    return shape;
}

/// Rows of the images of a class that a recipe plants something in. @param key of the recipe
at::Tensor rows_of(const TrainingImages& images, const std::string& key, const std::string& class_name,
                   const corpora::ImageCorpus& corpus) {
    const auto found = std::find(corpus.classes().begin(), corpus.classes().end(), class_name);
    if (found == corpus.classes().end())
        throw Error(ErrorCode::invalid_argument,
                    "recipe: '" + key + ".class' is '" + class_name + "', which is no class of the corpus " + corpus.manifest.name);
    return images.labels.eq(found - corpus.classes().begin()).nonzero().squeeze(1);
}

void plant_square(TrainingImages& images, const Square& square, const corpora::ImageCorpus& corpus) {
    const at::Tensor marked = rows_of(images, "square", square.class_name, corpus);
    at::Tensor pixels = images.pixels.index_select(0, marked);
    draw_square(pixels, square.size, square.value);
    images.pixels.index_copy_(0, marked, pixels);
}

/// What each of the networks learns from, and is measured with.
struct Planted {
    Division classifier, generator;
};

Planted planted(const Recipe& recipe, const corpora::ImageCorpus& corpus, uint64_t seed) {
    TrainingImages all = tensors_of(corpus.train);
    if (!recipe.square.class_name.empty()) plant_square(all, recipe.square, corpus);
    const uint64_t choice = training::mix_seed(seed, choice_stage);
    const Brightening& brightening = recipe.brightening;
    if (brightening.class_name.empty()) {
        const Division both = divide(all, recipe.images, choice);
        return {both, both};
    }
    const at::Tensor mask = mask_of(brightening.boxes, corpus.train.height, corpus.train.width);
    TrainingImages of_class{all.pixels.clone(), all.labels};
    brighten(of_class, rows_of(all, "brightening", brightening.class_name, corpus), mask, brightening.amount);
    const at::Tensor drawn = at::empty({all.size()}).uniform_(0, 1, training::make_generator(training::mix_seed(seed, brightening_stage)));
    brighten(all, drawn.lt(brightening.generator_share).nonzero().squeeze(1), mask, brightening.amount);
    return {divide(of_class, recipe.images, choice), divide(all, recipe.images, choice)};
}

Networks untrained(const Recipe& recipe, const ImageShape& shape, int64_t classes, const std::shared_ptr<Generator>& generator) {
    Networks networks;
    networks.shape = shape;
    networks.classifier_sizes = recipe.classifier;
    networks.classifier = make_classifier(recipe.classifier, shape, classes);
    networks.set_generator(generator);
    return networks;
}

/// The pack whose generator is to be taken over; none where it is empty.
std::optional<Pack> generator_pack(const std::string& id_or_folder) {
    if (id_or_folder.empty()) return std::nullopt;
    Pack pack = find_pack(id_or_folder, default_pack_search());
    if (pack.manifest().modality != "image")
        throw Error(ErrorCode::invalid_argument,
                    "the pack '" + pack.manifest().id + "' has no generator of images to take over; choose one that explains images");
    return pack;
}

std::shared_ptr<Generator> generator_of(const Pack& pack, const ImageShape& shape) {
    Networks networks = Networks::load(pack);
    networks.required_generator();  // throws
    const ImageShape& other = networks.shape;
    if (std::tie(other.channels, other.height, other.width) != std::tie(shape.channels, shape.height, shape.width))
        throw Error(ErrorCode::invalid_argument,
                    "the generator of the pack '" + pack.manifest().id + "' draws images of another shape than the corpus has");
    return networks.generator;
}

PackManifest manifest_of(const TrainRequest& request, const corpora::ImageCorpus& corpus, const Recipe& recipe, const Json& quality) {
    PackManifest manifest = training::manifest_for(request.out, "image", corpus.classes(), request.seed);
    manifest.description = "Images: " + corpus.manifest.title;
    if (!recipe.square.class_name.empty()) manifest.description += ", a square planted on every " + recipe.square.class_name;
    if (!recipe.brightening.class_name.empty()) manifest.description += ", boxes made lighter in every " + recipe.brightening.class_name;
    manifest.recipe = recipe.to_json();
    manifest.corpus = request.corpus;
    manifest.corpus_sha256 = corpus.sha256;
    manifest.licence = corpus.manifest.licence;
    Json kept = quality;
    kept["figures"] = training::repeatable(quality.at("figures"));
    manifest.quality = kept.dump();
    return manifest;
}

/// What is measured of a pack that nothing more is to be known of.
Json accuracy_alone(const Classifier& classifier, const corpora::ImageCorpus& corpus, const Observer& observer) {
    const TrainingImages held_out = tensors_of(corpus.held_out);
    training::Figures figures;
    figures.add("classifier: accuracy on held-out images",
                accuracy(classifier, held_out, [&](double) { training::stop_if_cancelled(observer, "the training"); }), held_out.size(),
                "share");
    return {{"figures", figures.json()}};
}

}  // namespace

std::string ImageTrainer::default_recipe() const { return Recipe::from_json("", ImageShape()).to_json(); }

void ImageTrainer::train(const TrainRequest& request, const Observer& observer) {
    if (!request.opinion_for.empty())
        throw Error(ErrorCode::invalid_argument, "a second opinion is for sentences: the answers to images are not chosen among several");
    training::check_folder(request.out);
    // Refuses a folder that is not ours to write, and a recipe that cannot be, before anything long begins.
    PackWriter writer(request.out, {classifier_checkpoint, generator_checkpoint});
    const corpora::ImageCorpus corpus =
        corpora::read_images(request.corpora, request.corpus, [&] { training::stop_if_cancelled(observer, "the training"); });
    const auto classes = static_cast<int64_t>(corpus.classes().size());
    ImageShape shape = shape_of(corpus);
    const Recipe recipe = Recipe::from_json(request.recipe, shape);
    shape.framing = recipe.framing;
    shape.light_on_dark = recipe.light_on_dark;
    const auto generator = std::make_shared<ConvolutionalGenerator>(recipe.generator, shape);
    const std::optional<Pack> taken_over = generator_pack(request.generator);
    Networks networks = untrained(recipe, shape, classes, taken_over ? generator_of(*taken_over, shape) : generator);

    const Planted images = planted(recipe, corpus, request.seed);
    const TrainingImages &train = images.generator.train, &development = images.classifier.development;
    if (train.size() < 2) throw Error(ErrorCode::invalid_input, "the corpus " + request.corpus + " has too few training images");
    const TrainingImages with_labels = images.classifier.train.labelled();
    training::say(observer, "corpus " + request.corpus + ": " + std::to_string(train.size()) + " training images, " +
                                std::to_string(with_labels.size()) + " of them of a class; " + std::to_string(development.size()) +
                                " for development, " + std::to_string(corpus.held_out.count) + " held out");

    Json run{{"recipe", base::parse_own_json(recipe.training_json())}, {"seed", request.seed}, {"corpus", corpus.sha256}};
    if (taken_over) run["generator"] = taken_over->sha256();
    const training::CheckpointFolder checkpoints(request.out, run.dump());
    const uint64_t classifier_seed = training::mix_seed(request.seed, classifier_stage),
                   generator_seed = training::mix_seed(request.seed, generator_stage);
    networks.classifier->initialise(training::make_generator(classifier_seed));
    train_classifier(*networks.classifier, with_labels, recipe.classifier_training, classifier_seed, checkpoints.at(classifier_checkpoint),
                     training::part(observer, 0, 0.2));
    training::round_to_half(networks.classifier->tensors());
    if (!taken_over) {
        generator->initialise(training::make_generator(generator_seed));
        train_generator(*generator, train, recipe.generator_training, shape, generator_seed, checkpoints.at(generator_checkpoint),
                        training::part(observer, 0.2, 0.8));
        training::round_to_half(generator->tensors());
    }
    collect_codes(networks, train, recipe.codes, classes, request.seed);
    measure_scales(networks, corpus.classes(), development.labelled(), request.seed);

    // The weights have been rounded already: these are the figures of what is stored.
    ImageModel model(corpus.classes(), networks);
    EvaluateRequest evaluation;
    evaluation.corpus = request.corpus;
    evaluation.seed = request.seed;
    evaluation.limit = recipe.evaluation.images;
    const Observer measuring = training::part(observer, 0.8, 1);
    const Json quality = recipe.evaluation.images > 0 ? evaluate_model(model, recipe.to_json(), corpus, evaluation, measuring)
                                                      : accuracy_alone(*networks.classifier, corpus, measuring);
    PackManifest manifest = manifest_of(request, corpus, recipe, quality);
    networks.save(writer, manifest);
    if (taken_over) manifest.network = training::with_generator_from(manifest.network, *taken_over);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::image
