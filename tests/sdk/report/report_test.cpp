#include "whynot/report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "base/text.h"
#include "sdk/explanation/lines.h"
#include "sdk/explanation/samples.h"
#include "whynot/error.h"

using namespace whynot;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

const std::string text_lines = "the food was -[gross]- +[great]+ .\n\n  gross  -6.1\n";

size_t characters(const std::string& text) {
    size_t count = 0;
    for (size_t position = 0; position < text.size(); ++count) base::next_code_point(text, position);
    return count;
}

TEST(TerminalReport, ShowsTheBeginningOfALongRefusedInput) {
    Explanation refused;
    refused.question.modality = "text";
    for (int i = 0; i < 5000; ++i) refused.question.input += "\u00e9";
    refused.status = "refused";
    refused.reason = "the text is too long";
    const std::string text = to_terminal(refused, "");
    EXPECT_LT(text.size(), 600u);
    EXPECT_NE(text.find("(10000 bytes)"), std::string::npos);
    EXPECT_EQ(text.find("\\x"), std::string::npos) << "cut within a character";
}

}  // namespace

TEST(TerminalReport, ATextAtAGlance) {
    Explanation e = found_text();
    e.gap = 0.003;
    EXPECT_EQ(to_terminal(e, text_lines),
              "negative (99.8 %), why not positive (0.2 %)?\n"
              "\n"
              "    the food was -[gross]- +[great]+ .\n"
              "\n"
              "      gross  -6.1\n"
              "\n"
              "with these changes: positive 98.1 %\n"
              "boundary: gap 0.003 · distance 4.21 · edits 1 · edit ratio 0.2\n"
              "found · 23 evaluations · 0.12 s\n"
              "note: 'zzz' is unknown to the model\n");
}

TEST(TerminalReport, AnImageNamesItsFileAndTheThirdClass) {
    const std::string text = to_terminal(found_image(), "");
    EXPECT_THAT(text, StartsWith("digits/3.png: 3 (90.0 %), why not 8 (8.0 %)?\n"));
    EXPECT_THAT(text, HasSubstr("next class 5 1.25 below"));
    EXPECT_THAT(text, Not(HasSubstr("with these changes")));
}

TEST(TerminalReport, ARefusalGivesItsReason) {
    Explanation e = refused_text();
    e.question.input = "\x1b]0;evil\x07";
    const std::string text = to_terminal(e, "");
    EXPECT_THAT(text, AllOf(StartsWith("no answer\n"), HasSubstr("refused: the text is empty"), HasSubstr("\\u001b]0;evil\\u0007")));
    EXPECT_THAT(text, Not(HasSubstr("boundary")));
}

TEST(TerminalReport, AnAnswerThatFailsIsNotPassedOff) {
    Explanation e = found_text();
    e.probabilities.answer = {{"negative", 0.601}, {"positive", 0.399}};
    EXPECT_THAT(to_terminal(e, text_lines), HasSubstr("with these changes: still negative 60.1 %, positive 39.9 %"));
    Explanation image = found_image();
    image.probabilities.answer = {{"3", 0.2}, {"5", 0.5}, {"8", 0.3}};
    EXPECT_THAT(to_terminal(image, ""), HasSubstr("with these changes: 5 50.0 %, 8 30.0 %"));
}

TEST(TerminalReport, CertaintyIsNeverRoundedTo) {
    Explanation e = found_text();
    e.probabilities.before = {{"negative", 0.99999}, {"positive", 0.00001}};
    EXPECT_THAT(to_terminal(e, ""), StartsWith("negative (>99.9 %), why not positive (<0.1 %)?"));
    e.probabilities.before = {{"negative", 1}, {"positive", 0}};
    EXPECT_THAT(to_terminal(e, ""), StartsWith("negative (>99.9 %), why not positive (<0.1 %)?")) << "a softmax in single precision";
}

TEST(TerminalReport, ColoursReplaceMarksAndChangeNothingElse) {
    Explanation e = found_text();
    const std::string coloured = to_terminal(e, text_lines, {true, 80});
    EXPECT_THAT(coloured, HasSubstr("\033[9;31mgross\033[0m \033[1;32mgreat\033[0m ."));
    EXPECT_THAT(coloured, Not(HasSubstr("-[")));
    const std::string unmarked = to_terminal(e, "the food was gross great .\n\n  gross  -6.1\n");
    EXPECT_EQ(without_colours(coloured), unmarked);
    // Every line ends in the terminal's own colour.
    for (const std::string& line : lines_of(coloured)) {
        const size_t last = line.rfind("\033[");
        EXPECT_TRUE(last == std::string::npos || line.compare(last, 4, "\033[0m") == 0) << line;
    }
}

