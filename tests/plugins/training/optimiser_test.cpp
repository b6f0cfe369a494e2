#include "training/optimiser.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include "training/random.h"
#include "whynot/error.h"

namespace whynot::training {
namespace {

at::Tensor random_tensor(at::IntArrayRef shape, uint64_t seed) {
    auto generator = make_generator(seed);
    return at::empty(shape).normal_(0, 1, generator);
}

TEST(RowAdam, ChangesTheRowsOfTheStepAndNoOthers) {
    const auto before = random_tensor({6, 3}, 1);
    auto table = before.clone();
    RowAdam adam(table);
    const auto rows = at::tensor({4, 1}, at::kLong);
    adam.step(rows, random_tensor({2, 3}, 2), 0.1);
    for (int64_t row = 0; row < 6; ++row) EXPECT_EQ(at::equal(table[row], before[row]), row != 4 && row != 1) << row;
}

TEST(RowAdam, FirstStepIsTheRateAgainstTheGradientsSign) {
    auto table = at::zeros({2, 2});
    RowAdam adam(table);
    adam.step(at::tensor({0}, at::kLong), at::tensor({3.0f, -0.01f}).view({1, 2}), 0.1);
    EXPECT_TRUE(at::allclose(table, at::tensor({-0.1f, 0.1f, 0.0f, 0.0f}).view({2, 2}), 1e-4));
}

TEST(RowAdam, OnAllRowsIsAdam) {
    const auto start = random_tensor({5, 2}, 3), goal = random_tensor({5, 2}, 4);
    auto table = start.clone();
    auto leaf = start.clone().requires_grad_();
    RowAdam rows(table);
    DenseAdam dense({leaf}, 0);
    auto torchs = start.clone().requires_grad_();
    torch::optim::Adam reference({torchs}, torch::optim::AdamOptions(0.05));
    for (int step = 0; step < 20; ++step) {
        rows.step(at::arange(5), 2 * (table - goal), 0.05);
        (leaf - goal).square().sum().backward();
        dense.step(0.05);
        reference.zero_grad();
        (torchs - goal).square().sum().backward();
        reference.step();
    }
    EXPECT_TRUE(at::allclose(table, torchs.detach(), 1e-3, 1e-4));
    EXPECT_TRUE(at::allclose(leaf.detach(), torchs.detach(), 1e-3, 1e-4));
}

TEST(RowAdam, TrainsATableOfOneNumberARow) {
    auto bias = at::zeros({4});
    RowAdam adam(bias);
    adam.step(at::tensor({2}, at::kLong), at::ones({1}), 0.5);
    EXPECT_TRUE(at::allclose(bias, at::tensor({0.0f, 0.0f, -0.5f, 0.0f}), 1e-4));
}

TEST(RowAdam, GoesOnFromItsStateAsIfItHadNeverStopped) {
    const auto rows = at::tensor({0, 2}, at::kLong);
    auto whole = at::ones({3, 2}), first = whole.clone();
    RowAdam uninterrupted(whole), begun(first);
    for (uint64_t step = 0; step < 3; ++step) {
        uninterrupted.step(rows, random_tensor({2, 2}, step), 0.1);
        begun.step(rows, random_tensor({2, 2}, step), 0.1);
    }
    auto second = first.clone();
    RowAdam resumed(second);
    resumed.load_state(begun.state());
    uninterrupted.step(rows, random_tensor({2, 2}, 9), 0.1);
    resumed.step(rows, random_tensor({2, 2}, 9), 0.1);
    EXPECT_TRUE(at::equal(whole, second));
    EXPECT_FALSE(at::equal(first, second)) << "a loaded state is a copy";
}

TEST(RowAdam, RefusesTheStateOfAnotherTable) {
    RowAdam small(at::zeros({2, 2})), large(at::zeros({3, 2}));
    try {
        large.load_state(small.state());
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_NE(std::string(error.what()).find("'first'"), std::string::npos) << error.what();
    }
    EXPECT_THROW(large.load_state({}), Error);
}

TEST(DenseAdam, ClipsTheNormOverAllParametersTogether) {
    // Adam does not see a constant factor, but it sees a gradient that was clipped at one step and not at the next.
    const auto run = [](double clip) {
        auto a = at::zeros({1}).requires_grad_(), b = at::zeros({1}).requires_grad_();
        DenseAdam adam({a, b}, clip);
        for (const float size : {30.0f, 0.3f}) {
            (3 * size * a + 4 * size * b).sum().backward();
            adam.step(0.1);
        }
        return std::pair{a.item<double>(), b.item<double>()};
    };
    const auto clipped = run(1.5), free = run(0);
    EXPECT_NEAR(clipped.first, clipped.second, 1e-4) << "the direction stays";
    EXPECT_LT(clipped.first, free.first) << "the small second gradient counts as much as the clipped first one";
}

TEST(DenseAdam, ClearsGradientsAndSkipsParametersWithout) {
    auto used = at::zeros({2}).requires_grad_(), unused = at::ones({2}).requires_grad_();
    DenseAdam adam({used, unused});
    used.sum().backward();
    adam.step(0.1);
    EXPECT_FALSE(used.grad().defined());
    EXPECT_TRUE(at::equal(unused.detach(), at::ones({2})));
}

TEST(DenseAdam, DecaysWeightsAsTorchsAdamDoes) {
    const auto start = random_tensor({3, 2}, 5), goal = random_tensor({3, 2}, 6);
    auto leaf = start.clone().requires_grad_(), torchs = start.clone().requires_grad_(), still = at::ones({2}).requires_grad_();
    AdamOptions options;
    options.weight_decay = 0.1;
    DenseAdam dense({leaf, still}, 0, options);
    torch::optim::Adam reference({torchs}, torch::optim::AdamOptions(0.05).weight_decay(0.1));
    for (int step = 0; step < 20; ++step) {
        (leaf - goal).square().sum().backward();
        dense.step(0.05);
        reference.zero_grad();
        (torchs - goal).square().sum().backward();
        reference.step();
    }
    EXPECT_TRUE(at::allclose(leaf.detach(), torchs.detach(), 1e-3, 1e-4));
    EXPECT_TRUE(at::equal(still.detach(), at::ones({2}))) << "a parameter without a gradient is not trained, so it does not decay";
}

TEST(RowAdam, RefusesAWeightDecay) {
    AdamOptions options;
    options.weight_decay = 0.1;
    EXPECT_THROW(RowAdam(at::zeros({2, 2}), options), Error);
}

TEST(DenseAdam, StateMakesARoundTrip) {
    auto a = at::ones({2}).requires_grad_();
    DenseAdam adam({a});
    a.square().sum().backward();
    adam.step(0.1);
    auto b = a.detach().clone().requires_grad_();
    DenseAdam resumed({b});
    resumed.load_state(adam.state());
    for (auto* leaf : {&a, &b}) leaf->square().sum().backward();
    adam.step(0.1);
    resumed.step(0.1);
    EXPECT_TRUE(at::equal(a, b));
}

TEST(CosineRate, RisesToThePeakAndFallsToAFiftiethOfIt) {
    EXPECT_NEAR(cosine_rate(1, 0, 1000, 100), 0.01, 1e-6);
    EXPECT_NEAR(cosine_rate(1, 1000, 1000, 100), 0.02, 1e-9);
    EXPECT_NEAR(cosine_rate(1, 5000, 1000, 100), 0.02, 1e-9) << "and stays there";
    for (int64_t step = 100; step < 1000; ++step) EXPECT_LT(cosine_rate(1, step + 1, 1000, 100), cosine_rate(1, step, 1000, 100));
}

}  // namespace
}  // namespace whynot::training
