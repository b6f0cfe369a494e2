#include "drawing/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "drawing/image_file.h"
#include "whynot/error.h"

namespace whynot::drawing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int> pixel(const Picture& picture, int64_t y, int64_t x) {
    const auto* first = &picture.bytes[(y * picture.width + x) * picture.channels];
    return {first, first + picture.channels};
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

// --- difference ------------------------------------------------------------------------------------------------------

TEST(Difference, IsRedWhereLighterBlueWhereDarkerAndGreyElsewhere) {
    const auto difference = draw_difference({0, 1, 0.5f, 0}, {0.8f, 0.2f, 0.5f, 0}, 1, 2, 2);
    EXPECT_NEAR(difference.scale, 0.8, 1e-6);
    const auto added = pixel(difference.picture, 0, 0), removed = pixel(difference.picture, 0, 1);
    EXPECT_GT(added[0], 2 * added[2]);
    EXPECT_GT(removed[2], 2 * removed[0]);
    const int grey = static_cast<int>(0.45 * 0.5 * 255 + 0.5);
    EXPECT_THAT(pixel(difference.picture, 1, 0), ElementsAre(grey, grey, grey));
    EXPECT_THAT(pixel(difference.picture, 1, 1), ElementsAre(0, 0, 0));
}

TEST(Difference, OfAlmostNothingStaysFaint) {
    const auto difference = draw_difference({0, 0}, {0.01f, -0.01f}, 1, 1, 2);
    EXPECT_DOUBLE_EQ(difference.scale, 0.2);
    for (const int byte : difference.picture.bytes) EXPECT_LT(byte, 16);
    EXPECT_DOUBLE_EQ(draw_difference({0.3f}, {0.3f}, 1, 1, 1).scale, 0.2);
}

TEST(Difference, OfColoursIsThatOfTheirLuminance) {
    // Green up is lighter, although red and blue go down.
    const auto difference = draw_difference({0.5f, 0.2f, 0.5f}, {0.4f, 0.9f, 0.4f}, 3, 1, 1);
    EXPECT_NEAR(difference.scale, 0.7 * 0.587 - 0.1 * (0.299 + 0.114), 1e-6);
    EXPECT_EQ(difference.picture.channels, 3);
    EXPECT_GT(pixel(difference.picture, 0, 0)[0], 200);
}

TEST(Difference, BearsValuesBeyondOneAndThoseThatAreNoNumbers) {
    const auto difference = draw_difference({-1, 2, NAN}, {3, 2, 0}, 1, 1, 3);
    EXPECT_DOUBLE_EQ(difference.scale, 4);
    check_picture(difference.picture);
}

TEST(Difference, RefusesSizesThatDoNotFit) {
    EXPECT_THAT(refusal([] { draw_difference({0, 0}, {0}, 1, 1, 2); }), HasSubstr("found 2 and 1 values for 1 x 1 x 2"));
    EXPECT_THAT(refusal([] { draw_difference({0, 0}, {0, 0}, 2, 1, 1); }), HasSubstr("1 or 3 channels"));
}

// --- sheet -----------------------------------------------------------------------------------------------------------

Panel panel(int64_t width, int64_t height, int64_t channels, const std::vector<std::string>& lines, double scale = 0) {
    return {{width, height, channels, std::vector<uint8_t>(width * height * channels, 90)}, lines, scale};
}

int64_t count_of(const Picture& picture, const std::vector<int>& colour) {
    int64_t count = 0;
    for (int64_t y = 0; y < picture.height; ++y) {
        for (int64_t x = 0; x < picture.width; ++x) count += pixel(picture, y, x) == colour;
    }
    return count;
}

/// How many pixels differ.
int64_t changed(const Picture& a, const Picture& b) {
    EXPECT_EQ(a.width, b.width);
    EXPECT_EQ(a.height, b.height);
    int64_t count = 0;
    for (size_t i = 0; i < std::min(a.bytes.size(), b.bytes.size()); i += 3) {
        count += !std::equal(a.bytes.begin() + i, a.bytes.begin() + i + 3, b.bytes.begin() + i);
    }
    return count;
}

TEST(Sheet, HoldsEveryPictureEnlargedInWholePixelsOnWhite) {
    const auto sheet =
        draw_sheet("Why?", "", {panel(28, 28, 1, {"input"}), panel(32, 16, 3, {"boundary"}), panel(28, 28, 3, {"difference"})});
    check_picture(sheet);
    EXPECT_EQ(sheet.channels, 3);
    EXPECT_GT(sheet.width, 3 * 260);
    EXPECT_GT(sheet.height, 260);
    EXPECT_THAT(pixel(sheet, 0, 0), ElementsAre(255, 255, 255));
    EXPECT_NEAR(static_cast<double>(count_of(sheet, {90, 90, 90})), 2 * 252 * 252 + 256 * 128, 100);  // some letters' edges, too
}

TEST(Sheet, PutsManyPanelsIntoRows) {
    const Panel one{Picture{10, 10, 1, std::vector<uint8_t>(100, 90)}, {"one of many"}, 0};
    const auto sheet_of = [&](size_t count) { return draw_sheet("many", "", std::vector<Panel>(count, one)); };
    EXPECT_EQ(sheet_of(7).width, sheet_of(4).width);
    EXPECT_LT(sheet_of(13).width, sheet_of(6).width);  // five, five and three
    EXPECT_GT(sheet_of(7).height, sheet_of(6).height);
    EXPECT_GT(sheet_of(13).height, sheet_of(12).height);
}

TEST(Sheet, ReducesLargePictures) {
    const auto sheet = draw_sheet("", "", {panel(2000, 1000, 3, {})});
    EXPECT_LT(sheet.width, 400);
    EXPECT_NEAR(static_cast<double>(count_of(sheet, {90, 90, 90})), 260 * 130, 260);
}

TEST(Sheet, WritesTitleLinesAndTheBarOfADifference) {
    const std::vector<Panel> plain = {panel(28, 28, 1, {""})};
    const auto empty = draw_sheet("", "", plain);
    EXPECT_GT(changed(empty, draw_sheet("Why 4 and not 9?", "", plain)), 200);
    EXPECT_GT(changed(empty, draw_sheet("", "", {panel(28, 28, 1, {"input"})})), 50);
    const auto said = draw_sheet("", "The nearest picture found", plain);
    EXPECT_GT(said.height, empty.height);
    EXPECT_GT(changed(said, draw_sheet("", "The picture that came nearest", plain)), 100);

    const auto bar = draw_sheet("", "", {panel(28, 28, 1, {}, 0.43)});
    int red = 0, blue = 0;
    for (int64_t y = 0; y < bar.height; ++y) {
        for (int64_t x = 0; x < bar.width; ++x) {
            const auto colour = pixel(bar, y, x);
            if (colour[0] > colour[2] + 100) {
                ++red;
                EXPECT_GT(x, bar.width / 2);
            }
            if (colour[2] > colour[0] + 100) {
                ++blue;
                EXPECT_LT(x, bar.width / 2);
            }
        }
    }
    EXPECT_GT(red, 500);
    EXPECT_GT(blue, 500);
    EXPECT_GT(changed(bar, draw_sheet("", "", {panel(28, 28, 1, {}, 0.75)})), 10);  // its numbers
}

TEST(Sheet, BearsNamesOfAnyLettersAndLength) {
    std::string name;
    for (int i = 0; i < 3000; ++i) name += "ß猫é🐈";
    const auto sheet = draw_sheet(name, "", {panel(28, 28, 1, {name, "ನಾಲ್ಕು", "a\nb", "قطة"})});
    for (int64_t y = 0; y < sheet.height; ++y) {  // what is too long ends before the edge
        for (const int64_t x : {int64_t{0}, int64_t{10}, sheet.width - 10, sheet.width - 1}) {
            ASSERT_THAT(pixel(sheet, y, x), ElementsAre(255, 255, 255));
        }
    }
}

TEST(Sheet, IsTheSameEveryTimeAndInEveryLocale) {
    const std::vector<Panel> panels = {panel(28, 28, 3, {"difference"}, 0.43)};
    EXPECT_EQ(draw_sheet("Why?", "", panels).bytes, draw_sheet("Why?", "", panels).bytes);
}

TEST(Sheet, RefusesWhatCannotBeDrawn) {
    EXPECT_THAT(refusal([] { draw_sheet("", "", {}); }), HasSubstr("found none"));
    EXPECT_THAT(refusal([] { draw_sheet("", "", {panel(2, 2, 4, {})}); }), HasSubstr("without opacity"));
    std::vector<Panel> nothing(1);
    nothing[0].picture = {2, 2, 1, {}};
    EXPECT_THAT(refusal([&] { draw_sheet("", "", nothing); }), HasSubstr("0 bytes"));
    EXPECT_THAT(refusal([] { draw_sheet("caf\xE9", "", {panel(2, 2, 1, {})}); }), HasSubstr("UTF-8"));
    EXPECT_THAT(refusal([] { draw_sheet("", "", std::vector<Panel>(2000, panel(2, 2, 1, {}))); }), HasSubstr("32767"));
}

// --- matrix ----------------------------------------------------------------------------------------------------------

std::vector<std::string> names(size_t count) { return std::vector<std::string>(count, ""); }

/// How many pixels are as dark as that, 0 to 255.
int64_t greys(const Picture& picture, int grey) { return count_of(picture, {grey, grey, grey}); }

TEST(Matrix, GrowsByASquareForEachRowAndColumn) {
    const auto drawn = [](size_t rows, size_t columns) {
        return draw_matrix("", names(rows), names(columns), std::vector<double>(rows * columns, 0.5));
    };
    const Picture one = drawn(1, 1), more = drawn(3, 5);
    check_picture(more);
    EXPECT_EQ(more.channels, 3);
    EXPECT_EQ((more.width - one.width) % 4, 0);
    EXPECT_EQ((more.height - one.height) % 2, 0);
    EXPECT_EQ((more.width - one.width) / 4, (more.height - one.height) / 2) << "squares";
    EXPECT_GE((more.width - one.width) / 4, 8) << "large enough for a letter above it";
}

TEST(Matrix, IsTheDarkerTheLargerTheNumber) {
    const std::vector<double> darkness = {0, 0.25, 0.5, 0.75, 1, 0.25};
    const Picture matrix = draw_matrix("", names(2), names(3), darkness);
    const auto side = draw_matrix("", names(1), names(2), {0, 0}).width - draw_matrix("", names(1), names(1), {0}).width;
    const auto least = static_cast<double>((side - 2) * (side - 2)), most = static_cast<double>((side + 1) * (side + 1));
    for (const auto& [grey, squares] : {std::pair(191, 2), std::pair(128, 1), std::pair(64, 1), std::pair(0, 1)}) {
        EXPECT_GE(static_cast<double>(greys(matrix, grey)), squares * least) << grey;
        EXPECT_LE(static_cast<double>(greys(matrix, grey)), squares * most) << grey;
    }
    // In reading order: the first of the second row is darker than the square above it, the last of the first row than the one before.
    const auto rows_of = [&](int grey) {
        std::set<int64_t> rows;
        for (int64_t y = 0; y < matrix.height; ++y)
            for (int64_t x = 0; x < matrix.width; ++x)
                if (pixel(matrix, y, x) == std::vector<int>{grey, grey, grey}) rows.insert(y);
        return rows;
    };
    EXPECT_LT(*rows_of(128).rbegin(), *rows_of(64).begin());
    EXPECT_EQ(*rows_of(64).begin(), *rows_of(0).begin());
}

TEST(Matrix, BearsNumbersBeyondTheScaleAndThoseThatAreNone) {
    EXPECT_EQ(draw_matrix("", names(1), names(3), {-1, 2, 1}).bytes, draw_matrix("", names(1), names(3), {0, 1, 1}).bytes);
    check_picture(draw_matrix("", names(1), names(1), {NAN}));
}

TEST(Matrix, WritesTitleAndNames) {
    const std::vector<double> white(6, 0);
    const Picture empty = draw_matrix("", names(2), names(3), white);
    EXPECT_GT(changed(empty, draw_matrix("was it good", names(2), names(3), white)), 200);
    EXPECT_GT(changed(empty, draw_matrix("", {"was", "it"}, names(3), white)), 50);
    EXPECT_GT(changed(empty, draw_matrix("", names(2), {"a", "b", "c"}, white)), 50);
    const std::string endless(3000, 'w');
    EXPECT_EQ(draw_matrix(endless, {endless, "it"}, {endless, "b", "c"}, white).width, empty.width) << "long names are cut";
}

TEST(Matrix, RefusesWhatCannotBeDrawn) {
    EXPECT_THAT(refusal([] { draw_matrix("", names(2), names(3), {0, 1}); }), HasSubstr("found 2 for 2 x 3"));
    EXPECT_THAT(refusal([] { draw_matrix("", {}, names(3), {}); }), HasSubstr("found 0 for 0 x 3"));
    EXPECT_THAT(refusal([] { draw_matrix("", {"caf\xE9"}, {""}, {0}); }), HasSubstr("UTF-8"));
    EXPECT_THAT(refusal([] { draw_matrix("", names(2000), names(1), std::vector<double>(2000, 0)); }), HasSubstr("32767"));
}

// --- curves ----------------------------------------------------------------------------------------------------------

using Curves = std::vector<Curve>;
const Axis unit{"", 0, 1};

/// Pixels in which one channel is well above another, as {first row, last row, first column, last column, how many}.
struct Area {
    int64_t top = 1 << 20, bottom = -1, left = 1 << 20, right = -1, count = 0;
};
Area coloured(const Picture& picture, size_t more, size_t less) {
    Area area;
    for (int64_t y = 0; y < picture.height; ++y) {
        for (int64_t x = 0; x < picture.width; ++x) {
            const auto colour = pixel(picture, y, x);
            if (colour[more] < colour[less] + 100) continue;
            area = {std::min(area.top, y), std::max(area.bottom, y), std::min(area.left, x), std::max(area.right, x), area.count + 1};
        }
    }
    return area;
}

TEST(Curves, GoFromLeftToRightWhereTheirValuesAre) {
    // The first line is blue, the second orange.
    const auto chart = draw_curves("", "", unit, unit, {0, 0.5, 1}, {{"", {0.8, 0.8, 0.8}}, {"", {0.2, 0.2, 0.2}}});
    check_picture(chart);
    EXPECT_EQ(chart.channels, 3);
    const Area blue = coloured(chart, 2, 0), orange = coloured(chart, 0, 2);
    EXPECT_GT(blue.count, 500);
    EXPECT_LT(blue.bottom - blue.top, 6) << "level";
    EXPECT_LT(blue.bottom, orange.top) << "larger values lie higher";
    EXPECT_GT(blue.right - blue.left, chart.width / 2);

    const Area half = coloured(draw_curves("", "", {"", 0, 2}, unit, {0, 1}, {{"", {0.8, 0.8}}}), 2, 0);
    EXPECT_LT(half.count, 0.6 * static_cast<double>(blue.count)) << "the axis goes on where there are no values";
    const auto thin = draw_curves("", "", unit, unit, {0, 1}, {{"", {0.8, 0.8}}});
    EXPECT_GT(changed(thin, draw_curves("", "", unit, unit, {0, 1}, {{"", {0.8, 0.8}, true}})), blue.count);
}

TEST(Curves, AreCutOffAtTheirAxes) {
    const Area rising = coloured(draw_curves("", "", unit, unit, {0, 1}, {{"", {0, 1}}}), 2, 0);
    const Area steep = coloured(draw_curves("", "", unit, unit, {0, 1}, {{"", {-5, 7}}}), 2, 0);
    EXPECT_GE(steep.top, rising.top - 4);
    EXPECT_LE(steep.bottom, rising.bottom + 4);
}

TEST(Curves, AfterTheTenthAreDashedInTheColoursOfTheFirst) {
    Curves many(11, {"", {0.5, 0.5}});
    for (size_t i = 0; i + 1 < many.size(); ++i) many[i].values = {-1, -1};
    const Area dashed = coloured(draw_curves("", "", unit, unit, {0, 1}, many), 2, 0);
    const Area whole = coloured(draw_curves("", "", unit, unit, {0, 1}, {many.back()}), 2, 0);
    EXPECT_LT(dashed.count, whole.count);
    EXPECT_GT(dashed.count, whole.count / 4);
}

TEST(Curves, HaveNamesThatDoNotMeetAndNumbersAtTheAxes) {
    const Curves curves{{"", {0.5, 0.5}}};
    const auto plain = draw_curves("", "", unit, unit, {0, 1}, curves);
    EXPECT_GT(changed(plain, draw_curves("Why 4 and not 9?", "", unit, unit, {0, 1}, curves)), 200);
    EXPECT_GT(changed(plain, draw_curves("", "", {"along the way"}, unit, {0, 1}, curves)), 50);
    EXPECT_GT(changed(plain, draw_curves("", "", unit, {"probability"}, {0, 1}, curves)), 50);
    EXPECT_GT(changed(plain, draw_curves("", "", unit, unit, {0, 1}, {{"nine", curves[0].values}})), 20);
    EXPECT_GT(changed(plain, draw_curves("", "", unit, {"", 0, 40}, {0, 1}, {{"", {20, 20}}})), 50) << "numbers";
    // Twelve names of lines that all end at the same height need as many lines.
    const Curves same(12, {"MMM", {0, 0}});
    const Area names = coloured(draw_curves("", "", unit, unit, {0, 1}, same), 2, 0);
    EXPECT_GT(names.bottom - names.top, 150);
    EXPECT_GT(draw_curves("", "", unit, unit, {0, 1}, Curves(60, same[0])).height, plain.height);
}

TEST(Curves, BearNamesOfAnyLength) {
    const std::string endless(3000, 'w');
    const auto chart = draw_curves(endless, endless, {endless}, {endless}, {0, 1}, {{endless, {0.5, 0.5}}});
    EXPECT_EQ(chart.width, draw_curves("", "", unit, unit, {0, 1}, {{"", {0.5, 0.5}}}).width);
    for (int64_t y = 0; y < chart.height; ++y) ASSERT_THAT(pixel(chart, y, chart.width - 3), ElementsAre(255, 255, 255));
}

TEST(Curves, RefuseWhatCannotBeDrawn) {
    const auto with = [](const Axis& x, const Axis& y, const std::vector<double>& places, const Curves& curves) {
        return refusal([&] { draw_curves("", "", x, y, places, curves); });
    };
    EXPECT_THAT(with(unit, unit, {0, 1}, {{"nine", {1}}}), HasSubstr("each of 2 places of the line 'nine', found 1"));
    EXPECT_THAT(with(unit, unit, {0, 1}, {{"nine", {1, NAN}}}), HasSubstr("'nine'"));
    EXPECT_THAT(with(unit, unit, {0, NAN}, {{"", {1, 1}}}), HasSubstr("places"));
    EXPECT_THAT(with(unit, unit, {1, 0}, {{"", {1, 1}}}), HasSubstr("ascending"));
    EXPECT_THAT(with(unit, unit, {0}, {{"", {1}}}), HasSubstr("found 1 and 1"));
    EXPECT_THAT(with(unit, unit, {0, 1}, {}), HasSubstr("found 0 and 2"));
    EXPECT_THAT(with({"way", 1, 1}, unit, {0, 1}, {{"", {1, 1}}}), HasSubstr("'way'"));
    EXPECT_THAT(with(unit, {"nats", 0, INFINITY}, {0, 1}, {{"", {1, 1}}}), HasSubstr("'nats'"));
    EXPECT_THAT(with(unit, unit, {0, 1}, {{"caf\xE9", {1, 1}}}), HasSubstr("UTF-8"));
}

// --- pictures below one another --------------------------------------------------------------------------------------

TEST(Stacked, PutsPicturesBelowOneAnother) {
    const Picture colour{1, 1, 3, {1, 2, 3}}, grey{2, 2, 1, {4, 5, 6, 7}};
    const Picture all = stacked({colour, grey});
    EXPECT_EQ(all.width, 2);
    EXPECT_EQ(all.height, 3);
    EXPECT_EQ(all.bytes, (std::vector<uint8_t>{1, 2, 3, 255, 255, 255, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7}));
    EXPECT_THAT(refusal([] { stacked({}); }), HasSubstr("found none"));
    const Picture clear{1, 1, 4, {1, 2, 3, 4}};
    EXPECT_THAT(refusal([&] { stacked({clear}); }), HasSubstr("opacity"));
}

// --- enlarge and morph -----------------------------------------------------------------------------------------------

TEST(Enlarge, MakesSquaresOfPixels) {
    const Picture picture{2, 1, 3, {1, 2, 3, 4, 5, 6}};
    const auto large = enlarge(picture, 5);
    EXPECT_EQ(large.width, 6);
    EXPECT_EQ(large.height, 3);
    for (int64_t y = 0; y < 3; ++y) {
        for (int64_t x = 0; x < 6; ++x) EXPECT_EQ(pixel(large, y, x), pixel(picture, 0, x / 3));
    }
    EXPECT_EQ(enlarge(picture, 2).bytes, picture.bytes);
    EXPECT_EQ(enlarge(picture, 0).bytes, picture.bytes);
}

TEST(Morph, GoesAlongThePathAndBackAndStaysAtItsStops) {
    std::vector<Picture> path;
    for (const uint8_t value : {10, 20, 30, 40}) path.push_back({1, 1, 1, {value}});
    std::vector<int> hundredths = {7};
    std::vector<int> values;
    for (const auto& frame : draw_morph(path, {0, 2, 3}, 4, hundredths)) {
        EXPECT_EQ(frame.width, 4);
        values.push_back(frame.bytes[0]);
    }
    EXPECT_THAT(values, ElementsAre(10, 20, 30, 40, 30, 20));
    ASSERT_EQ(hundredths.size(), 6u);
    for (const size_t i : {1, 5}) {
        EXPECT_LT(hundredths[i], hundredths[0]);
        EXPECT_EQ(hundredths[i], hundredths[1]);
    }
    for (const size_t i : {2, 3, 4}) EXPECT_EQ(hundredths[i], hundredths[0]) << i;

    path.resize(2);
    EXPECT_EQ(draw_morph(path, {0, 1}, 4, hundredths).size(), 2u);
    path.resize(1);
    EXPECT_EQ(draw_morph(path, {0}, 4, hundredths).size(), 1u);
    EXPECT_THAT(refusal([&] { draw_morph({}, {}, 4, hundredths); }), HasSubstr("found none"));
}

}  // namespace
}  // namespace whynot::drawing
