// Each method against an answer that is known: a linear model, completeness, conservation, a derivative by differences.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/attribution/maps.h"
#include "image/networks/script_networks.h"
#include "image/services/attributing.h"
#include "plugins/training/scripts.h"
#include "support/temporary_folder.h"
#include "training/random.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using ::testing::HasSubstr;
using whynot::test::write_script;

constexpr int64_t side = 21, classes = 3;

ImageShape shape() {
    ImageShape shape;
    shape.height = shape.width = side;
    return shape;
}

at::Tensor random_images(int64_t n, uint64_t seed) { return at::empty({n, 1, side, side}).uniform_(0, 1, training::make_generator(seed)); }

AskedImages asked(int64_t n = 3, uint64_t seed = 5) {
    return {random_images(n, seed), at::zeros({n}, at::kLong), at::arange(n, at::kLong).remainder(2) + 1};
}

std::vector<std::string> names() { return {"ring", "standing", "lying"}; }

/// l = x W': what each pixel does is known.
class LinearModel {
    TemporaryFolder folder_;

public:
    LinearModel() : weights(at::empty({classes, side * side}).uniform_(-1, 1, training::make_generator(7))) {
        const auto file =
            write_script(folder_.path() / "linear.pt", "def forward(self, x: Tensor):\n    return torch.matmul(x.flatten(1), self.w.t())\n",
                         {{"w", weights}});
        Networks networks;
        networks.shape = shape();
        networks.classifier = std::make_shared<ScriptClassifier>(file, ScriptClassifierOptions(), shape(), classes);
        model = std::make_unique<ImageModel>(names(), networks);
    }
    /// Weights of the gap of each question, [n, h, w].
    at::Tensor of(const AskedImages& questions) const {
        return (weights.index_select(0, questions.fact) - weights.index_select(0, questions.foil)).view({-1, side, side});
    }

    at::Tensor weights;
    std::unique_ptr<ImageModel> model;
};

/// One of our own kinds with weights that were drawn, and, unless told otherwise, no biases.
std::unique_ptr<ImageModel> drawn(const std::string& kind, bool biases = false) {
    ClassifierSizes sizes;
    sizes.kind = kind;
    sizes.depth = kind == "vgg" ? 11 : kind == "resnet" ? 50 : 0;
    sizes.width = 0.1;
    Networks networks;
    networks.shape = shape();
    networks.classifier = make_classifier(sizes, shape(), classes);
    networks.classifier->initialise(training::make_generator(3));
    networks.classifier->require_gradients(false);
    for (auto& [name, tensor] : networks.classifier->tensors())
        if (!biases && name.find("bias") != std::string::npos) tensor.zero_();
    return std::make_unique<ImageModel>(names(), networks);
}

void expect_near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
    ASSERT_EQ(a.sizes(), b.sizes());
    EXPECT_LT((a - b).abs().max().item<double>(), tolerance);
}

TEST(ImageAttribution, OfALinearModelIsWhatThePixelsDo) {
    const LinearModel linear;
    const AskedImages questions = asked();
    const at::Tensor weights = linear.of(questions), light = questions.images.squeeze(1);
    expect_near(attribute_images(*linear.model, questions, "gradient", 1), weights, 1e-5);
    expect_near(attribute_images(*linear.model, questions, "gradient-x-input", 1), weights * light, 1e-5);
    expect_near(attribute_images(*linear.model, questions, "integrated-gradients", 1), weights * light, 1e-5);
    // A window loses what its pixels say; a pixel has the mean of its windows. The corner lies in one only.
    const at::Tensor occluded = attribute_images(*linear.model, questions, "occlusion", 1);
    expect_near(occluded.select(1, 0).select(1, 0), (weights * light).slice(1, 0, 5).slice(2, 0, 5).sum({1, 2}), 1e-3);
    const at::Tensor lit = attribute_images(*linear.model, questions, "occlusion-light", 1);
    expect_near(lit.select(1, 0).select(1, 0), (weights * (light - 1)).slice(1, 0, 5).slice(2, 0, 5).sum({1, 2}), 1e-3);
}

