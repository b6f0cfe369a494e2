#include "text/english/english.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace {

using whynot::text::English;
using whynot::text::Ids;

class EnglishRules : public ::testing::Test {
protected:
    EnglishRules() {
        std::istringstream list(
            "<pad> <go> <eos> <unk> i we it they the staff food was is a an n't do does did ca can wo will love loved loving work works "
            "working "
            "try tries tried trying plan plans planned planning come came coming best worst great terrible delicious bland rude polite "
            "have had having stay stayed staying");
        for (std::string word; list >> word;) words_.push_back(word);
        english_ = English(words_);
    }
    int64_t id(const std::string& word) const { return std::find(words_.begin(), words_.end(), word) - words_.begin(); }
    std::string denied(const std::string& word) const {
        const std::optional<Ids> ids = english_.denied(id(word));
        std::string text;
        for (const int64_t one : ids.value_or(Ids{})) text += (text.empty() ? "" : " ") + words_[static_cast<size_t>(one)];
        return text;
    }

    std::vector<std::string> words_;
    English english_;
};

TEST_F(EnglishRules, VerbsAreDeniedWithDo) {
    EXPECT_EQ(denied("love"), "do n't love");
    EXPECT_EQ(denied("loved"), "did n't love");
    EXPECT_EQ(denied("works"), "does n't work");
    EXPECT_EQ(denied("tried"), "did n't try");
    EXPECT_EQ(denied("tries"), "does n't try");
    EXPECT_EQ(denied("planned"), "did n't plan");
    EXPECT_EQ(denied("stayed"), "did n't stay");
    EXPECT_EQ(denied("came"), "did n't come");
    for (const char* word : {"great", "staff", "was", "had", "can", "the", "<unk>"}) EXPECT_EQ(denied(word), "") << word;
}

TEST_F(EnglishRules, WhatIsDeniedComesBack) {
    int verbs = 0;
    for (size_t i = 0; i < words_.size(); ++i)
        if (const auto denied = english_.denied(static_cast<int64_t>(i))) {
            ASSERT_EQ(denied->size(), 3u);
            EXPECT_EQ(denied->at(1), english_.not_);
            EXPECT_EQ(english_.affirmed(denied->at(0), denied->at(2)), static_cast<int64_t>(i)) << words_[i];
            ++verbs;
        }
    EXPECT_GE(verbs, 12);
    EXPECT_FALSE(english_.affirmed(id("did"), id("food")));
}

TEST_F(EnglishRules, WhereDoMayStand) {
    for (const char* word : {"i", "we", "they"}) EXPECT_TRUE(english_.is_plural_subject(id(word))) << word;
    for (const char* word : {"it", "staff", "the"}) EXPECT_FALSE(english_.is_plural_subject(id(word))) << word;
    for (const char* word : {"a", "the", "was", "had", "will"}) EXPECT_TRUE(english_.shuts_out_do(id(word))) << word;
    for (const char* word : {"i", "staff", "it"}) EXPECT_FALSE(english_.shuts_out_do(id(word))) << word;
}

TEST_F(EnglishRules, TurnsGoBothWaysAndPeoplesCountMost) {
    EXPECT_EQ(english_.turn(id("best"), id("worst")), 1);
    EXPECT_GT(english_.turn(id("great"), id("terrible")), english_.turn(id("delicious"), id("bland")));
    EXPECT_GT(english_.turn(id("delicious"), id("bland")), 0) << "opposites by way of what is like them";
    EXPECT_GT(english_.turn(id("polite"), id("rude")), 0);
    EXPECT_EQ(english_.turn(id("food"), id("staff")), 0);
    for (size_t i = 0; i < words_.size(); ++i)
        for (const auto& [other, counts] : english_.turns(static_cast<int64_t>(i))) {
            EXPECT_EQ(english_.turn(other, static_cast<int64_t>(i)), counts);
            EXPECT_GT(counts, 0);
            EXPECT_LE(counts, 1);
            EXPECT_NE(other, static_cast<int64_t>(i));
        }
}

}  // namespace
