#include "image/model/fit.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "whynot/error.h"

namespace whynot::image {
namespace {

using namespace drawing;
using at::indexing::Slice;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ImageShape digits() { return {1, 28, 28, "digit", true}; }
ImageShape photos() { return {3, 32, 32, "plain", false}; }

Picture uniform(int64_t width, int64_t height, int64_t channels, uint8_t value) {
    return {width, height, channels, std::vector<uint8_t>(width * height * channels, value)};
}

/// A digit like a seven of MNIST's pen, in a box of 200 x 260, on a page. `ink` and `paper` are its lightness.
Picture seven(int64_t side, int64_t left, int64_t top, int ink, int paper) {
    Picture picture = uniform(side, side, 1, 0);
    const auto distance = [](double x, double y, double x0, double y0, double x1, double y1) {
        const double t =
            std::clamp(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / (std::pow(x1 - x0, 2) + std::pow(y1 - y0, 2)), 0.0, 1.0);
        return std::hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
    };
    for (int64_t i = 0; i < side * side; ++i) {
        const double x = static_cast<double>(i % side - left) + 0.5, y = static_cast<double>(i / side - top) + 0.5;
        const double away = std::min(distance(x, y, 18, 18, 182, 18), distance(x, y, 182, 18, 60, 242));
        const double share = std::clamp(18 - away + 0.5, 0.0, 1.0);
        picture.bytes[i] = static_cast<uint8_t>(std::lround(paper + share * (ink - paper)));
    }
    return picture;
}

struct Box {
    int64_t top, bottom, left, right;
};

Box box_of(const at::Tensor& image, double threshold = 0.2) {
    const auto inked = image[0] > threshold;
    const auto rows = inked.any(1).nonzero(), columns = inked.any(0).nonzero();
    return {rows.min().item<int64_t>(), rows.max().item<int64_t>() + 1, columns.min().item<int64_t>(), columns.max().item<int64_t>() + 1};
}

/// Centre of mass, y and x.
std::pair<double, double> centre_of(const at::Tensor& image) {
    const auto mass = image[0].to(at::kDouble);
    const auto places = [](int64_t count) { return at::arange(count, at::kDouble) + 0.5; };
    const double total = mass.sum().item<double>();
    return {(mass.sum(1) * places(mass.size(0))).sum().item<double>() / total,
            (mass.sum(0) * places(mass.size(1))).sum().item<double>() / total};
}

void expect_range(const at::Tensor& image) {
    EXPECT_EQ(image.scalar_type(), at::kFloat);
    EXPECT_GE(image.min().item<double>(), 0);
    EXPECT_LE(image.max().item<double>(), 1);
}

void expect_like_mnist(const at::Tensor& image) {
    expect_range(image);
    ASSERT_EQ(image.sizes(), at::IntArrayRef({1, 28, 28}));
    const Box box = box_of(image);
    EXPECT_NEAR(static_cast<double>(std::max(box.bottom - box.top, box.right - box.left)), 20, 1);
    const auto [y, x] = centre_of(image);
    EXPECT_NEAR(y, 14, 0.6);
    EXPECT_NEAR(x, 14, 0.6);
    EXPECT_GT(image.max().item<double>(), 0.95);
    EXPECT_LT(image.index({0, 0, Slice()}).max().item<double>(), 0.05);
    EXPECT_GT((image[0] > 0.5).sum().item<int64_t>(), 40);
    EXPECT_LT((image[0] > 0.5).sum().item<int64_t>(), 250);
}

// --- digits ----------------------------------------------------------------------------------------------------------

TEST(FitDigit, MakesADrawingLookLikeMnist) {
    Notes notes;
    const auto light = fit(seven(420, 40, 90, 255, 0), digits(), notes);
    expect_like_mnist(light);
    EXPECT_THAT(notes, ElementsAre("420 x 420 pixels were fitted to 28 x 28, the figure scaled and centred"));

    notes.clear();
    const auto dark = fit(seven(420, 40, 90, 0, 255), digits(), notes);
    EXPECT_THAT(notes, ElementsAre("dark on light was inverted to light on dark",
                                   "420 x 420 pixels were fitted to 28 x 28, the figure scaled and centred"));
    EXPECT_TRUE(at::allclose(dark, light, 0, 0.02));
}

TEST(FitDigit, DoesNotDependOnWhereAndHowLargeItWasDrawn) {
    Notes notes;
    const auto one = fit(seven(420, 10, 20, 0, 255), digits(), notes);
    EXPECT_TRUE(at::allclose(fit(seven(420, 190, 140, 0, 255), digits(), notes), one, 0, 1e-5));
    EXPECT_TRUE(at::allclose(fit(seven(1200, 700, 20, 0, 255), digits(), notes), one, 0, 1e-5));
}

TEST(FitDigit, StrengthensPencilOnGreyPaperAndTakesThePaperAway) {
    Notes notes;
    auto page = seven(420, 40, 90, 70, 150);
    for (size_t i = 0; i < page.bytes.size(); ++i) page.bytes[i] = static_cast<uint8_t>(page.bytes[i] + i % 5);  // grain
    const auto image = fit(page, digits(), notes);
    expect_like_mnist(image);
    EXPECT_THAT(notes, ElementsAre("dark on light was inverted to light on dark", HasSubstr("420 x 420"), "faint ink was strengthened"));
}

TEST(FitDigit, KeepsProportionsAndStaysInside) {
    Notes notes;
    Picture bar = uniform(300, 100, 1, 0);  // a flat bar, heavier at its left end
    for (int64_t x = 50; x < 250; ++x) {
        for (int64_t y = x < 70 ? 10 : 45; y < (x < 70 ? 90 : 55); ++y) bar.bytes[y * 300 + x] = 255;
    }
    const auto image = fit(bar, digits(), notes);
    expect_range(image);
    const Box box = box_of(image);
    EXPECT_NEAR(static_cast<double>(box.right - box.left), 20, 1);
    EXPECT_NEAR(static_cast<double>(box.bottom - box.top), 8, 1);
    EXPECT_EQ(box.right, 28);  // the centre of mass would put its light end outside
}

TEST(FitDigit, EnlargedAndFittedAgainIsNearlyTheSame) {
    Notes notes;
    const auto once = fit(seven(420, 40, 90, 255, 0), digits(), notes);
    const auto small = to_picture(once);
    Picture large = uniform(280, 280, 1, 0);
    for (int64_t i = 0; i < 280 * 280; ++i) large.bytes[i] = small.bytes[i / 2800 * 28 + i % 280 / 10];
    const auto again = fit(large, digits(), notes);
    EXPECT_LT((again - once).abs().mean().item<double>(), 0.04);
    EXPECT_TRUE(at::equal(fit(small, digits(), notes), fit(to_picture(fit(small, digits(), notes)), digits(), notes)));
}

TEST(FitDigit, LeavesThePolarityWhereTheShapeHasNone) {
    Notes notes;
    auto shape = digits();
    shape.light_on_dark = false;
    const auto image = fit(seven(420, 40, 90, 0, 200), shape, notes);
    EXPECT_THAT(notes, ElementsAre(HasSubstr("420 x 420")));
    EXPECT_NEAR(image[0][0][0].item<double>(), 200 / 255.0, 1e-6);
    EXPECT_LT(image.min().item<double>(), 0.05);
}

TEST(FitDigit, OfAnEmptyPageSaysSo) {
    for (const uint8_t value : {0, 130, 255}) {
        Notes notes;
        const auto image = fit(uniform(100, 60, 1, value), digits(), notes);
        EXPECT_THAT(notes, ElementsAre("100 x 60 pixels were fitted to 28 x 28", "the picture is of a single colour"));
        EXPECT_TRUE(at::allclose(image, at::full({1, 28, 28}, value / 255.0f), 0, 1e-6));
    }
}

// --- the size it has already -----------------------------------------------------------------------------------------

TEST(FitExactSize, ChangesNoBit) {
    Picture picture = uniform(28, 28, 1, 0);
    for (int64_t i = 0; i < 784; ++i) picture.bytes[i] = static_cast<uint8_t>(i % 28 < 2 || i < 56 ? 0 : i * 7);
    Notes notes;
    const auto image = fit(picture, digits(), notes);
    EXPECT_THAT(notes, IsEmpty());
    for (int64_t i = 0; i < 784; ++i) ASSERT_EQ(image.data_ptr<float>()[i], static_cast<float>(picture.bytes[i]) / 255.0f);
    EXPECT_EQ(to_picture(image).bytes, picture.bytes);

    // The same stored as colours, and colours as they are.
    Picture coloured = uniform(28, 28, 3, 0);
    for (int64_t i = 0; i < 784 * 3; ++i) coloured.bytes[i] = picture.bytes[i / 3];
    EXPECT_TRUE(at::equal(fit(coloured, digits(), notes), image));
    EXPECT_TRUE(at::equal(fit(picture, {3, 28, 28, "plain", false}, notes), image.expand({3, 28, 28})));
    for (size_t i = 0; i < coloured.bytes.size(); ++i) coloured.bytes[i] = static_cast<uint8_t>(i * i);
    EXPECT_EQ(to_picture(fit(coloured, {3, 28, 28, "plain", false}, notes)).bytes, coloured.bytes);
    EXPECT_THAT(notes, IsEmpty());
}

TEST(FitExactSize, InvertsWhatIsClearlyDarkOnLightAndNoMore) {
    Notes notes;
    Picture picture = uniform(28, 28, 1, 255);
    for (int64_t y = 3; y < 12; ++y) picture.bytes[y * 28 + 20] = 10;  // off the middle: it stays there
    const auto image = fit(picture, digits(), notes);
    EXPECT_THAT(notes, ElementsAre("dark on light was inverted to light on dark"));
    EXPECT_FLOAT_EQ(image[0][3][20].item<float>(), 1 - 10 / 255.0f);
    EXPECT_FLOAT_EQ(image.sum().item<float>(), image.index({0, Slice(3, 12), 20}).sum().item<float>());

    notes.clear();
    auto plain = digits();
    plain.light_on_dark = false;
    EXPECT_EQ(to_picture(fit(picture, plain, notes)).bytes, picture.bytes);
    for (auto& byte : picture.bytes) byte = byte == 255 ? 120 : byte;  // darker than one half: left alone
    EXPECT_EQ(to_picture(fit(picture, digits(), notes)).bytes, picture.bytes);
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_EQ(to_picture(fit(uniform(28, 28, 1, 255), digits(), notes)).bytes, uniform(28, 28, 1, 255).bytes);
    EXPECT_THAT(notes, ElementsAre("the picture is of a single colour"));
}

// --- plain -----------------------------------------------------------------------------------------------------------

TEST(FitPlain, PadsWithTheColourOfTheBorder) {
    Picture picture = uniform(80, 40, 3, 0);
    for (int64_t i = 0; i < 80 * 40; ++i) {
        const bool inside = i % 80 > 20 && i % 80 < 60 && i / 80 > 10 && i / 80 < 30;
        picture.bytes[3 * i] = inside ? 10 : 200;
        picture.bytes[3 * i + 1] = inside ? 250 : 100;
        picture.bytes[3 * i + 2] = 50;
    }
    Notes notes;
    const auto image = fit(picture, photos(), notes);
    EXPECT_THAT(notes, ElementsAre("80 x 40 pixels were fitted to 32 x 32"));
    const auto border = at::tensor({200 / 255.0f, 100 / 255.0f, 50 / 255.0f});
    EXPECT_TRUE(at::allclose(image.index({Slice(), Slice(0, 8)}), border.reshape({3, 1, 1}).expand({3, 8, 32}), 0, 1e-6));
    EXPECT_TRUE(at::allclose(image.index({Slice(), Slice(24, 32)}), border.reshape({3, 1, 1}).expand({3, 8, 32}), 0, 1e-6));
    EXPECT_NEAR(image[1][16][16].item<double>(), 250 / 255.0, 1e-6);
    // No light is won or lost: the whole picture is in there.
    EXPECT_NEAR(image.index({1, Slice(8, 24)}).mean().item<double>() * 255, 100 + 150.0 * 39 * 19 / (80 * 40), 1);
}

TEST(FitPlain, ReducesFinePatternsToTheirMean) {
    Picture board = uniform(512, 512, 1, 0);
    for (int64_t i = 0; i < 512 * 512; ++i) board.bytes[i] = (i + i / 512) % 2 ? 255 : 0;
    Notes notes;
    const auto image = fit(board, photos(), notes);
    EXPECT_TRUE(at::allclose(image.index({Slice(), Slice(2, 30), Slice(2, 30)}), at::full({3, 28, 28}, 0.5f), 0, 0.01));
}

TEST(FitPlain, TakesPicturesOfAnySize) {
    for (const auto& [width, height] : {std::pair(1, 1), std::pair(1, 500), std::pair(3000, 1), std::pair(2, 3), std::pair(31, 33)}) {
        for (const int64_t channels : {1, 2, 3, 4}) {
            for (const auto& shape : {photos(), digits(), ImageShape{1, 40, 20, "digit", false}}) {
                Picture picture = uniform(width, height, channels, 0);
                for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = static_cast<uint8_t>(i * 97);
                Notes notes;
                const auto image = fit(picture, shape, notes);
                EXPECT_EQ(image.sizes(), at::IntArrayRef({shape.channels, shape.height, shape.width}));
                expect_range(image);
                EXPECT_FALSE(notes.empty());
            }
        }
    }
}

TEST(FitPlain, TurnsColoursToGreyByLuminance) {
    Picture picture = uniform(32, 32, 3, 0);
    for (size_t i = 1; i < picture.bytes.size(); i += 3) picture.bytes[i] = 255;
    Notes notes;
    const auto image = fit(picture, {1, 32, 32, "plain", false}, notes);
    EXPECT_NEAR(image[0][5][5].item<double>(), 0.587, 1e-5);
    EXPECT_THAT(notes, ElementsAre("colours were turned to grey", "the picture is of a single colour"));
}

// --- opacity ---------------------------------------------------------------------------------------------------------

TEST(FitOpacity, ShowsDarkAndLightFiguresAlike) {
    for (const uint8_t ink : {0, 255}) {
        const auto drawing = seven(420, 40, 90, 255, 0);
        Picture picture = uniform(420, 420, 2, 0);
        for (int64_t i = 0; i < 420 * 420; ++i) {
            picture.bytes[2 * i] = ink;
            picture.bytes[2 * i + 1] = drawing.bytes[i];
        }
        Notes notes, ignored;
        const auto image = fit(picture, digits(), notes);
        EXPECT_THAT(notes, Contains(ink ? "transparent parts were laid over black" : "transparent parts were laid over white"));
        EXPECT_TRUE(at::allclose(image, fit(drawing, digits(), ignored), 0, 0.02));
    }
}

TEST(FitOpacity, IsLaidOverWhiteWhereFiguresMayBeEither) {
    Picture picture = uniform(32, 32, 4, 100);
    for (size_t i = 0; i < 32 * 32; ++i) picture.bytes[4 * i + 3] = i < 512 ? 51 : 255;
    Notes notes;
    const auto image = fit(picture, photos(), notes);
    EXPECT_THAT(notes, ElementsAre("transparent parts were laid over white"));
    EXPECT_NEAR(image[2][0][0].item<double>(), 0.2 * 100 / 255 + 0.8, 1e-6);
    EXPECT_EQ(image[2][31][0].item<float>(), 100 / 255.0f);

    notes.clear();
    for (size_t i = 0; i < 32 * 32; ++i) picture.bytes[4 * i + 3] = 255;
    fit(picture, photos(), notes);
    EXPECT_THAT(notes, ElementsAre("the picture is of a single colour"));
}

// --- to_picture, mistakes --------------------------------------------------------------------------------------------

TEST(ToPicture, ClipsAndRounds) {
    const auto picture = to_picture(at::tensor({-1.0f, 0.5f, 0.999f, 7.0f, 0.0f, 1.0f}).reshape({3, 1, 2}));
    EXPECT_EQ(picture.width, 2);
    EXPECT_EQ(picture.height, 1);
    EXPECT_THAT(picture.bytes, ElementsAre(0, 255, 0, 128, 255, 255));
    // From a tensor that is not laid out row by row.
    EXPECT_THAT(to_picture(at::arange(6, at::kFloat).div(255).reshape({1, 2, 3}).transpose(1, 2)).bytes, ElementsAre(0, 3, 1, 4, 2, 5));
}

template <typename Action>
std::string refusal(Action action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Fit, RefusesShapesAndPicturesThatAreNone) {
    Notes notes;
    EXPECT_THAT(refusal([&] { fit(uniform(2, 2, 1, 0), {2, 28, 28, "plain", false}, notes); }), HasSubstr("found 2 channels"));
    EXPECT_THAT(refusal([&] { fit(uniform(2, 2, 1, 0), {1, 0, 28, "plain", false}, notes); }), HasSubstr("28 x 0"));
    EXPECT_THAT(refusal([&] { fit(uniform(2, 2, 1, 0), {1, 28, 28, "fancy", false}, notes); }), HasSubstr("\"fancy\""));
    EXPECT_THAT(refusal([&] { fit({2, 2, 1, {}}, digits(), notes); }), HasSubstr("0 bytes"));
    EXPECT_THAT(refusal([] { to_picture(at::zeros({28, 28})); }), HasSubstr("2 dimensions"));
    EXPECT_THAT(refusal([] { to_picture(at::zeros({2, 28, 28})); }), HasSubstr("1 or 3"));
}

}  // namespace
}  // namespace whynot::image