TEST(ImageAttribution, LimeFindsTheBlocksOfALinearModel) {
    const LinearModel linear;
    const AskedImages questions = asked(1);
    const at::Tensor truth = at::avg_pool2d((linear.of(questions) * questions.images.squeeze(1)).unsqueeze(1), 3, 3) * 9;  // [1, 1, 7, 7]
    const at::Tensor found = attribute_images(*linear.model, questions, "lime", 1).slice(1, 0, side, 3).slice(2, 0, side, 3);
    const double cosine = at::cosine_similarity(found.flatten(), truth.flatten(), 0).item<double>();
    EXPECT_GT(cosine, 0.99);
    EXPECT_TRUE(at::equal(found, attribute_images(*linear.model, questions, "lime", 1).slice(1, 0, side, 3).slice(2, 0, side, 3)));
}

TEST(ImageAttribution, AGradientIsWhatDifferencesSay) {
    const auto model = drawn("lenet", true);
    const AskedImages questions = asked(1);
    const at::Tensor slopes = attribute_images(*model, questions, "gradient", 1)[0];
    const int64_t place = slopes.abs().argmax().item<int64_t>();
    constexpr double step = 1e-3;
    at::Tensor up = questions.images.clone(), down = questions.images.clone();
    up.view(-1)[place] += step;
    down.view(-1)[place] -= step;
    const double measured = (questions.gaps(model->logits(up)) - questions.gaps(model->logits(down))).item<double>() / (2 * step);
    EXPECT_NEAR(slopes.flatten()[place].item<double>(), measured, 0.02 * std::abs(measured) + 1e-4);
}

TEST(ImageAttribution, IntegratedGradientsAddUp) {
    const auto model = drawn("lenet", true);
    const AskedImages questions = asked();
    const at::Tensor sums = integrated_gradients(*model, questions, 400).sum({1, 2});
    const at::Tensor gaps =
        questions.gaps(model->logits(questions.images)) - questions.gaps(model->logits(at::zeros_like(questions.images)));
    expect_near(sums, gaps, 2e-3);
}

TEST(ImageAttribution, RelevanceIsConserved) {
    for (const char* kind : {"lenet", "vgg", "resnet"}) {
        SCOPED_TRACE(kind);
        const auto model = drawn(kind);
        const AskedImages questions = asked();
        const at::Tensor gaps = questions.gaps(model->logits(questions.images));
        // Without biases and with a vanishing epsilon all of it comes down to the pixels.
        const at::Tensor sums = layerwise_relevance(*model, questions, 1e-9).sum({1, 2});
        EXPECT_LT(((sums - gaps) / gaps.abs().max()).abs().max().item<double>(), 1e-3);
        // It is x times the gradient then.
        expect_near(layerwise_relevance(*model, questions, 0), gradient_times_input(*model, questions), 1e-4);
        const double lost = layerwise_relevance(*model, questions, 0.25).abs().sum().item<double>();
        EXPECT_LT(lost, layerwise_relevance(*model, questions, 0).abs().sum().item<double>());
    }
}

TEST(ImageAttribution, GradCamIsNeverNegativeForOneClass) {
    for (const char* kind : {"lenet", "vgg", "resnet"}) {
        SCOPED_TRACE(kind);
        const auto model = drawn(kind, true);
        AskedImages questions = asked();
        const at::Tensor both = attribute_images(*model, questions, "grad-cam", 1);
        const at::Tensor facts = attribute_images(*model, {questions.images, questions.fact, {}}, "grad-cam", 1);
        const at::Tensor foils = attribute_images(*model, {questions.images, questions.foil, {}}, "grad-cam", 1);
        EXPECT_GE(facts.min().item<double>(), 0);
        expect_near(both, facts - foils, 1e-6);
        EXPECT_EQ(both.sizes(), (std::vector<int64_t>{3, side, side}));
    }
}

TEST(ImageAttribution, WindowsKeepTheGradientWhereItIsLargest) {
    const auto model = drawn("lenet", true);
    const AskedImages questions = asked(2);
    const at::Tensor slopes = attribute_images(*model, questions, "gradient", 1), kept = attribute_images(*model, questions, "windows", 1);
    for (int64_t i = 0; i < 2; ++i) EXPECT_LE(kept[i].ne(0).sum().item<int64_t>(), 75);
    expect_near(kept, at::where(kept.ne(0), slopes, at::zeros_like(slopes)), 1e-6);
    // The window in which it adds up to most is one of them.
    const at::Tensor sums = at::avg_pool2d(slopes[0].view({1, 1, side, side}), 5, 1)[0][0].abs();
    const int64_t best = sums.argmax().item<int64_t>(), row = best / sums.size(1), column = best % sums.size(1);
    const auto window = [&](const at::Tensor& map) { return map[0].slice(0, row, row + 5).slice(1, column, column + 5); };
    EXPECT_TRUE(at::equal(window(kept), window(slopes)));
    EXPECT_TRUE(at::equal(in_windows(slopes, 5, 3), kept));
    EXPECT_TRUE(at::equal(in_windows(slopes, 2 * side, 1), slopes)) << "a window as large as the map keeps all of it";
}

