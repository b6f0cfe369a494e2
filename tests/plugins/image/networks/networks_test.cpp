// Classifiers and generators: shapes, derivatives, that they learn, that they are what a pack says.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <utility>

#include "image/networks/classifier.h"
#include "image/networks/generator.h"
#include "image/networks/pieces.h"
#include "image/networks/training.h"
#include "image/services/recipe.h"
#include "support/temporary_folder.h"
#include "training/random.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using ::testing::HasSubstr;

ImageShape shape_of(int64_t channels, int64_t height, int64_t width) {
    ImageShape shape;
    shape.channels = channels;
    shape.height = height;
    shape.width = width;
    return shape;
}

at::Tensor uniform(at::IntArrayRef sizes, uint64_t seed) { return at::empty(sizes).uniform_(0, 1, training::make_generator(seed)); }

// The derivative of f at x along a random direction, by automatic differentiation and by a central difference, in double precision.
void expect_derivative(const std::function<at::Tensor(const at::Tensor&)>& f, at::Tensor x, uint64_t seed) {
    x = x.to(at::kDouble).requires_grad_();
    const at::Tensor direction = at::empty_like(x.detach()).normal_(0, 1, training::make_generator(seed));
    const at::Tensor y = f(x);
    const at::Tensor weights = at::empty_like(y.detach()).normal_(0, 1, training::make_generator(seed + 1));
    const at::Tensor gradient = torch::autograd::grad({(y * weights).sum()}, {x})[0];
    const double slope = (gradient * direction).sum().item<double>();
    const at::NoGradGuard no_grad;
    const double step = 1e-6;
    const double difference = ((f(x + step * direction) - f(x - step * direction)) * weights).sum().item<double>() / (2 * step);
    EXPECT_NEAR(slope, difference, 1e-5 * (1 + std::abs(slope)));
}

struct ClassifierCase {
    const char* kind;
    int64_t depth;
    double width, dropout;
    int64_t channels, height, width_in_pixels;
};

class EveryClassifier : public ::testing::TestWithParam<ClassifierCase> {};

