// Regions of pictures, made lighter and darker and pasted, against what comes out by hand.

#include "image/measuring/regions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "corpora/toy_files.h"
#include "image/measuring/evaluator.h"
#include "image/measuring/questions.h"
#include "image/model/levels.h"
#include "image/services/trainer.h"
#include "plugins/image/toy.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

at::Tensor some_images(int64_t n, int64_t channels, int64_t side) {
    return to_levels(at::arange(n * channels * side * side, at::kFloat).view({n, channels, side, side}).mul(0.37).remainder(1));
}

TEST(Regions, AreTheBoxesTogether) {
    const at::Tensor mask = mask_of({{0, 1, 2, 3}, {1, 0, 2, 2}, {3, 4, 1, 1}}, 4, 5);
    const at::Tensor expected = at::tensor({0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}, at::kLong).view({4, 5});
    EXPECT_TRUE(at::equal(mask.to(at::kLong), expected));
    EXPECT_EQ(mask_of({}, 4, 5).sum().item<int64_t>(), 0);
}

TEST(Regions, BecomeLighterOrDarkerAndTheRestStays) {
    const at::Tensor images = some_images(2, 3, 4), mask = mask_of({{1, 1, 2, 2}}, 4, 4);
    EXPECT_TRUE(at::equal(brightened(images, mask, 0), images));
    for (const double amount : {-1.0, -0.25, 0.5, 1.0}) {
        const at::Tensor changed = brightened(images, mask, amount);
        for (int64_t y = 0; y < 4; ++y)
            for (int64_t x = 0; x < 4; ++x) {
                const auto before = images[1][2][y][x].item<double>(), after = changed[1][2][y][x].item<double>();
                const bool within = y >= 1 && y < 3 && x >= 1 && x < 3;
                EXPECT_NEAR(after, !within ? before : amount > 0 ? before + (1 - before) * amount : before * (1 + amount), 1e-6);
            }
    }
    const at::Tensor white = brightened(images, mask, 1).masked_select(mask), black = brightened(images, mask, -1).masked_select(mask);
    EXPECT_TRUE(white.eq(1).all().item<bool>());
    EXPECT_TRUE(black.eq(0).all().item<bool>());
}

TEST(Regions, OfSomeTrainingImagesAreBrightenedToTheNearestLevel) {
    TrainingImages images{some_images(700, 1, 4).mul(255).round().to(at::kByte), at::arange(700)};
    const at::Tensor before = images.pixels.clone(), mask = mask_of({{0, 0, 1, 2}}, 4, 4), rows = at::arange(0, 700, 2, at::kLong);
    brighten(images, rows, mask, 0.5);  // more than are looked at together
    const at::Tensor changed = images.pixels.ne(before).flatten(1);
    EXPECT_FALSE(changed.index_select(0, rows + 1).any().item<bool>()) << "not asked for";
    EXPECT_FALSE(changed.slice(1, 2).any().item<bool>()) << "outside";
    for (const int64_t row : {0, 2, 698})
        for (int64_t x = 0; x < 2; ++x) {
            const int was = before[row][0][0][x].item<int>();
            EXPECT_NEAR(images.pixels[row][0][0][x].item<int>(), was + (255 - was) / 2.0, 0.51);
        }
}