TEST(TerminalReport, MarksWithoutAnEndAreText) {
    EXPECT_THAT(to_terminal(found_text(), "a -[b and +[c", {true, 80}), HasSubstr("    a -[b and +[c\n"));
    EXPECT_THAT(to_terminal(found_text(), "-[]- x ]+", {false, 80}), HasSubstr("    -[]- x ]+\n"));
}

TEST(TerminalReport, LongLinesAreBrokenBetweenWords) {
    Explanation e = found_text();
    std::string sentence = "-[";
    for (int i = 0; i < 60; ++i) sentence += (i == 30 ? "]- +[wörd" : i ? " wörd" : "wörd");
    sentence += "]+";
    e.warnings = {sentence};
    for (const int width : {20, 33, 40, 80, 200}) {
        for (const bool colour : {false, true}) {
            const std::string text = to_terminal(e, sentence, {colour, width});
            std::string words;
            for (const std::string& line : lines_of(text)) {
                if (line.find("w\xc3\xb6rd") == std::string::npos) continue;
                EXPECT_LE(characters(without_colours(line)), static_cast<size_t>(width)) << line;
                if (colour && line.compare(0, 4, "    ") == 0) {
                    EXPECT_EQ(line.compare(0, 5, "    \033"), 0) << line;  // the indentation itself is never struck out
                }
            }
        }
    }
    EXPECT_NO_THROW(to_terminal(e, std::string(5000, 'x'), {false, 0}));
}

TEST(TerminalReport, ANumberStaysWithItsNameAndItsUnit) {
    Explanation e = found_text();
    e.gap = 0.000205;
    e.max_third = {{"neutral", -1.25}};
    const std::string lines = "lighter by 12.3, darker by 4.5 pixels in all; the largest change of one is -0.25 or 31 %\n";
    for (int width = 24; width <= 130; ++width) {
        for (const bool colour : {false, true}) {
            std::string text;
            for (const std::string& line : lines_of(without_colours(to_terminal(e, lines, {colour, width})))) {
                EXPECT_LE(characters(line), static_cast<size_t>(width)) << line;
                text += line + '\n';
            }
            for (const char* figure :
                 {"negative (99.8 %)", "positive (0.2 %)", "positive 98.1 %", "gap 0.000205 ·", "neutral 1.25 below", "distance 4.21",
                  "edits 1", "edit ratio 0.2", "23 evaluations", "0.12 s", "by 12.3", "by 4.5", "is -0.25", "or 31 %"})
                EXPECT_THAT(text, HasSubstr(figure)) << "at width " << width;
        }
    }
}

TEST(TerminalReport, NumbersAloneAreBrokenWhereTheyMustBe) {
    std::string numbers;
    for (int i = 0; i < 60; ++i) numbers += (i > 0 ? " " : "") + std::to_string(i);
    for (const std::string& line : lines_of(to_terminal(found_text(), "words, then " + numbers, {false, 40})))
        EXPECT_LE(characters(line), 40u) << line;
}

TEST(TerminalReport, NoInputReachesTheTerminalUnescaped) {
    std::mt19937 random(2);
    const auto noise = [&] {
        std::string bytes(random() % 40, '\0');
        for (char& c : bytes) c = "\x1b\x07\x01\x06[]-+ \nab\xc2\x9b\xff"[random() % 16];
        return bytes;
    };
    for (int round = 0; round < 2000; ++round) {
        Explanation e = round % 2 ? found_text() : found_image();
        e.question.input = noise();
        e.question.fact = noise();
        e.question.foil = noise();
        e.reason = noise();
        e.status = noise();
        e.warnings = {noise()};
        const std::string text = to_terminal(e, noise(), {round % 4 < 2, 30});
        EXPECT_TRUE(base::is_utf8(text));
        for (char c : without_colours(text)) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
        EXPECT_EQ(text.find("\u009b"), std::string::npos);
    }
}