TEST_P(EveryClassifier, GivesALogitAClassAndTheDerivativeItShould) {
    const ClassifierCase& given = GetParam();
    const ClassifierSizes sizes{given.kind, given.depth, given.width, given.dropout};
    const ImageShape shape = shape_of(given.channels, given.height, given.width_in_pixels);
    const auto classifier = make_classifier(sizes, shape, 7);
    classifier->initialise(training::make_generator(1));
    const at::Tensor images = uniform({3, shape.channels, shape.height, shape.width}, 2);
    const at::Tensor logits = classifier->logits(images);
    EXPECT_EQ(logits.sizes(), (at::IntArrayRef{3, 7}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
    // A row depends on its own image only.
    EXPECT_TRUE(at::allclose(logits.slice(0, 1, 2), classifier->logits(images.slice(0, 1, 2)), 1e-4, 1e-5));
    // Frozen it computes in other ways than with weights that learn, and the same.
    const auto slope = [&] {
        const at::Tensor x = images.clone().requires_grad_();
        return torch::autograd::grad({classifier->logits(x).select(1, 0).sum()}, {x})[0];
    };
    const at::Tensor frozen = slope();
    classifier->require_gradients(true);
    EXPECT_TRUE(at::allclose(logits, classifier->logits(images), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(frozen, slope(), 1e-3, 1e-5));
    classifier->require_gradients(false);
    classifier->to(at::kDouble);
    expect_derivative([&](const at::Tensor& x) { return classifier->logits(x); }, images, 3);
}

INSTANTIATE_TEST_SUITE_P(kinds, EveryClassifier,
                         ::testing::Values(ClassifierCase{"lenet", 0, 1, 0, 1, 28, 28}, ClassifierCase{"lenet", 0, 1, 0, 3, 16, 20},
                                           ClassifierCase{"vgg", 11, 0.125, 0.4, 3, 64, 64}, ClassifierCase{"vgg", 16, 0.125, 0, 1, 28, 28},
                                           ClassifierCase{"resnet", 50, 0.0625, 0, 1, 28, 28},
                                           ClassifierCase{"resnet", 101, 0.0625, 0, 3, 32, 32}));

TEST(Classifiers, HaveThePublishedNumbersOfWeights) {
    const auto count = [](const Classifier& classifier) {
        int64_t weights = 0;
        for (const auto& [name, tensor] : classifier.parameters()) weights += tensor.numel();
        return weights;
    };
    // He et al. 2016 with 1000 classes: 44,549,160. Ours has a bias beside each of the 104 normalised convolutions.
    const auto resnet = make_classifier({"resnet", 101, 1, 0}, shape_of(3, 224, 224), 1000);
    int64_t biases = 0;
    for (const auto& [name, tensor] : resnet->parameters())
        if (name.find(".bias") != std::string::npos && name.find("norm") == std::string::npos && name.find("output") == std::string::npos)
            biases += tensor.numel();
    EXPECT_EQ(count(*resnet) - biases, 44549160);
    // LeNet of 3.2.1 on 28 x 28: 20 * 25 + 20, 20 * 20 * 25 + 20, 320 * 50 + 50, 50 * 10 + 10.
    EXPECT_EQ(count(*make_classifier({"lenet", 0, 1, 0}, shape_of(1, 28, 28), 10)), 520 + 10020 + 16050 + 510);
}

TEST(Classifiers, ThatCannotBeAreRefusedWithWhatThereIs) {
    const auto refusal = [](const ClassifierSizes& sizes, const ImageShape& shape) {
        return message_of(ErrorCode::invalid_argument, [&] { make_classifier(sizes, shape, 3); });
    };
    EXPECT_THAT(refusal({"alexnet", 0, 1, 0}, shape_of(1, 28, 28)), HasSubstr("lenet, vgg and resnet"));
    EXPECT_THAT(refusal({"vgg", 17, 1, 0}, shape_of(1, 28, 28)), HasSubstr("11, 13, 16, 19"));
    EXPECT_THAT(refusal({"resnet", 101, 0, 0}, shape_of(1, 28, 28)), HasSubstr("width"));
    EXPECT_THAT(refusal({"lenet", 0, 1, 0}, shape_of(1, 12, 28)), HasSubstr("28 x 12"));
}

class EveryGenerator : public ::testing::TestWithParam<const char*> {
protected:
    static GeneratorSizes sizes() {
        const std::string kind = GetParam();
        if (kind == "vae") return {kind, 5, {4, 6}, 20};
        if (kind == "autoencoder") return {kind, 7, {4, 6, 8}, 0};
        return {kind, 6, {4, 6}, 0};
    }
};

TEST_P(EveryGenerator, DrawsImagesAndEncodesThemWithTheDerivativesItShould) {
    const ImageShape shape = shape_of(3, 16, 24);
    ConvolutionalGenerator generator(sizes(), shape);
    generator.initialise(training::make_generator(1));
    const at::Tensor z = at::empty({4, sizes().latent}).normal_(0, 1, training::make_generator(2));
    const at::Tensor images = generator.decode(z);
    EXPECT_EQ(images.sizes(), (at::IntArrayRef{4, 3, 16, 24}));
    EXPECT_TRUE(images.ge(0).all().item<bool>() && images.le(1).all().item<bool>());
    EXPECT_TRUE(at::allclose(images.slice(0, 2, 3), generator.decode(z.slice(0, 2, 3)), 1e-4, 1e-5));
    generator.to(at::kDouble);
    expect_derivative([&](const at::Tensor& x) { return generator.decode(x); }, z, 3);
    if (!generator.has_encoder()) return;
    const ConvolutionalGenerator::Code code = generator.encode(images.to(at::kDouble));
    EXPECT_EQ(code.mean.sizes(), z.sizes());
    EXPECT_EQ(code.log_variance.defined(), sizes().kind == "vae");
    expect_derivative([&](const at::Tensor& x) { return generator.encode(x).mean; }, images, 4);
}

INSTANTIATE_TEST_SUITE_P(kinds, EveryGenerator, ::testing::Values("vae", "autoencoder", "dcgan"));

TEST(Generators, ThatCannotBeAreRefused) {
    const auto refusal = [](const GeneratorSizes& sizes) {
        return message_of(ErrorCode::invalid_argument, [&] { ConvolutionalGenerator(sizes, shape_of(1, 28, 28)); });
    };
    EXPECT_THAT(refusal({"flow", 8, {4}, 0}), HasSubstr("vae, autoencoder and dcgan"));
    EXPECT_THAT(refusal({"vae", 8, {4, 4, 4}, 0}), HasSubstr("multiples of 8"));
    EXPECT_THAT(refusal({"vae", 0, {4}, 0}), HasSubstr("latent"));
    EXPECT_THAT(refusal({"vae", 8, {}, 0}), HasSubstr("convolutions"));
}

TEST(Generators, WhiteningChangesTheCodeAndNotWhatIsDrawn) {
    for (const int64_t hidden : {0, 12}) {
        ConvolutionalGenerator generator({"autoencoder", 5, {4, 6}, hidden}, shape_of(1, 16, 16));
        generator.initialise(training::make_generator(1));
        generator.to(at::kDouble);
        const at::Tensor images = uniform({400, 1, 16, 16}, 2).to(at::kDouble);
        const at::Tensor before = generator.encode(images).mean, drawn = generator.decode(before);
        generator.whiten(before);
        const at::Tensor code = generator.encode(images).mean;
        EXPECT_TRUE(at::allclose(generator.decode(code), drawn, 1e-6, 1e-8));
        EXPECT_TRUE(at::allclose(code.mean(0), at::zeros({5}, at::kDouble), 0, 1e-6));
        const at::Tensor covariance = at::mm(code.t(), code) / 400;
        // The ridge takes a little from the directions with the least variance.
        EXPECT_LT((covariance - at::eye(5, at::kDouble)).abs().max().item<double>(), 0.2);
        EXPECT_GT(covariance.diagonal().max().item<double>(), 0.99);
    }
}

TEST(Networks, OfTheSameSeedAreTheSameAndLeaveTheGlobalGeneratorAlone) {
    const auto state = at::globalContext().defaultGenerator(at::kCPU).get_state();
    const auto weights = [](uint64_t seed) {
        ConvolutionalGenerator generator({"vae", 5, {4, 6}, 20}, shape_of(1, 16, 16));
        generator.initialise(training::make_generator(seed));
        return generator.tensors();
    };
    const training::NamedTensors a = weights(1), b = weights(1), c = weights(2);
    for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
    EXPECT_FALSE(at::equal(a.at("decoder.spread.weight"), c.at("decoder.spread.weight")));
    EXPECT_TRUE(at::equal(at::globalContext().defaultGenerator(at::kCPU).get_state(), state));
}

// --- training --------------------------------------------------------------------------------------------------------

// Left half bright: class 0; right half: class 1.
TrainingImages halves(int64_t count) {
    at::Tensor pixels = (uniform({count, 1, 16, 16}, 5) * 60).to(at::kByte);
    const at::Tensor labels = at::arange(count, at::kLong).remainder(2);
    for (int64_t i = 0; i < count; ++i) pixels[i].slice(2, 8 * (i % 2), 8 * (i % 2) + 8).add_(150);
    return {pixels, labels};
}

TEST(Training, MakesAClassifierThatTellsTheClassesApart) {
    const TrainingImages data = halves(200);
    for (const ClassifierSizes& sizes : {ClassifierSizes{"lenet", 0, 1, 0}, ClassifierSizes{"vgg", 11, 0.0625, 0.2}}) {
        const auto classifier = make_classifier(sizes, shape_of(1, 16, 16), 2);
        classifier->initialise(training::make_generator(1));
        ClassifierTraining training;
        training.epochs = 8;
        training.batch = 20;
        training.shift = 1;
        train_classifier(*classifier, data, training, 1, {}, {});
        EXPECT_GT(accuracy(*classifier, data), 0.95) << sizes.kind;
        for (const auto& [name, tensor] : classifier->parameters()) EXPECT_FALSE(tensor.requires_grad()) << name;
    }
}

TEST(Training, MakesGeneratorsThatGiveImagesBack) {
    const TrainingImages data = halves(200);
    const at::Tensor images = data.images(at::arange(200));
    const double blank = (images - images.mean(0)).square().mean().item<double>();
    for (const char* kind : {"vae", "autoencoder"}) {
        ConvolutionalGenerator generator({kind, 4, {4, 8}, 16}, shape_of(1, 16, 16));
        generator.initialise(training::make_generator(1));
        GeneratorTraining training;
        training.epochs = 30;
        training.batch = 20;
        training.learning_rate = 5e-3;
        training.loss = kind == std::string("vae") ? "bernoulli" : "gaussian";
        train_generator(generator, data, training, shape_of(1, 16, 16), 1, {}, {});
        const double error = (generator.decode(generator.encode(images).mean) - images).square().mean().item<double>();
        EXPECT_LT(error, 0.2 * blank) << kind;
    }
}

TEST(Training, AGeneratorAgainstACriticComesToDrawWhatTheImagesAreLike) {
    const TrainingImages data = halves(200);
    const ImageShape shape = shape_of(1, 16, 16);
    ConvolutionalGenerator generator({"dcgan", 4, {8, 12}, 0}, shape);
    generator.initialise(training::make_generator(1));
    // How bright the brighter half is, and how much darker the other.
    const auto contrast = [&] {
        const at::NoGradGuard no_grad;
        const at::Tensor drawn = generator.decode(at::empty({64, 4}).normal_(0, 1, training::make_generator(9)));
        return (drawn.slice(3, 0, 8).mean({1, 2, 3}) - drawn.slice(3, 8, 16).mean({1, 2, 3})).abs().mean().item<double>();
    };
    const double before = contrast();
    GeneratorTraining training;
    training.epochs = 100;
    training.batch = 20;
    training.learning_rate = 4e-3;
    training.critic_steps = 2;
    train_generator(generator, data, training, shape, 1, {}, {});
    EXPECT_GT(contrast(), std::max(0.25, 3 * before));  // the images': 0.59
}

TEST(Training, ThatWasStoppedGoesOnToTheSameWeights) {
    TemporaryFolder folder;
    const TrainingImages data = halves(60);
    GeneratorTraining training;
    training.epochs = 4;
    training.batch = 20;
    const auto run = [&](const training::Checkpoint& checkpoint, int64_t stop_after) {
        ConvolutionalGenerator generator({"vae", 4, {4, 8}, 16}, shape_of(1, 16, 16));
        generator.initialise(training::make_generator(1));
        Observer observer;
        int64_t steps = 0;
        observer.cancelled = [&] { return stop_after > 0 && ++steps > stop_after; };
        train_generator(generator, data, training, shape_of(1, 16, 16), 1, checkpoint, observer);
        return generator.tensors();
    };
    const training::NamedTensors whole = run({}, 0);
    const training::Checkpoint checkpoint(folder / "run", "the run");
    EXPECT_THROW(run(checkpoint, 5), Error);
    const training::NamedTensors resumed = run(checkpoint, 0);
    for (const auto& [name, tensor] : whole) EXPECT_TRUE(at::equal(tensor, resumed.at(name))) << name;
}

// --- recipes ---------------------------------------------------------------------------------------------------------

TEST(Recipes, ComeBackFromTheirJson) {
    for (const ImageShape& shape : {shape_of(1, 28, 28), shape_of(3, 64, 64)})
        for (const char* generator : {"vae", "autoencoder", "dcgan"}) {
            const std::string json = Recipe::from_json(std::string(R"({"generator": {"kind": ")") + generator + "\"}}", shape).to_json();
            EXPECT_EQ(Recipe::from_json(json, shape).to_json(), json);
        }
}

TEST(Recipes, SuitTheKindOfNetworkThatIsAskedFor) {
    const Recipe vgg = Recipe::from_json(R"({"classifier": {"kind": "vgg", "epochs": 2}})", shape_of(1, 28, 28));
    EXPECT_EQ(vgg.classifier.depth, 16);
    EXPECT_EQ(vgg.classifier_training.epochs, 2);
    EXPECT_EQ(Recipe::from_json("", shape_of(1, 28, 28)).classifier.kind, "lenet");
    EXPECT_EQ(Recipe::from_json("", shape_of(3, 64, 64)).generator.kind, "autoencoder");
}

TEST(Recipes, WithWhatCannotBeAreRefused) {
    const auto refusal = [](const std::string& json) {
        return message_of(ErrorCode::invalid_argument, [&] { Recipe::from_json(json, shape_of(1, 28, 28)); });
    };
    EXPECT_THAT(refusal("nonsense"), HasSubstr("JSON"));
    EXPECT_THAT(refusal("[]"), HasSubstr("object"));
    EXPECT_THAT(refusal(R"({"generator": {"laten": 3}})"), HasSubstr("generator.laten"));
    EXPECT_THAT(refusal(R"({"generator": {"channels": ["a"]}})"), HasSubstr("whole numbers"));
    EXPECT_THAT(refusal(R"({"classifier": {"epochs": 0}})"), HasSubstr("at least 1"));
    EXPECT_THAT(refusal(R"({"classifier": {"schedule": "step"}})"), HasSubstr("constant"));
    EXPECT_THAT(refusal(R"({"square": {"value": 2}})"), HasSubstr("square.value"));
    EXPECT_THAT(refusal(R"({"framing": "crop"})"), HasSubstr("framing"));
    EXPECT_THAT(refusal(R"({"evaluation": {"images": -1}})"), HasSubstr("evaluation.images"));
    EXPECT_THAT(refusal(R"({"brightening": {"class": "1"}})"), HasSubstr("name one box at least"));
    EXPECT_THAT(refusal(R"({"brightening": {"boxes": [[0, 0, 29, 1]]}})"), HasSubstr("within the image"));
    EXPECT_THAT(refusal(R"({"brightening": {"boxes": [[0, 9223372036854775807, 1, 9223372036854775807]]}})"),
                HasSubstr("within the image"));
    EXPECT_THAT(refusal(R"({"brightening": {"boxes": [[0, 0, 1]]}})"), HasSubstr("lists of row, column, height and width"));
    EXPECT_THAT(refusal(R"({"brightening": {"boxes": [7]}})"), HasSubstr("lists of row, column, height and width"));
    EXPECT_THAT(refusal(R"({"brightening": {"amount": 1.5}})"), HasSubstr("brightening.amount"));
    EXPECT_THAT(refusal(R"({"brightening": {"generator_share": -0.5}})"), HasSubstr("brightening.generator_share"));
}

TEST(Pieces, GiveTheValuesAndDerivativesOfTheWhole) {
    const at::Tensor z = uniform({23, 4}, 1).to(at::kDouble), offsets = uniform({5, 4}, 2).to(at::kDouble);
    const at::Tensor rows = at::arange(23, at::kLong).remainder(5);
    const RowFunction f = [&](const at::Tensor& x, const at::Tensor& which) {
        return (x * offsets.index_select(0, which)).sin().cumsum(1);
    };
    const auto values_and_gradient = [&](int64_t piece, const at::Tensor& weights) {
        const at::Tensor x = z.clone().requires_grad_();
        const at::Tensor y = in_pieces(f, x, rows, piece);
        return std::pair(y.detach(), torch::autograd::grad({y}, {x}, {weights})[0]);
    };
    const at::Tensor weights = uniform({23, 4}, 3).to(at::kDouble);
    const auto whole = values_and_gradient(23, weights);
    for (const int64_t piece : {1, 4, 22}) {
        const auto pieces = values_and_gradient(piece, weights);
        EXPECT_TRUE(at::equal(pieces.first, whole.first)) << piece;
        EXPECT_TRUE(at::allclose(pieces.second, whole.second, 1e-12, 1e-12)) << piece;
    }
    expect_derivative([&](const at::Tensor& x) { return in_pieces(f, x, rows, 4); }, z, 4);
}

TEST(Pieces, AreComputedAgainOnlyForRowsThatAreAskedAbout) {
    std::atomic<int64_t> with_graph{0}, without{0};
    const RowFunction f = [&](const at::Tensor& x, const at::Tensor&) {
        (at::GradMode::is_enabled() ? with_graph : without) += x.size(0);
        return x * x;
    };
    const at::Tensor x = uniform({20, 2}, 1).requires_grad_(), rows = at::arange(20, at::kLong);
    const at::Tensor y = in_pieces(f, x, rows, 3);
    EXPECT_EQ(without, 20);
    at::Tensor weights = at::zeros({20, 2});
    for (const int64_t row : {0, 7, 8, 19}) weights[row][row % 2] = 1;
    const at::Tensor gradient = torch::autograd::grad({y}, {x}, {weights})[0];
    EXPECT_EQ(with_graph, 4);
    EXPECT_TRUE(at::allclose(gradient, 2 * x.detach() * weights));

    const at::Tensor nothing = in_pieces(f, x, rows, 3);
    EXPECT_FALSE(torch::autograd::grad({nothing}, {x}, {at::zeros({20, 2})})[0].any().item<bool>());
    EXPECT_EQ(with_graph, 4);
    const at::NoGradGuard no_grad;
    EXPECT_FALSE(in_pieces(f, x, rows, 3).requires_grad());
}

TEST(Pieces, PassOnWhatGoesWrongInOneOfThem) {
    const RowFunction f = [](const at::Tensor& x, const at::Tensor& rows) {
        if (rows.max().item<int64_t>() == 9) throw Error(ErrorCode::invalid_input, "row 9");
        return x * x;
    };
    EXPECT_THROW(in_pieces(f, at::ones({12, 2}), at::arange(12, at::kLong), 2), Error);
}

}  // namespace