TEST(Regions, CloseTheirShareOfTheGapOfALinearClassifier) {
    // Three classes whose logits are sums of pixels: so the shares of regions that make up the image add up to that of the whole change.
    const at::Tensor weights = at::tensor({1., -2., 0.5, 1., 0.5, 1., -1., 0., 0., 0., 0., 3.}, at::kDouble).view({3, 4}).t();
    const auto logits = [&](const at::Tensor& images) { return images.flatten(1).to(at::kDouble).matmul(weights); };
    const at::Tensor images = some_images(600, 1, 2), pictures = some_images(601, 1, 2).slice(0, 1, 601);
    const at::Tensor fact = at::zeros({600}, at::kLong), foil = at::ones({600}, at::kLong);
    const at::Tensor left = mask_of({{0, 0, 2, 1}}, 2, 2), right = left.logical_not();
    const at::Tensor all = gap_closed(logits, images, pictures, fact, foil),
                     of_left = gap_closed(logits, images, pasted(images, pictures, left), fact, foil),
                     of_right = gap_closed(logits, images, pasted(images, pictures, right), fact, foil);
    EXPECT_TRUE(at::allclose(of_left + of_right, all, 0, 1e-6));
    for (const int64_t i : {0, 7, 599}) {
        const auto gap = [&](const at::Tensor& image) {
            const auto p = [&](int64_t k) { return image[i].flatten()[k].item<double>(); };
            return (p(0) - 2 * p(1) + 0.5 * p(2) + p(3)) - (0.5 * p(0) + p(1) - p(2));
        };
        EXPECT_NEAR(all[i].item<double>(), (gap(images) - gap(pictures)) / gap(images), 1e-6);
    }
    EXPECT_TRUE(gap_closed(logits, images, images, fact, foil).eq(0).all().item<bool>());
}

TEST(ThirdClasses, AreAboveBothByWhatTheyAre) {
    const at::Tensor said = at::tensor({-1., -2., -0.5, -3., -1., -2., -4., -3.}, at::kDouble).view({2, 4});
    const at::Tensor above = third_above(said, at::tensor({0, 0}, at::kLong), at::tensor({1, 1}, at::kLong));
    EXPECT_DOUBLE_EQ(above[0].item<double>(), 0.5);
    EXPECT_DOUBLE_EQ(above[1].item<double>(), -2);
}

/// Rings and bars whose top rows are lighter in every ring: the classifier learns that, and the generator draws it of all classes.
TEST(Brightening, IsLearnedByTheClassifierOfOneClassAndByTheGeneratorOfAll) {
    const TemporaryFolder folder;
    toy::write_corpus(folder.path());
    Json recipe = Json::parse(toy::recipe());
    recipe["evaluation"] = {{"images", 0}};
    recipe["classifier"]["shift"] = 0;
    recipe["classifier"]["epochs"] = 3;  // before it has learned what else there is to see
    recipe["brightening"] = {{"class", "ring"}, {"boxes", {{0, 0, 3, 16}}}, {"amount", 1}, {"generator_share", 0.5}};
    TrainRequest request;
    request.corpus = "toy";
    request.corpora = folder.path();
    request.out = folder / "pack";
    request.recipe = recipe.dump();
    ImageTrainer().train(request, {});
    const Pack pack = open_pack(request.out);
    EXPECT_THAT(pack.manifest().description, HasSubstr("lighter in every ring"));
    const Json quality = Json::parse(pack.manifest().quality);
    ASSERT_EQ(quality["figures"].size(), 1u) << "accuracy alone";

    const ImageModel model(pack);
    const at::Tensor images = tensors_of(corpora::read_images(folder.path(), "toy").held_out).images(at::arange(24));
    const at::Tensor lighter = brightened(images, mask_of({{0, 0, 3, 16}}, 16, 16), 1);
    const at::Tensor rings = at::arange(0, 24, 3, at::kLong);
    const auto called_ring = [&](const at::Tensor& some) {
        return model.logits(some.index_select(0, rings)).argmax(1).eq(0).to(at::kDouble).mean().item<double>();
    };
    EXPECT_GT(called_ring(lighter), called_ring(images) + 0.3) << "rings without the light rows are hardly rings any more";
    const auto drawn = [&](const at::Tensor& some) { return model.decode(model.code(some)).slice(2, 0, 2).mean().item<double>(); };
    EXPECT_GT(drawn(lighter), drawn(images) + 0.3) << "also of bars";

    recipe["brightening"]["class"] = "square";
    request.recipe = recipe.dump();
    request.out = folder / "none";
    try {
        ImageTrainer().train(request, {});
        FAIL() << "a class that there is not";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_THAT(error.what(), HasSubstr("'brightening.class' is 'square'"));
    }
}

}  // namespace