TEST(ImageAttribution, TheSweepMovesBothProbabilities) {
    const LinearModel linear;
    const AskedImages questions = asked(2);
    const at::Tensor map = attribute_by_sweep(*linear.model, questions, "gradient", 1);
    const at::Tensor before = linear.model->logits(questions.images).softmax(1),
                     after = linear.model->logits((questions.images - map.unsqueeze(1)).clamp(0, 1)).softmax(1);
    for (int64_t i = 0; i < 2; ++i) {
        EXPECT_LT(after[i][0].item<double>(), before[i][0].item<double>());
        const int64_t foil = questions.foil[i].item<int64_t>();
        EXPECT_GT(after[i][foil].item<double>(), before[i][foil].item<double>());
    }
}

TEST(ImageAttribution, QuestionsDoNotDependOnOneAnother) {
    const auto model = drawn("lenet", true);
    const AskedImages questions = asked();
    for (const AttributionMethod& method : methods_of_images()) {
        if (!method.asks_classifier || method.name == "pda") continue;
        SCOPED_TRACE(method.name);
        const at::Tensor together = attribute_images(*model, questions, method.name, 4);
        for (int64_t i = 0; i < questions.size(); ++i)
            expect_near(attribute_images(*model, questions.part(i, i + 1), method.name, 4)[0], together[i],
                        1e-4 * together.abs().max().item<double>() + 1e-7);
    }
}

/// Pictures come in as bytes; of these the model makes a batch.
std::unique_ptr<Batch> batch_of(ImageModel& model, int64_t n) {
    std::vector<Input> inputs;
    const at::Tensor images = random_images(n, 9);
    for (int64_t i = 0; i < n; ++i) inputs.push_back({drawing::to_png(to_picture(images[i])), "image.png"});
    std::vector<ReadNotes> notes;
    return model.read(inputs, notes);
}

std::string message_of(const std::function<void()>& run) {
    try {
        run();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
    }
    return "";
}

TEST(ImageAttribution, SaysWhatItCannotDo) {
    const LinearModel linear;
    ImageAttribution service;
    const auto batch = batch_of(*linear.model, 1);
    const auto message = [&](const std::string& method, int64_t foil = 1, bool sweep = false) {
        return message_of([&] { service.attribute(*linear.model, *batch, {method, {{0, 0, foil}}, sweep, 1, ""}); });
    };
    EXPECT_THAT(message("grad-cam"), HasSubstr("TorchScript"));
    EXPECT_THAT(message("lrp"), HasSubstr("choose gradient"));
    EXPECT_THAT(message("pda"), HasSubstr("generator"));
    EXPECT_THAT(message("mean-of-foil"), HasSubstr("'standing'"));
    EXPECT_THAT(message("nearest-of-foil", -1), HasSubstr("no map of the fact alone"));
    EXPECT_THAT(message("gradient", -1, true), HasSubstr("needs a foil"));
    EXPECT_THAT(message("graident"), HasSubstr("gradient"));
}

TEST(ImageAttribution, WritesItsPictures) {
    const LinearModel linear;
    const TemporaryFolder folder;
    ImageAttribution service;
    const auto batch = batch_of(*linear.model, 2);
    const auto maps =
        service.attribute(*linear.model, *batch, {"occlusion", {{0, 0, 1, "one"}, {1, 2, 1, "two"}}, false, 1, folder.path().string()});
    ASSERT_EQ(maps.size(), 2U);
    for (const AttributionMap& map : maps) {
        EXPECT_EQ(map.shape, (std::vector<int64_t>{side, side}));
        EXPECT_EQ(map.scores.size(), static_cast<size_t>(side * side));
        ASSERT_EQ(map.files.size(), 2U);
        for (const auto& [name, path] : map.files) EXPECT_TRUE(std::filesystem::is_regular_file(folder.path() / path)) << path;
    }
}

TEST(ImageAttribution, CanBeInterrupted) {
    const auto model = drawn("lenet", true);
    const AskedImages questions = asked(2);
    const InterruptionScope scope([] { throw Error(ErrorCode::cancelled, "enough"); });
    EXPECT_THROW(attribute_images(*model, questions, "occlusion", 1), Error);
}

}  // namespace