namespace {

/// One character of a line: what it is, and the colours it has, as they are coded.
struct Cell {
    std::string text, upper, lower;
};

std::vector<Cell> cells(const std::string& line) {
    std::vector<Cell> result;
    Cell now;
    for (size_t position = 0; position < line.size();) {
        if (line[position] == '\033') {
            const size_t stop = line.find('m', position);
            const std::string code = line.substr(position + 2, stop - position - 2);
            const bool palette = code.compare(0, 5, "38;5;") == 0;
            size_t length = code == "0" ? 0 : 5;  // "38;5;" or "38;2;", then one number or three
            for (int numbers = length == 0 ? 0 : palette ? 1 : 3; numbers > 0; --numbers)
                length = std::min(code.find(';', length), code.size()) + 1;
            now.upper = code.substr(0, length == 0 ? 0 : length - 1);
            now.lower = length > 0 && length < code.size() ? code.substr(length) : "";
            position = stop + 1;
            continue;
        }
        const size_t begin = position;
        base::next_code_point(line, position);
        now.text = line.substr(begin, position - begin);
        result.push_back(now);
    }
    return result;
}

/// The lines of the report that pictures make, the line of names first.
std::vector<std::string> picture_lines(const std::vector<NamedPicture>& pictures, Pictures kind, int width) {
    const Explanation e = found_image();
    const std::vector<std::string> with = lines_of(to_terminal(e, "the end", {true, width, kind}, pictures));
    const std::vector<std::string> without = lines_of(to_terminal(e, "the end", {true, width}, {}));
    const auto first = with.begin() + (std::find(without.begin(), without.end(), "") - without.begin()) + 1;
    const auto last = std::find(with.begin(), with.end(), "    the end") - 1;
    EXPECT_EQ(*last, "");
    std::vector<std::string> rest(with.begin(), first);
    rest.insert(rest.end(), last + 1, with.end());
    EXPECT_EQ(rest, without) << "pictures change nothing else";
    return {first, last};
}

Picture noise(int64_t width, int64_t height, int64_t channels) {
    std::mt19937 random(static_cast<unsigned>(width * 1000 + height * 10 + channels));
    Picture picture{width, height, channels, {}};
    for (int64_t i = 0; i < width * height * channels; ++i) picture.bytes.push_back(static_cast<uint8_t>(random()));
    return picture;
}

/// The mean of the red pixels shown; how many there are is counted.
double mean_red(const std::vector<std::string>& lines, size_t& count) {
    double sum = 0;
    count = 0;
    for (size_t i = 1; i < lines.size(); ++i)
        for (const Cell& cell : cells(lines[i]))
            for (const std::string& code : {cell.upper, cell.lower})
                if (!code.empty()) sum += std::stoi(code.substr(5)), ++count;
    return sum / static_cast<double>(count);
}

}  // namespace

TEST(TerminalPictures, AreHalfBlocksUnderTheirNames) {
    const Picture colours{2, 3, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 9, 9, 9, 9, 9, 9}};
    EXPECT_THAT(picture_lines({{"dots", colours}}, Pictures::true_colour, 80),
                testing::ElementsAre("    dots", "     \033[38;2;255;0;0;48;2;0;0;255m\u2580\033[38;2;0;255;0;48;2;1;2;3m\u2580\033[0m",
                                     "     \033[38;2;9;9;9m\u2580\u2580\033[0m"));
    const Picture grey{3, 2, 1, {0, 8, 128, 238, 250, 255}};
    EXPECT_THAT(picture_lines({{"a", grey}, {"bc", grey}}, Pictures::palette, 80),
                testing::ElementsAre("     a   bc",
                                     "    \033[38;5;16;48;5;255m\u2580\033[38;5;232;48;5;231m\u2580\033[38;5;244;48;5;231m\u2580\033[0m"
                                     "  \033[38;5;16;48;5;255m\u2580\033[38;5;232;48;5;231m\u2580\033[38;5;244;48;5;231m\u2580\033[0m"));
    const Picture cube{1, 2, 3, {95, 135, 175, 250, 5, 3}};
    EXPECT_THAT(picture_lines({{"", cube}}, Pictures::palette, 80)[1], HasSubstr("38;5;67;48;5;196m"));
}

TEST(TerminalPictures, LieOverBlackWhereTheyAreNotOpaque) {
    const Picture grey{2, 1, 2, {200, 255, 200, 0}}, coloured{2, 1, 4, {200, 100, 50, 51, 1, 2, 3, 255}};
    EXPECT_THAT(picture_lines({{"g", grey}, {"c", coloured}}, Pictures::true_colour, 80)[1],
                AllOf(HasSubstr("38;2;200;200;200m\u2580\033[38;2;0;0;0m"), HasSubstr("38;2;40;20;10m\u2580\033[38;2;1;2;3m")));
}

TEST(TerminalPictures, KeepTheirSizeWhereThereIsRoom) {
    const std::vector<std::string> lines =
        picture_lines({{"input", noise(28, 28, 1)}, {"boundary", noise(28, 28, 3)}}, Pictures::true_colour, 80);
    ASSERT_EQ(lines.size(), 15u);
    for (size_t i = 1; i < lines.size(); ++i) EXPECT_EQ(cells(lines[i]).size(), 4u + 28 + 2 + 28);
    size_t count = 0;
    mean_red(lines, count);
    EXPECT_EQ(count, 2u * 28 * 28);
    EXPECT_EQ(lines[0], std::string(4 + 11, ' ') + "input" + std::string(12 + 2 + 10, ' ') + "boundary");
}

