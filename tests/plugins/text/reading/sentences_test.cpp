// Texts cut into sentences, and sentences made of others.

#include "text/reading/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "text/reading/contrasts.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

Strings cut(const std::string& text, size_t longest = 30) {
    const std::vector<Word> words = split_words(text);
    Strings parts;
    size_t last = 0;
    for (const auto& [begin, end] : cut_sentences(text, words, longest)) {
        EXPECT_EQ(begin, last) << "nothing is left out";
        EXPECT_LE(end - begin, longest);
        last = end;
        parts.push_back(text.substr(words[begin].begin, words[end - 1].end - words[begin].begin));
    }
    EXPECT_EQ(last, words.size());
    return parts;
}

TEST(Sentences, EndBehindTheirMarks) {
    EXPECT_THAT(cut("It is good. Is it?! \"Yes.\" (No...) so"), ElementsAre("It is good.", "Is it?!", "\"Yes.\"", "(No...)", "so"));
    EXPECT_THAT(cut("one"), ElementsAre("one"));
    EXPECT_THAT(cut("A title\n\nand what follows\nit"), ElementsAre("A title", "and what follows", "it"));
    EXPECT_THAT(cut("..."), ElementsAre("..."));
}

TEST(Sentences, ThatAreTooLongAreCutBehindACommaOrWhereTheyHaveToBe) {
    EXPECT_THAT(cut("a b c , d e f g", 5), ElementsAre("a b c ,", "d e f g"));
    EXPECT_THAT(cut("a b c d e f g h i j k", 5), ElementsAre("a b c d e", "f g h i j", "k"));
}

std::vector<LabelledSentence> corpus() {
    return {{{"the", "food", "was", "cold", "."}, 0},      {{"nobody", "came", "to", "us", "."}, 0},
            {{"we", "love", "this", "place", "!"}, 1},     {{"all", "was", "very", "fresh"}, 1},
            {{"good", ",", "but", "far", "away", "."}, 1}, {{"ok"}, 1}};
}

TEST(Contrasts, AreMadeOfShortPlainClausesAndEndAsTheClauseThatCounts) {
    const auto made = made_contrasts(corpus(), 400, 1);
    ASSERT_EQ(made.size(), 400u);
    std::set<std::string> forms;
    for (const LabelledSentence& sentence : made) {
        const std::string text = base::joined(sentence.words, " ");
        EXPECT_EQ(sentence.words.back(), ".");
        EXPECT_THAT(text, testing::Not(testing::AnyOf(HasSubstr("far away"), HasSubstr(" X "), HasSubstr(" Y "))))
            << "of plain clauses only";
        const bool good = text.find("we love") != std::string::npos || text.find("fresh") != std::string::npos;
        const bool bad = text.find("cold") != std::string::npos || text.find("nobody came") != std::string::npos;
        EXPECT_TRUE(good || bad) << text;
        if (text.rfind("although", 0) == 0) {
            EXPECT_EQ(sentence.label, text.find("the food") > text.find(" , ") && text.find("nobody") > text.find(" , ") &&
                                              (text.find("the food") != std::string::npos || text.find("nobody") != std::string::npos)
                                          ? 0
                                          : 1)
                << text;
        }
        if (text.rfind("i ca n't say", 0) == 0) {
            EXPECT_EQ(sentence.label, 0) << text;
        }
        forms.insert(sentence.words[0] + " " + sentence.words[1]);
    }
    EXPECT_GT(forms.size(), 15u);
}

TEST(Contrasts, AreTheSameForTheSameSeedAndNoneOfOneClass) {
    const auto one = made_contrasts(corpus(), 50, 3), again = made_contrasts(corpus(), 50, 3), other = made_contrasts(corpus(), 50, 4);
    const auto same = [](const LabelledSentence& a, const LabelledSentence& b) { return a.words == b.words && a.label == b.label; };
    EXPECT_TRUE(std::equal(one.begin(), one.end(), again.begin(), again.end(), same));
    EXPECT_FALSE(std::equal(one.begin(), one.end(), other.begin(), other.end(), same));
    EXPECT_TRUE(made_contrasts({{{"the", "food", "was", "cold"}, 0}}, 50, 1).empty());
}

}  // namespace
