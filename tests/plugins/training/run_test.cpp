#include "training/run.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "support/temporary_folder.h"
#include "training/optimiser.h"
#include "training/random.h"
#include "training/recipe.h"

namespace whynot::training {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t steps = 12;

at::Tensor noise(at::IntArrayRef shape, uint64_t step) {
    auto random = make_generator(mix_seed(7, 1, step));
    return at::empty(shape).normal_(0, 1, random);
}

/// Learns nothing worth knowing, with everything that a run may keep.
struct Toy {
    at::Tensor weight = at::ones({3}).requires_grad_(), table = at::zeros({4, 2}), seen = at::zeros({}, at::kLong);
    DenseAdam dense{{weight}};
    RowAdam rows{table};
    int64_t done = 0;  ///< steps of this object's run

    void train(const Checkpoint& checkpoint, const Observer& observer = {}, std::chrono::seconds period = std::chrono::seconds(3600)) {
        TrainingRun run("the toy", checkpoint, observer, period);
        run.keep("weights.weight", weight);
        run.keep("weights.table", table);
        run.keep("seen", seen);
        run.keep("dense", dense);
        run.keep("rows", rows);
        run.resume();
        for (int64_t step = 0; step < steps; ++step) {
            if (!run.begins(step, steps)) continue;
            (weight * noise({3}, static_cast<uint64_t>(step))).sum().backward();
            dense.step(0.1);
            rows.step(at::tensor({step % 4}, at::kLong), noise({1, 2}, static_cast<uint64_t>(step)), 0.1);
            seen.add_(1);
            ++done;
            if (run.speaks()) run.tell("toy", step, steps, "a detail");
        }
        run.save(steps);
        run.log("done");
    }
};

Observer stops_after(int polls) {
    Observer observer;
    observer.cancelled = [left = polls]() mutable { return left-- == 0; };
    return observer;
}

TEST(TrainingRun, StoppedAndResumedEndsAsIfItHadNeverStopped) {
    const TemporaryFolder folder;
    Toy whole, begun, resumed;
    whole.train({});
    const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { begun.train(checkpoint, stops_after(5)); }),
                AllOf(HasSubstr("the toy"), HasSubstr("step 5 of about 12"), HasSubstr("goes on")));
    EXPECT_EQ(begun.done, 5);
    resumed.train(checkpoint);
    EXPECT_EQ(resumed.done, steps - 5);
    EXPECT_TRUE(at::equal(whole.weight, resumed.weight));
    EXPECT_TRUE(at::equal(whole.table, resumed.table));
    EXPECT_EQ(resumed.seen.item<int64_t>(), steps) << "whole numbers stay whole";
}

TEST(TrainingRun, GoesOnFromAFinishedOneWithNothingLeftToDo) {
    const TemporaryFolder folder;
    const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
    Toy first, second;
    first.train(checkpoint);
    second.train(checkpoint);
    EXPECT_EQ(second.done, 0);
    EXPECT_TRUE(at::equal(first.weight, second.weight));
}

TEST(TrainingRun, SavesItselfOnTheWay) {
    const TemporaryFolder folder;
    const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
    Toy dies;
    Observer observer;
    observer.cancelled = [polls = 0]() mutable {
        if (++polls == 8) throw std::runtime_error("the power fails");
        return false;
    };
    EXPECT_THROW(dies.train(checkpoint, observer, std::chrono::seconds(0)), std::runtime_error);
    Toy resumed, whole;
    resumed.train(checkpoint);
    whole.train({});
    EXPECT_EQ(resumed.done, steps - 6) << "saved before the last step that was done";
    EXPECT_TRUE(at::equal(whole.weight, resumed.weight));
}

TEST(TrainingRun, RefusesTheCheckpointOfAnotherModel) {
    const TemporaryFolder folder;
    const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
    Toy().train(checkpoint);
    const auto resume = [&](const std::string& name, const at::Tensor& tensor) {
        return message_of(ErrorCode::invalid_argument, [&] {
            TrainingRun run("the toy", checkpoint, {});
            run.keep(name, tensor);
            run.resume();
        });
    };
    EXPECT_THAT(resume("weights.weight", at::zeros({5})), AllOf(HasSubstr("weights.weight"), HasSubstr("another shape")));
    EXPECT_THAT(resume("weights.other", at::zeros({3})), AllOf(HasSubstr("weights.other"), HasSubstr("none")));
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { Checkpoint(folder / "toy.checkpoint", "another run").load(); }),
                HasSubstr("another recipe"));
}

TEST(TrainingRun, TellsAFewTimesASecondAndLogs) {
    std::vector<Progress> told;
    std::vector<std::string> lines;
    Observer observer;
    observer.progress = [&](const Progress& progress) { told.push_back(progress); };
    observer.log = [&](const std::string& line) { lines.push_back(line); };
    Toy().train({}, part(observer, 0.5, 1));
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told[0].stage, "toy");
    EXPECT_EQ(told[0].detail, "a detail");
    EXPECT_DOUBLE_EQ(told[0].fraction, 0.5);
    EXPECT_THAT(lines, testing::ElementsAre("done"));
}

TEST(Part, KeepsWhatItDoesNotScale) {
    EXPECT_FALSE(part({}, 0, 1).progress);
    double fraction = 0;
    Observer scaled;
    {
        Observer whole;  // gone before its part speaks
        whole.progress = [&](const Progress& progress) { fraction = progress.fraction; };
        whole.cancelled = [] { return true; };
        scaled = part(whole, 0.2, 0.6);
    }
    scaled.progress({"", 0.5, ""});
    EXPECT_DOUBLE_EQ(fraction, 0.4);
    EXPECT_TRUE(scaled.cancelled());
}

