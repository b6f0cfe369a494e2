// The plugin boundary with tensors: the plugin points through the interfaces of a modality.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support/points_pack.h"
#include "whynot/host.h"
#include "whynot/modality.h"
#include "whynot/train.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::HasSubstr;

namespace {

class Points : public testing::Test {
protected:
    Points() : folder_(fs::canonical(fs::temp_directory_path()) / ("whynot-points-" + std::to_string(getpid()))) {
        fs::remove_all(folder_);
        PluginSearch search;
        search.plugin_path = WHYNOT_TEST_PLUGINS;
        search.environment = search.installed = false;
        host_ = std::make_unique<Host>(search);
        const Pack pack = test::write_points_pack(folder_ / "points");
        model_ = host_->service<Modality>(host_->find_modality(pack.manifest().modality).manifest.id).open(pack, "cpu");
    }
    ~Points() override { fs::remove_all(folder_); }

    std::unique_ptr<Batch> read(const std::vector<std::string>& texts) {
        std::vector<Input> inputs;
        for (const std::string& text : texts) inputs.push_back({text, ""});
        return model_->read(inputs, notes_);
    }

    fs::path folder_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Model> model_;
    std::vector<ReadNotes> notes_;
};

TEST_F(Points, InfoComesFromThePack) {
    EXPECT_EQ(model_->info().classes, (std::vector<std::string>{"left", "right", "top"}));
    EXPECT_EQ(model_->info().latent_size, 2);
}

TEST_F(Points, BadInputGetsANoteAndNoRow) {
    const auto batch = read({"1 0.25", "one two", "", "1 2 3", "nan 0", "-1 0"});
    ASSERT_EQ(notes_.size(), 6u);
    EXPECT_EQ(batch->size(), 2);
    for (const size_t bad : {1, 2, 3, 4}) EXPECT_THAT(notes_[bad].refusal, HasSubstr("two numbers"));
    EXPECT_TRUE(notes_[5].refusal.empty());
    EXPECT_EQ(batch->classify().argmax(1)[0].item<int64_t>(), 1);
    EXPECT_EQ(batch->classify().argmax(1)[1].item<int64_t>(), 0);
    EXPECT_EQ(read({"x"})->size(), 0);
}

TEST_F(Points, LikelihoodsAreNormalisedAndAgreeWithTheStart) {
    const auto batch = read({"1 0.25", "-0.5 2"});
    const at::Tensor before = batch->classify();
    EXPECT_TRUE(at::allclose(before.exp().sum(1), at::ones({2})));
    const at::Tensor fact = before.argmax(1);
    const at::Tensor z = batch->start(fact, 1);
    const at::Tensor rows = at::arange(2, at::kLong);
    EXPECT_TRUE(at::allclose(batch->log_likelihood(z, rows).log_softmax(1), before));
}

TEST_F(Points, GradientIsThatOfFiniteDifferences) {
    const auto batch = read({"0.3 -0.2"});
    const at::Tensor rows = at::zeros({1}, at::kLong);
    at::Tensor z = at::tensor({0.3f, -0.2f}).reshape({1, 2}).requires_grad_();
    const auto gap = [&](const at::Tensor& at_z) {
        return batch->log_likelihood(at_z, rows)[0][1] - batch->log_likelihood(at_z, rows)[0][2];
    };
    gap(z).backward();
    for (int64_t i = 0; i < 2; ++i) {
        const at::Tensor step = at::zeros({1, 2}).index_put_({at::tensor({int64_t{0}}), at::tensor({i})}, at::tensor({0.5f}));
        const double difference = (gap(z.detach() + step) - gap(z.detach() - step)).item<double>();  // over 2 * 0.5
        EXPECT_NEAR(z.grad()[0][i].item<double>(), difference, 1e-5);
    }
}

TEST_F(Points, ExtraStartsFollowTheSeedAlone) {
    const auto batch = read({"1 0.25", "-0.5 2"});
    const at::Tensor rows = at::arange(2), fact = at::full({2}, 2, at::kLong), foil = at::tensor({int64_t{0}, int64_t{1}});
    const at::Tensor starts = batch->extra_starts(rows, fact, foil, 3, 7);
    EXPECT_EQ(starts.sizes(), (std::vector<int64_t>{2, 3, 2}));
    EXPECT_TRUE(at::equal(starts, batch->extra_starts(rows, fact, foil, 3, 7)));
    EXPECT_FALSE(at::equal(starts, batch->extra_starts(rows, fact, foil, 3, 8)));
    const at::Tensor classes = batch->log_likelihood(starts.reshape({6, 2}), {}).argmax(1).reshape({2, 3});
    EXPECT_TRUE(at::equal(classes, foil.unsqueeze(1).expand({2, 3})));
}

TEST_F(Points, RenderingStepsBeyondTheBoundary) {
    const auto batch = read({"1 0"});
    RenderRequest request;
    request.fact = 1;
    request.foil = 0;
    request.boundary = at::tensor({0.f, 1.f});
    request.decode = "beyond";
    EXPECT_THAT(batch->render({request}, 1).at(0).failure, HasSubstr("not of the class")) << "top is the likeliest there";
    request.boundary = at::tensor({0.f, -1.f});
    const Rendering rendering = batch->render({request}, 1).at(0);
    EXPECT_EQ(rendering.failure, "");
    EXPECT_EQ(rendering.record, "{\"before\": [1, 0], \"boundary\": [0, -1], \"answer\": [-0.05, -1.05]}");
    ASSERT_EQ(rendering.answer.size(), 3u);
    EXPECT_GT(rendering.answer[0], rendering.answer[1]);
    request.decode = "sideways";
    EXPECT_THROW(batch->render({request}, 1), Error);
}

TEST_F(Points, WhatLibTorchThrowsArrivesWithoutItsBacktrace) {
    const auto batch = read({"1 0"});
    try {
        guarded("points", "evaluate the classifier", [&] { return batch->log_likelihood(at::zeros({1, 5}), {}); });
        FAIL() << "five coordinates went through";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::internal);
        const std::string message = error.what();
        EXPECT_THAT(message, testing::StartsWith("the plugin 'points' failed to evaluate the classifier: mat1 and mat2 shapes"));
        EXPECT_THAT(message, testing::Not(HasSubstr("frame #")));
        EXPECT_THAT(message, testing::Not(HasSubstr("Exception raised")));
    }
}

TEST_F(Points, OtherServicesAreNotThere) {
    EXPECT_THROW(host_->service<Trainer>("points"), Error);
    EXPECT_THROW(host_->service<Evaluator>("points"), Error);
}

}  // namespace
