#include "training/loop.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "support/temporary_folder.h"
#include "training/optimiser.h"

namespace whynot::training {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t samples = 10, batch_size = 4, epochs = 3;  // batches of 4, 4 and 2

/// A vector that each step moves by an amount of its own, in an order that each epoch shuffles anew from the one before.
struct Toy {
    at::Tensor weight = at::ones({3}).requires_grad_();
    DenseAdam adam{{weight}};
    std::vector<size_t> seen;     ///< samples, as they came
    std::vector<int64_t> steps;   ///< numbers
    std::vector<EpochLoss> told;  ///< epochs

    void train(const Checkpoint& checkpoint, const Observer& observer = {}) {
        TrainingRun run("the toy", checkpoint, observer, std::chrono::seconds(3600));
        run.keep("weight", weight);
        run.keep("adam", adam);
        Places order(samples);
        std::iota(order.begin(), order.end(), size_t{0});
        train_in_batches(
            run, {"toy", epochs},
            [&](int64_t epoch) { return shuffled_batches(order, batch_size, mix_seed(3, 1, static_cast<uint64_t>(epoch))); },
            [&](const Places& batch, Step step) {
                EXPECT_EQ(step.of, 9);
                auto random = make_generator(mix_seed(3, 2, step.seed()));
                (weight * at::empty({3}).normal_(0, 1, random)).sum().backward();
                adam.step(0.1);
                seen.insert(seen.end(), batch.begin(), batch.end());
                steps.push_back(step.number);
                return BatchLoss{static_cast<double>(batch[0]), static_cast<double>(batch.size())};
            },
            [&](const EpochLoss& epoch) { told.push_back(epoch); });
    }
};

TEST(TrainingLoop, GoesOverAllSamplesInEachEpoch) {
    Toy toy;
    toy.train({});
    EXPECT_THAT(toy.steps, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
    ASSERT_EQ(toy.seen.size(), static_cast<size_t>(epochs * samples));
    std::vector<std::vector<size_t>> orders;
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
        auto& order = orders.emplace_back(toy.seen.begin() + epoch * samples, toy.seen.begin() + (epoch + 1) * samples);
        std::vector<size_t> sorted = order;
        std::sort(sorted.begin(), sorted.end());
        for (size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
    }
    EXPECT_NE(orders[0], orders[1]);

    // The loss of an epoch is the mean over its samples, not over its batches.
    ASSERT_EQ(toy.told.size(), static_cast<size_t>(epochs));
    EXPECT_EQ(toy.told[1].stage, "toy, epoch 2 of 3");
    EXPECT_EQ(toy.told[1].number, 2);
    EXPECT_EQ(toy.told[1].weight, samples);
    const auto first_of = [&](size_t i) { return static_cast<double>(orders[1][i]); };
    EXPECT_DOUBLE_EQ(toy.told[1].loss, (4 * first_of(0) + 4 * first_of(4) + 2 * first_of(8)) / 10);
}

TEST(TrainingLoop, StoppedAnywhereItEndsAsIfItHadNeverStopped) {
    Toy whole;
    whole.train({});
    for (int64_t stop = 1; stop < 9; ++stop) {
        const TemporaryFolder folder;
        const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
        Observer stopping;
        stopping.cancelled = [left = stop]() mutable { return left-- == 0; };
        Toy begun, resumed;
        EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { begun.train(checkpoint, stopping); }),
                    AllOf(HasSubstr("the toy"), HasSubstr("step " + std::to_string(stop) + " of about 9")));
        resumed.train(checkpoint);
        std::vector<size_t> seen = begun.seen;
        seen.insert(seen.end(), resumed.seen.begin(), resumed.seen.end());
        EXPECT_EQ(seen, whole.seen) << "stopped at " << stop;
        EXPECT_TRUE(at::equal(resumed.weight, whole.weight)) << "stopped at " << stop;
        EXPECT_EQ(resumed.told.size(), static_cast<size_t>(epochs - stop / 3)) << "an epoch that is done is not told again";
    }
}

TEST(TrainingLoop, SaysThatAFinishedRunIsTaken) {
    const TemporaryFolder folder;
    const Checkpoint checkpoint(folder / "toy.checkpoint", "toy run");
    Toy first, second;
    first.train(checkpoint);
    std::vector<std::string> log;
    Observer observer;
    observer.log = [&](const std::string& line) { log.push_back(line); };
    second.train(checkpoint, observer);
    EXPECT_TRUE(second.steps.empty());
    EXPECT_TRUE(at::equal(first.weight, second.weight));
    EXPECT_THAT(log, ElementsAre("toy: taken from its checkpoint"));
}

}  // namespace
}  // namespace whynot::training
