// What answers of the pack that ships must not do to a text, whatever word they choose: each of these went wrong once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/process.h"

namespace {

using whynot::test::Process;
using Json = nlohmann::json;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class Answers : public ::testing::Test {
protected:
    static Json explained(const std::string& text, const std::vector<std::string>& options = {}) {
        std::vector<std::string> arguments{"explain", "--json", text};
        arguments.insert(arguments.end(), options.begin(), options.end());
        Process program(WHYNOT_PROGRAM, arguments, {"OMP_NUM_THREADS=1"});
        program.finish();
        EXPECT_THAT(program.code, AnyOf(0, 3)) << program.err;
        return Json::parse(program.out);
    }
    static std::string answer(const Json& record) { return record["text"].value("answer", ""); }
    static std::vector<std::string> touched(const Json& record, const char* side) {
        std::vector<std::string> words;
        for (const Json& edit : record["text"]["edits"])
            if (const std::string word = edit[side]; !word.empty()) words.push_back(word);
        return words;
    }
};

TEST_F(Answers, NumbersAndMarksStay) {
    const Json tacos = explained("we waited 45 minutes and paid $39.99 for 2 tiny tacos");
    EXPECT_THAT(answer(tacos), HasSubstr("$39.99 "));
    EXPECT_THAT(answer(tacos), HasSubstr(" 45 "));
    EXPECT_THAT(answer(explained("12345 678")), AnyOf("", HasSubstr("12345 678"))) << "no word in the place of a number";
    for (const char* text :
         {"The carne asada burrito is awesome!", "this place is golden !", "omg i luv this place <3 <3 :)", "not good :("})
        EXPECT_THAT(touched(explained(text), "from"), Each(Not(AnyOf("!", ".", "?", ",", ":", ")", "(", "<", "_num_")))) << text;
}

TEST_F(Answers, ContractionsGoWhole) {
    const Json aint = explained("this ain't a good place");
    EXPECT_THAT(answer(aint), Not(HasSubstr(" ai "))) << "half of a contraction is no word";
    EXPECT_THAT(explained("the food wasnt good")["question"]["fact"], "negative") << "read as was n't";
    EXPECT_THAT(explained("this isnt a good place")["question"]["fact"], "negative");
    for (const char* text : {"I won't be back.", "We can't recommend it.", "I don't like this place."}) {
        const std::string said = answer(explained(text));
        EXPECT_FALSE(said.empty()) << text;
        for (const char* half : {" wo ", " ca ", " do like"}) EXPECT_THAT(said, Not(HasSubstr(half))) << text;
    }
    EXPECT_THAT(answer(explained("Yaniss Lespart and Pierre Mignard do a convincing job .")), Not(HasSubstr("don't convincing")));
}

TEST_F(Answers, CapitalsOfNamesAreNotInherited) {
    const Json aircraft = explained("This was not an American aircraft.");
    for (const std::string& word : touched(aircraft, "to")) {
        std::string capital = word;
        capital[0] = static_cast<char>(std::toupper(capital[0]));
        EXPECT_THAT(answer(aircraft), Not(HasSubstr(" " + capital + " "))) << word;
    }
}

TEST_F(Answers, TheArticleFits) {
    for (const char* text : {"it is an awful place .", "this is an excellent restaurant .", "a great cheap mexican cantina vibe ."}) {
        const std::string said = " " + answer(explained(text)) + " ";
        for (const char* wrong : {" an b", " an c", " an d", " an f", " an g", " an p", " an t", " an w", " a a", " a e", " a i", " a o"})
            EXPECT_THAT(said, Not(HasSubstr(wrong))) << text;
    }
}

TEST_F(Answers, CompoundsAreTwoWords) {
    const Json service = explained("rude/slow service");
    EXPECT_EQ(service["question"]["fact"], "negative");
    EXPECT_THAT(answer(service), HasSubstr("service"));
    EXPECT_THAT(answer(service), HasSubstr("/"));
}

TEST_F(Answers, WhatTheModelDoesNotKnowIsNoEvidence) {
    EXPECT_THAT(explained("Das Essen war schrecklich und kalt .")["status"], "refused") << "a full stop is no evidence";
    Process homoglyph(WHYNOT_PROGRAM, {"explain", "the food was t\u0435rrible ."}, {"OMP_NUM_THREADS=1"});
    homoglyph.finish();
    EXPECT_THAT(homoglyph.out, Not(HasSubstr("  t\u0435rrible  "))) << "no bar of it";
    EXPECT_THAT(homoglyph.err + homoglyph.out, HasSubstr("unknown to the model"));
}

TEST_F(Answers, LittleReasonIsSaid) {
    EXPECT_TRUE(explained("the")["text"].value("little_reason", false));
    EXPECT_TRUE(explained("...")["text"].value("little_reason", false));
    EXPECT_FALSE(explained("the food was gross .")["text"].contains("little_reason"));
    Process program(WHYNOT_PROGRAM, {"explain", "..."}, {"OMP_NUM_THREADS=1"});
    program.finish();
    EXPECT_THAT(program.out, HasSubstr("no word of it gives the model much reason"));
}

TEST_F(Answers, WhatIsJoinedTurnsTogether) {
    const std::string said = answer(explained("the other staff were friendly and professional ."));
    EXPECT_THAT(said, Not(HasSubstr("friendly")));
    EXPECT_THAT(said, Not(HasSubstr(" professional")));
}

TEST_F(Answers, NoWordIsSaidTwice) {
    for (const char* text : {"the soup selection was excellent and very tasty .", "the food here is bland and boring and bad ."}) {
        const std::vector<std::string> words = touched(explained(text), "to");
        for (const std::string& word : words) EXPECT_EQ(std::count(words.begin(), words.end(), word), 1) << text << ": " << word;
    }
}

TEST_F(Answers, AuditIsAskedOfALineToo) {
    Process program(WHYNOT_PROGRAM, {"explain", "--lines", "--decode", "audit"}, {"OMP_NUM_THREADS=1"});
    program.finish("the food was gross .\n");
    EXPECT_EQ(program.code, 0) << program.err;
}

}  // namespace
