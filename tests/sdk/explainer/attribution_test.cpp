#include "whynot/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/points_pack.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"
#include "whynot/explainer.h"
#include "whynot/report.h"

namespace {

using namespace whynot;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Scores are -2x for left, 2x for right, 2y for top.
class AttributionTest : public testing::Test {
protected:
    AttributionTest() {
        PluginSearch search;
        search.plugin_path = WHYNOT_TEST_PLUGINS;
        search.environment = search.installed = false;
        host_ = std::make_unique<Host>(search);
        explainer_ = std::make_unique<Explainer>(*host_, test::write_points_pack(folder_ / "points"));
    }

    std::vector<Attributed> attribute(const std::vector<Ask>& asks, const std::string& method = "weights") {
        AttributionOptions options;
        options.method = method;
        return explainer_->attribute(asks, options);
    }
    Attributed one(const std::string& point, const std::string& method = "weights") { return attribute({{{point, ""}, {}}}, method)[0]; }

    TemporaryFolder folder_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Explainer> explainer_;
};

TEST_F(AttributionTest, GivesAMapAQuestion) {
    const std::vector<Attributed> found =
        attribute({{{"1 0.25", ""}, {"", "left", "mine"}}, {{"-1 0.25", ""}, {"", "top", ""}}, {{"3", ""}, {}}});
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].id, "mine");
    EXPECT_THAT(found[0].map.scores, ElementsAre(4, 0));
    EXPECT_EQ(found[1].question.fact, "left");
    EXPECT_THAT(found[1].map.scores, ElementsAre(2, -0.5));
    EXPECT_THAT(found[1].id, testing::EndsWith("-weights"));
    EXPECT_THAT(found[2].reason, HasSubstr("two numbers"));
    EXPECT_TRUE(found[2].map.scores.empty());
}

TEST_F(AttributionTest, TheRecordHoldsTheMap) {
    const json record = json::parse(to_json(one("1 0.25")));
    EXPECT_EQ(record.at("status"), "found");
    EXPECT_EQ(record.at("map").at("shape"), json({2}));
    EXPECT_EQ(record.at("map").at("parts"), json({"x", "y"}));
    EXPECT_EQ(record.at("map").at("unit"), "nats");
    EXPECT_EQ(record.at("question").at("fact"), "right");
    EXPECT_GT(record.at("probabilities").at("right").get<double>(), 0.5);
    const json refused = json::parse(to_json(one("nothing")));
    EXPECT_EQ(refused.at("status"), "refused");
    EXPECT_EQ(refused.at("map"), nullptr);
}

TEST_F(AttributionTest, QuestionsThatAreNoneAreRefusedAlone) {
    const std::vector<Attributed> found =
        attribute({{{"1 0.25", ""}, {"", "right", ""}}, {{"1 0.25", ""}, {"up", "", ""}}, {{"1 0.25", ""}, {}}});
    EXPECT_THAT(found[0].reason, HasSubstr("calls it 'right' already"));
    EXPECT_THAT(found[1].reason, HasSubstr("the fact 'up' is no class"));
    EXPECT_EQ(found[2].reason, "");
}

TEST_F(AttributionTest, SaysWhatAMethodDoesNotSee) {
    EXPECT_THAT(one("1 0.25", "zero").warnings, Contains(HasSubstr("zero everywhere")));
    EXPECT_THAT(one("1 0.25", "infinite").reason, HasSubstr("not finite"));
    EXPECT_EQ(one("1 0.25", "unable").reason, "there is nothing to see");
}

TEST_F(AttributionTest, NamesTheDefectsOfAPlugin) {
    const auto message = [&](const std::string& method) -> std::string {
        try {
            one("1 0.25", method);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_THAT(message("short"), HasSubstr("plugin 'points' gave 1 scores of a map of 2 parts"));
    EXPECT_THAT(message("few"), HasSubstr("0 of 1 maps"));
    EXPECT_THAT(message("wieghts"), HasSubstr("expected a method of attribution of points: weights, zero"));
}

TEST_F(AttributionTest, ASweepNeedsAFoil) {
    AttributionOptions options;
    options.alone = options.sweep = true;
    EXPECT_THROW(explainer_->attribute({{{"1 0.25", ""}, {}}}, options), Error);
}

TEST_F(AttributionTest, ReadsWellInATerminal) {
    const std::string text = to_terminal(one("1 0.25"));
    EXPECT_THAT(text, testing::StartsWith("what speaks for right"));
    EXPECT_THAT(text, HasSubstr("    x and y\n"));
    EXPECT_THAT(to_terminal(one("nothing")), HasSubstr("refused: "));
}

}  // namespace
