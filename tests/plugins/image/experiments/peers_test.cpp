// Other methods' pictures, and the experiment that puts ours beside them, on a pack trained on rings and bars.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "image/comparing/peer_methods.h"
#include "image/experiments/experiments.h"
#include "image/measuring/evaluator.h"
#include "image/measuring/judging.h"
#include "plugins/image/experiments/toy_pack.h"
#include "support/points_pack.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

/// "Why not the class after it?" of held-out images.
struct Peers : ::testing::Test {
    ImageModel model{toy::Trained::get().pack};
    corpora::ImageCorpus corpus = corpora::read_images(toy::Trained::get().folder.path(), "toy");
    TrainingImages train = tensors_of(corpus.train);
    PeerQuestions questions;
    Watch watch = [](double share) {
        EXPECT_GE(share, 0);
        EXPECT_LE(share, 1);
    };

    Peers() {
        questions.images = tensors_of(corpus.held_out).images(at::arange(12));
        questions.foil = (model.logits(questions.images).argmax(1) + 1).remainder(3);
    }
    at::Tensor called_foil(const at::Tensor& pictures) const { return model.logits(pictures).argmax(1).eq(questions.foil); }
    at::Tensor probability(const at::Tensor& pictures) const {
        return at::softmax(model.logits(pictures), 1).gather(1, questions.foil.unsqueeze(1)).squeeze(1);
    }
    at::Tensor distance(const at::Tensor& pictures) const { return (pictures - questions.images).flatten(1).norm(2, 1); }
    static double mean(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }
};

TEST_F(Peers, EveryMethodEndsWithPicturesThatCanBeShown) {
    const std::map<std::string, at::Tensor> all{
        {"codes", search_codes(model, questions, {}, watch)},  {"pixels", search_pixels(model, questions, watch)},
        {"balls", descend_in_balls(model, questions, watch)},  {"gradient", follow_gradient(model, questions, watch)},
        {"nearest", nearest_of_foil(questions, train, watch)}, {"mean", mean_of_foil(questions, train)}};
    for (const auto& [name, pictures] : all) {
        EXPECT_EQ(pictures.sizes(), questions.images.sizes()) << name;
        EXPECT_FALSE(pictures.requires_grad()) << name;
        EXPECT_TRUE(pictures.ge(0).logical_and(pictures.le(1)).all().item<bool>()) << name;
    }
}

TEST_F(Peers, PixelsAndBallsReachTheFoilAndStayNear) {
    const at::Tensor pixels = search_pixels(model, questions, watch), balls = descend_in_balls(model, questions, watch);
    EXPECT_TRUE(called_foil(pixels).all().item<bool>());
    EXPECT_TRUE(called_foil(balls).all().item<bool>());
    const at::Tensor nearest = distance(nearest_of_foil(questions, train, watch));
    EXPECT_LT(mean(distance(pixels)), mean(nearest));
    EXPECT_LT(mean(distance(balls)), mean(nearest));
}

TEST_F(Peers, TheGradientIsFollowedInAStraightLineUntilTheFoilIsReached) {
    const at::Tensor found = follow_gradient(model, questions, watch);
    at::Tensor x = questions.images.clone().requires_grad_();
    const at::Tensor logits = model.logits(x), fact = logits.argmax(1);
    (logits.gather(1, questions.foil.unsqueeze(1)) - logits.gather(1, fact.unsqueeze(1))).sum().backward();
    for (int64_t i = 0; i < questions.size(); ++i) {
        const at::Tensor way = x.grad()[i] / x.grad()[i].norm();
        // The first multiple at which it is called the foil, or the last that was tried.
        at::Tensor expected;
        for (int k = 1; k <= 40; ++k) {
            expected = (questions.images[i] + 0.25 * k * way).clamp(0, 1);
            if (model.logits(expected.unsqueeze(0)).argmax(1).eq(questions.foil[i]).item<bool>()) break;
        }
        EXPECT_TRUE(at::allclose(found[i], expected, 0, 1e-5)) << i;
    }
}

TEST_F(Peers, ADearerDistanceKeepsLatentAnswersNearer) {
    LatentSearch cheap, dear;
    cheap.weight = 0.003;
    dear.weight = 0.1;
    const at::Tensor far = search_codes(model, questions, cheap, watch), near = search_codes(model, questions, dear, watch);
    EXPECT_TRUE(called_foil(far).all().item<bool>());
    EXPECT_LT(mean(distance(near)), mean(distance(far)));
}

