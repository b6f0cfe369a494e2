// Two deep classifiers of drawn garments and the experiment that explains both: it runs, says what it found, and goes on where it was stopped.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "image/comparing/boundaries.h"
#include "image/experiments/experiments.h"
#include "image/services/trainer.h"
#include "plugins/image/experiments/toy_corpora.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using Json = nlohmann::ordered_json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

struct Corpora {
    TemporaryFolder folder;
    Corpora() { toy::write_garments(folder.path()); }
    static const fs::path& get() {
        static const Corpora corpora;
        static const fs::path path = corpora.folder.path();
        return path;
    }
};

ExperimentRequest request_in(const fs::path& out) {
    ExperimentRequest request;
    request.name = "image/fashion";
    request.corpora = Corpora::get();
    request.out = out;
    request.quick = true;
    fs::create_directories(out);
    return request;
}

double figure(const ExperimentResult& result, const std::string& name) {
    for (const ExperimentFigure& one : result.figures)
        if (one.name == name) return one.value.value_or(-1);
    ADD_FAILURE() << "no figure " << name;
    return -1;
}

TEST(Boundaries, ComeBackFromTheirJson) {
    const at::Tensor images = at::zeros({3, 2, 4, 4});
    Boundaries boundaries;
    boundaries.there = at::tensor({1, 0, 1}, at::kLong).to(at::kBool);
    boundaries.pictures = at::arange(96, at::kFloat).view({3, 2, 4, 4}).mul(2).div(255);
    boundaries.said = at::tensor({0.5, 0.5, 0., 0.1, 0.2, 0.7, 0.3, 0.3, 0.4}, at::kDouble).view({3, 3}).clamp_min(1e-9).log();
    boundaries.distance = at::tensor({1.25, 0., 3.5}, at::kDouble);
    const Boundaries back = Boundaries::from_json(Json::parse(boundaries.to_json().dump()), images);
    EXPECT_TRUE(at::equal(back.there, boundaries.there));
    EXPECT_TRUE(at::equal(back.pictures, boundaries.pictures)) << "every level";
    EXPECT_TRUE(at::equal(back.said, boundaries.said));
    EXPECT_TRUE(at::equal(back.distance, boundaries.distance));
    EXPECT_DOUBLE_EQ(back.found(), 2.0 / 3);
    // A third class is above both in the second and the third; in the second there is no boundary.
    const at::Tensor wins = back.third_wins(at::zeros({3}, at::kLong), at::ones({3}, at::kLong));
    EXPECT_TRUE(at::equal(wins, at::tensor({0, 0, 1}, at::kLong).to(at::kBool)));
    EXPECT_EQ(back.first(2).size(), 2);
    EXPECT_DOUBLE_EQ(std::get<double>(median_where(back.distance, back.there)), 1.25);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(median_where(back.distance, at::zeros({3}, at::kBool))));
}

TEST(Boundaries, ChangesAgreeByTheirCosine) {
    const at::Tensor one = at::tensor({1., 0., 0., 0., 1., 1., 0., 0., 2., 0., 0., 0.}, at::kDouble).view({3, 1, 2, 2}),
                     other = at::tensor({3., 0., 0., 0., 1., -1., 0., 0., -1., 0., 0., 0.}, at::kDouble).view({3, 1, 2, 2});
    const at::Tensor found = cosines(one, other);
    for (int64_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i].item<double>(), 1 - i, 1e-12);
    EXPECT_EQ(cosines(one, at::zeros_like(one)).abs().max().item<double>(), 0) << "no change, and no NaN";
}

TEST(FashionExperiment, ExplainsBothNetworksAndGoesOnWhereItWasStopped) {
    const TemporaryFolder folder;
    const ExperimentRequest request = request_in(folder / "at-once");
    const std::string text = ImageExperiments().run(request, {});
    const ExperimentResult result = experiment_result_from_json(text, "the result");
    ASSERT_EQ(result.tables.size(), 3u);  // two questions, and how far both agree
    for (size_t q = 0; q < 2; ++q) {
        ASSERT_EQ(result.tables[q].rows.size(), 8u);
        for (const auto& row : result.tables[q].rows)
            for (const size_t share : {2, 3}) EXPECT_LE(std::get<double>(row[share]), 1);
    }
    for (const auto& row : result.tables[2].rows)
        for (size_t c = 1; c <= 5; ++c) {
            const double* cosine = std::get_if<double>(&row[c]);
            EXPECT_TRUE(!cosine || std::abs(*cosine) <= 1) << *cosine;
        }
    EXPECT_GT(figure(result, "VGG16: accuracy on held-out images"), 0.6);
    EXPECT_GT(figure(result, "ResNet101: accuracy on held-out images"), 0.2);
    EXPECT_GT(figure(result, "VGG16, t-shirt, why not shirt? boundary found"), 0.5);
    for (const ExperimentPicture& picture : result.pictures) EXPECT_THAT(contents(request.out / picture.file), StartsWith("\x89PNG"));

    // Both packs are there to be asked, the second with the first one's generator.
    EXPECT_THAT(open_pack(request.out / "packs" / "resnet101").manifest().network, HasSubstr("generator_from"));

    // Stopped in the training, later in the questions, then let go on: the same.
    const ExperimentRequest stopped = request_in(folder / "stopped");
    for (const int patience : {60, 400}) {
        int asked = 0;
        Observer observer;
        observer.cancelled = [&] { return ++asked > patience; };
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { ImageExperiments().run(stopped, observer); }), HasSubstr("stopped"));
    }
    std::vector<std::string> log;
    Observer listening;
    listening.log = [&](const std::string& line) { log.push_back(line); };
    EXPECT_EQ(ImageExperiments().run(stopped, listening), text);
    log.clear();
    EXPECT_EQ(ImageExperiments().run(stopped, listening), text);
    EXPECT_THAT(log, Contains("pack-resnet101: measured by an earlier run"));
    EXPECT_THAT(log, Contains("second-trouser-coat: measured by an earlier run"));
}

TEST(FashionExperiment, RefusesACorpusWithoutItsClasses) {
    const TemporaryFolder folder;
    toy::write_named(folder.path(), "fashion-mnist", {"hat", "glove"}, 1, 30, 5,
                     [](const toy::Drawn& image, int label, int y, int x, int) { return label == (x + y) % 2 ? 200 * image.light : 20; });
    TrainRequest train;
    train.corpus = "fashion-mnist";
    train.corpora = folder.path();
    train.out = folder / "gloves";
    train.recipe = R"({"codes": 5, "evaluation": {"images": 0}, "classifier": {"epochs": 1}, "generator": {"latent": 4, "epochs": 1}})";
    ImageTrainer().train(train, {});
    ExperimentRequest request = request_in(folder / "out");
    request.corpora = folder.path();
    request.pack = train.out.string();
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { ImageExperiments().run(request, {}); }), HasSubstr("'t-shirt'"));
    EXPECT_FALSE(fs::exists(request.out / "packs")) << "before anything long begins";
}

}  // namespace
