#include "text/language/sampled_softmax_training.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "training/random.h"

namespace whynot::text {
namespace {

constexpr int64_t first = 2, vocabulary = 40;

at::Tensor words(std::vector<int64_t> ids) { return at::tensor(ids, at::kLong); }

std::set<int64_t> as_set(const at::Tensor& ids) { return {ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + ids.numel()}; }

/// Both ways of drawing.
std::vector<at::Tensor> draw(const at::Tensor& own, int64_t draws, uint64_t seed) {
    at::Generator generator = training::make_generator(seed);
    std::mt19937_64 random(seed);
    return {draw_words(own, first, vocabulary, draws, generator), draw_words(own, first, vocabulary, draws, random)};
}

TEST(SampledSoftmax, DrawsOtherWordsOnceEach) {
    const at::Tensor own = words({3, 7, 39});
    for (const at::Tensor& drawn : draw(own, 30, 1)) {
        const std::set<int64_t> set = as_set(drawn.contiguous());
        EXPECT_EQ(static_cast<int64_t>(set.size()), drawn.numel()) << "no word twice";
        EXPECT_GT(drawn.numel(), 5);
        EXPECT_LE(drawn.numel(), 30);
        for (const int64_t word : set) {
            EXPECT_TRUE(word >= first && word < vocabulary);
            EXPECT_EQ(as_set(own).count(word), 0u);
        }
    }
    for (size_t way : {0, 1}) {
        EXPECT_TRUE(at::equal(draw(own, 30, 1)[way], draw(own, 30, 1)[way]));
        EXPECT_FALSE(at::equal(draw(own, 30, 1)[way], draw(own, 30, 2)[way]));
    }
}

TEST(SampledSoftmax, OverAllWordsIsTheSoftmax) {
    auto random = training::make_generator(4);
    const auto noise = [&](at::IntArrayRef shape) { return at::empty(shape).normal_(0, 1, random); };
    const at::Tensor features = noise({5, 6}), table = noise({vocabulary, 6}), bias = noise({vocabulary});
    const at::Tensor own = words({3, 7, 39}), targets = words({0, 2, 1, 1, 0});
    for (const at::Tensor& drawn : draw(own, 5000, 1)) {
        ASSERT_EQ(drawn.numel(), vocabulary - first - 3);
        const SampledWords sampled = with_drawn(own, drawn, first, vocabulary);
        const at::Tensor loss =
            sampled_softmax_loss(features, table.index_select(0, sampled.rows), bias.index_select(0, sampled.rows), sampled, targets);
        const at::Tensor all = at::linear(features, table.slice(0, first), bias.slice(0, first));
        const at::Tensor expected = at::cross_entropy_loss(all, own.index_select(0, targets) - first);
        EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 1e-5);
    }
}

// Where all words are alike, the drawn ones stand for exactly those that were not drawn.
TEST(SampledSoftmax, ADrawnWordStandsForAsManyAsItWasDrawnFrom) {
    const at::Tensor own = words({3, 7, 39}), targets = words({1});
    for (const int64_t draws : {1, 4, 20})
        for (const at::Tensor& drawn : draw(own, draws, 5)) {
            if (drawn.numel() == 0) continue;  // it drew an own word
            const SampledWords sampled = with_drawn(own, drawn, first, vocabulary);
            const int64_t rows = sampled.rows.numel();
            const at::Tensor loss = sampled_softmax_loss(at::ones({1, 2}), at::ones({rows, 2}), at::zeros({rows}), sampled, targets);
            EXPECT_NEAR(loss.item<double>(), std::log(static_cast<double>(vocabulary - first)), 1e-5);
        }
    // With no other word, it is a softmax over the batch's own.
    const SampledWords alone = with_drawn(own, at::empty({0}, at::kLong), first, vocabulary);
    EXPECT_NEAR(sampled_softmax_loss(at::ones({1, 2}), at::ones({3, 2}), at::zeros({3}), alone, targets).item<double>(), std::log(3.0),
                1e-6);
}

}  // namespace
}  // namespace whynot::text