TEST_F(Peers, EachQuestionIsItsOwn) {
    const PeerQuestions alone{questions.images.slice(0, 3, 4), questions.foil.slice(0, 3, 4)};
    LatentSearch options;
    options.weight = 0.01;
    const auto same = [](const at::Tensor& one, const at::Tensor& all) { return at::allclose(one[0], all[3], 0, 2e-2); };
    EXPECT_TRUE(same(search_codes(model, alone, options, watch), search_codes(model, questions, options, watch)));
    EXPECT_TRUE(same(search_pixels(model, alone, watch), search_pixels(model, questions, watch)));
    EXPECT_TRUE(same(follow_gradient(model, alone, watch), follow_gradient(model, questions, watch)));
}

TEST_F(Peers, TheTwoThatIgnoreTheClassifierAreTrainingImages) {
    const at::Tensor nearest = nearest_of_foil(questions, train, watch), mean_picture = mean_of_foil(questions, train);
    for (int64_t i = 0; i < questions.size(); ++i) {
        const at::Tensor of_foil = train.images(train.labels.eq(questions.foil[i].item<int64_t>()).nonzero().squeeze(1));
        const at::Tensor away = (of_foil - questions.images[i]).flatten(1).norm(2, 1);
        EXPECT_NEAR((nearest[i] - questions.images[i]).norm().item<double>(), away.min().item<double>(), 1e-4);
        EXPECT_TRUE(at::allclose(mean_picture[i], of_foil.mean(0), 0, 1e-5));
    }
    EXPECT_TRUE(plausible(nearest, questions.foil, train, watch).sum().item<int64_t>() >= questions.size() / 2);
}

TEST_F(Peers, WhatWatchesCanStopThem) {
    const auto stop = [](double) { throw Error(ErrorCode::cancelled, "enough"); };
    EXPECT_THROW(search_codes(model, questions, {}, stop), Error);
    EXPECT_THROW(search_pixels(model, questions, stop), Error);
    EXPECT_THROW(descend_in_balls(model, questions, stop), Error);
    EXPECT_THROW(follow_gradient(model, questions, stop), Error);
}

TEST(PeersExperiment, PutsOursBesideTheOthersAndKeepsWhatItMeasured) {
    const TemporaryFolder folder;
    const ExperimentRequest request = toy::request_for("image/peers", folder);
    std::vector<std::string> log;
    Observer observer;
    observer.log = [&](const std::string& line) { log.push_back(line); };
    const std::string text = ImageExperiments().run(request, observer);
    const ExperimentResult result = experiment_result_from_json(text, "the result");
    EXPECT_EQ(result.name, "image/peers");
    ASSERT_EQ(result.tables.size(), 3u);  // two kinds of foils, and the choice of a weight
    for (size_t kind = 0; kind < 2; ++kind) {
        std::map<std::string, std::vector<ExperimentValue>> rows;
        for (const auto& row : result.tables[kind].rows) rows[std::get<std::string>(row[0])] = row;
        EXPECT_EQ(rows.size(), 10u);
        // Called the foil: the answer always, the boundary of neither class for sure, what ignores the classifier however it likes.
        EXPECT_GT(std::get<double>(rows.at("ours, P = .99")[1]), 0.9);
        EXPECT_GT(std::get<double>(rows.at("ours, P = .99")[2]), std::get<double>(rows.at("ours, boundary")[2]));
        EXPECT_GT(std::get<double>(rows.at("ours, P = .99")[4]), std::get<double>(rows.at("ours, boundary")[4])) << "farther away";
    }
    ASSERT_FALSE(result.pictures.empty());
    for (const ExperimentPicture& picture : result.pictures) EXPECT_THAT(contents(request.out / picture.file), StartsWith("\x89PNG"));

    log.clear();
    EXPECT_EQ(ImageExperiments().run(request, observer), text) << "the same once more, times included: nothing is measured again";
    EXPECT_THAT(log, Contains(HasSubstr("measured by an earlier run")));
}

TEST(PeersExperiment, StopsWhenAskedAndRefusesWhatDoesNotFit) {
    const TemporaryFolder folder;
    ExperimentRequest request = toy::request_for("image/peers", folder);
    Observer observer;
    observer.cancelled = [] { return true; };
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { ImageExperiments().run(request, observer); }), HasSubstr("stopped"));

    test::write_points_pack(folder / "points");
    request.pack = (folder / "points").string();
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { ImageExperiments().run(request, {}); }),
                HasSubstr("'points' explains points, not images"));
    request.pack = "mnits";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { ImageExperiments().run(request, {}); }), HasSubstr("there is no pack 'mnits'"));
    request.pack = (toy::Trained::get().folder / "pack").string();
    request.corpora = folder / "nowhere";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { ImageExperiments().run(request, {}); }), HasSubstr("nowhere"));
    request.name = "image/pears";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { ImageExperiments().run(request, {}); }), HasSubstr("'image/pears'"));
}

}  // namespace