TEST(TerminalPictures, FitEveryWidth) {
    const std::string names[] = {"input", "boundary", "difference", "a very long name indeed \u65e5\u672c"};
    for (const int width : {0, 20, 33, 40, 80, 81, 200}) {
        for (const auto& [w, h] : std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {28, 28}, {31, 64}, {640, 480}, {7, 900}, {900, 7}}) {
            std::vector<NamedPicture> pictures;
            for (const std::string& name : names) pictures.push_back({name, noise(w, h, 1)});
            const std::vector<std::string> lines = picture_lines(pictures, Pictures::palette, width);
            for (const std::string& line : lines) EXPECT_LE(cells(line).size(), static_cast<size_t>(std::max(width, 20))) << line;
            std::string all;
            for (const std::string& line : lines) all += line;
            for (const char* part : {"input", "boundary", "difference", "a very lon"}) EXPECT_THAT(all, HasSubstr(part));
            EXPECT_LE(lines.size(), 4u * 42) << "high ones too";
        }
    }
}

TEST(TerminalPictures, AreMadeSmallerByTheMeanOfAreas) {
    // A step of a whole number of pixels: exactly the mean of each block.
    Picture blocks{152, 4, 1, std::vector<uint8_t>(152 * 4)};
    for (size_t i = 0; i < blocks.bytes.size(); ++i) blocks.bytes[i] = i % 2 == 0 ? 100 : 50;
    const std::vector<std::string> line = picture_lines({{"x", blocks}}, Pictures::palette, 80);
    EXPECT_EQ(line.size(), 2u);
    EXPECT_EQ(without_colours(line[1]).size(), 4 + 76 * std::string("\u2580").size());
    EXPECT_THAT(line[1], HasSubstr("    \033[38;5;" + std::to_string(232 + 7) + ";48;5;" + std::to_string(232 + 7) + "m\u2580\u2580"));
    // Any other: the mean of the whole stays.
    for (const auto& [w, h] : std::vector<std::pair<int64_t, int64_t>>{{100, 37}, {77, 77}, {333, 211}}) {
        const Picture picture = noise(w, h, 3);
        double sum = 0;
        for (size_t i = 0; i < picture.bytes.size(); i += 3) sum += picture.bytes[i];
        size_t count = 0;
        EXPECT_NEAR(mean_red(picture_lines({{"x", picture}}, Pictures::true_colour, 60), count), sum / static_cast<double>(w * h), 0.5);
        EXPECT_LT(count, static_cast<size_t>(w * h));
        Picture plain{w, h, 1, std::vector<uint8_t>(static_cast<size_t>(w * h), 201)};
        for (const Cell& cell : cells(picture_lines({{"x", plain}}, Pictures::true_colour, 60)[3])) {
            EXPECT_THAT(cell.upper, testing::AnyOf("", "38;2;201;201;201"));
        }
    }
}

TEST(TerminalPictures, AreLeftOutWhereTheTerminalShowsNone) {
    const Explanation e = found_image();
    const std::vector<NamedPicture> pictures{{"input", noise(8, 8, 1)}};
    EXPECT_EQ(to_terminal(e, "x", {true, 80, Pictures::none}, pictures), to_terminal(e, "x", {true, 80}));
    EXPECT_EQ(to_terminal(e, "x", {false, 80, Pictures::true_colour}, pictures), to_terminal(e, "x", {false, 80}));
    EXPECT_EQ(to_terminal(e, "x", {true, 80, Pictures::palette}), to_terminal(e, "x", {true, 80}));
}

TEST(TerminalPictures, AreCheckedAndTheirNamesEscaped) {
    const auto draw = [](const std::string& name, const Picture& picture) {
        return to_terminal(found_image(), "", {true, 80, Pictures::palette}, {{name, picture}});
    };
    for (const Picture& wrong :
         {Picture{2, 2, 1, {1, 2, 3}}, Picture{2, 2, 1, {1, 2, 3, 4, 5}}, Picture{0, 0, 1, {}}, Picture{-1, -1, 1, {1}},
          Picture{1, 1, 5, {1, 2, 3, 4, 5}}, Picture{1, 1, 0, {}}, Picture{int64_t{1} << 62, 4, 1, {}}}) {
        EXPECT_THROW(
            {
                try {
                    draw("input", wrong);
                } catch (const Error& error) {
                    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
                    EXPECT_THAT(error.what(), HasSubstr("'input'"));
                    throw;
                }
            },
            Error);
    }
    EXPECT_THAT(draw("\x1b]0;evil\x07", noise(30, 2, 1)), AllOf(HasSubstr("\\u001b]0;evil\\u0007"), Not(HasSubstr("\x07"))));
}