TEST(Checkpoint, KeepsNothingWithoutAFile) {
    const Checkpoint none;
    none.save({{"x", at::ones({1})}});
    EXPECT_TRUE(none.load().empty());
    const TemporaryFolder folder;
    EXPECT_TRUE(Checkpoint(folder / "not there", "run").load().empty());
}

TEST(Checkpoint, AlteredNumbersAreRefused) {
    const TemporaryFolder folder;
    const std::filesystem::path file = folder / "x.checkpoint";
    const Checkpoint checkpoint(file, "run");
    const auto refusal = [&] { return message_of(ErrorCode::invalid_argument, [&] { checkpoint.load(); }); };
    checkpoint.save({{"x", noise({64, 64}, 1)}});
    EXPECT_EQ(checkpoint.load().size(), 1u);
    std::ifstream in(file, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    const auto write = [&](const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; };
    write(whole.substr(0, whole.size() - 4000) + std::string(4000, '\xff'));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("is altered"), HasSubstr("remove it")));
    for (const size_t size : {size_t{0}, size_t{4}, whole.size() / 2}) {
        write(whole.substr(0, size));
        EXPECT_THAT(refusal(), AllOf(HasSubstr("is damaged"), HasSubstr("remove it"))) << size;
    }
    checkpoint.save({{"x", at::full({2}, NAN)}});
    EXPECT_THAT(refusal(), HasSubstr("not finite ('x')"));
}

TEST(Checkpoint, GroupsComeOutAsTheyWentIn) {
    NamedTensors all{{"other", at::zeros({1})}};
    put_group(all, "adam", {{"first", at::ones({2})}, {"steps", at::scalar_tensor(3, at::kLong)}});
    put_group(all, "adamant", {{"first", at::zeros({2})}});
    const NamedTensors group = take_group(all, "adam");
    EXPECT_EQ(group.size(), 2u);
    EXPECT_TRUE(at::equal(group.at("first"), at::ones({2})));
}

TEST(TensorFiles, RoundedWeightsAreStoredExactlyInHalfTheSpace) {
    const TemporaryFolder folder;
    const at::Tensor weights = noise({64, 64}, 1), numbers = at::tensor({int64_t{1} << 40, int64_t{-3}}, at::kLong);
    const at::Tensor rounded = weights.clone();
    round_to_half(rounded);
    EXPECT_FALSE(at::equal(weights, rounded));
    EXPECT_TRUE(at::allclose(weights, rounded, 1e-3, 1e-6));
    write_tensors(folder / "half", {{"weights", rounded.t()}, {"numbers", numbers}}, true);
    write_tensors(folder / "full", {{"weights", weights}}, false);
    const NamedTensors half = read_tensors(folder / "half"), full = read_tensors(folder / "full");
    EXPECT_TRUE(at::equal(half.at("weights"), rounded.t()));
    EXPECT_TRUE(at::equal(half.at("numbers"), numbers));
    EXPECT_TRUE(at::equal(full.at("weights"), weights));
    EXPECT_LT(std::filesystem::file_size(folder / "half"), std::filesystem::file_size(folder / "full") * 6 / 10);
}

TEST(Random, SeedsOfDifferentDrawsDiffer) {
    std::set<uint64_t> seeds;
    for (uint64_t seed = 0; seed < 5; ++seed)
        for (uint64_t stream = 0; stream < 5; ++stream)
            for (uint64_t step = 0; step < 40; ++step) seeds.insert(mix_seed(seed, stream, step));
    EXPECT_EQ(seeds.size(), 1000u);
}

TEST(Recipe, ChangesReplaceValuesAndNothingElse) {
    const std::string defaults = R"({"vae":{"latent":32,"rate":0.5,"kind":"a"},"seed":1})";
    EXPECT_EQ(merge_recipe(defaults, ""), defaults);
    EXPECT_EQ(merge_recipe(defaults, "{}"), defaults);
    EXPECT_EQ(merge_recipe(defaults, R"({"seed": 2, "vae": {"rate": 1, "latent": 8}})"),
              R"({"vae":{"latent":8,"rate":1,"kind":"a"},"seed":2})");
}

TEST(Recipe, RefusesWhatItDoesNotKnow) {
    const std::string defaults = R"({"vae":{"latent":32,"rate":0.5,"kind":"a"},"seed":1})";
    const auto refused = [&](const std::string& changes) {
        return message_of(ErrorCode::invalid_argument, [&] { merge_recipe(defaults, changes); });
    };
    EXPECT_THAT(refused(R"({"vae": {"latnet": 8}})"), AllOf(HasSubstr("'vae.latnet'"), HasSubstr("latent, rate, kind")));
    EXPECT_THAT(refused(R"({"vae": {"latent": 8.5}})"), AllOf(HasSubstr("'vae.latent'"), HasSubstr("8.5"), HasSubstr("32")));
    EXPECT_THAT(refused(R"({"vae": 3})"), HasSubstr("'vae'"));
    EXPECT_THAT(refused(R"({"seed": {"a": 1}})"), HasSubstr("'seed'"));
    EXPECT_THAT(refused(R"({"seed": true})"), HasSubstr("'seed'"));
    EXPECT_THAT(refused("[1]"), HasSubstr("JSON object"));
    EXPECT_THAT(refused("{"), HasSubstr("not valid JSON"));
    EXPECT_THAT(refused("[]"), HasSubstr("JSON object"));
}

}  // namespace
}  // namespace whynot::training
