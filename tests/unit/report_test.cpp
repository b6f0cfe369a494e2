#include "whynot/report.h"

#include <gmock/gmock.h>

#include <random>
#include <sstream>

#include "core/text.h"
#include "explanation/samples.h"

using namespace whynot;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

const std::string text_lines = "the food was -[gross]- +[great]+ .\n\n  gross  -6.1\n";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string without_colours(std::string text) {
    for (size_t begin; (begin = text.find('\033')) != std::string::npos;) text.erase(begin, text.find('m', begin) - begin + 1);
    return text;
}

size_t characters(const std::string& text) {
    size_t count = 0;
    for (size_t position = 0; position < text.size(); ++count) next_code_point(text, position);
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
    EXPECT_THAT(to_terminal(e, ""), StartsWith("negative (100.0 %), why not positive (0.0 %)?"));
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
        EXPECT_TRUE(is_utf8(text));
        for (char c : without_colours(text)) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
        EXPECT_EQ(text.find("\u009b"), std::string::npos);
    }
}
