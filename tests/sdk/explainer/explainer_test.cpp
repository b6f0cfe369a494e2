#include "whynot/explainer.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "support/points_pack.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

namespace {

// Scores are -2x for left, 2x for right, 2y for top: left and right meet where x = 0, right and top where y = x.
class ExplainerTest : public testing::Test {
protected:
    ExplainerTest() : folder_(fs::canonical(fs::temp_directory_path()) / ("whynot-explainer-" + std::to_string(getpid()))) {
        fs::remove_all(folder_);
        PluginSearch search;
        search.plugin_path = WHYNOT_TEST_PLUGINS;
        search.environment = search.installed = false;
        host_ = std::make_unique<Host>(search);
        explainer_ = std::make_unique<Explainer>(*host_, test::write_points_pack(folder_ / "points"));
    }
    ~ExplainerTest() override { fs::remove_all(folder_); }

    Explanation ask(const std::string& point, const std::string& fact = "", const std::string& foil = "") {
        return explainer_->explain(point, {fact, foil, ""}).record;
    }

    fs::path folder_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<Explainer> explainer_;
};

double probability(const ClassProbabilities& probabilities, const std::string& name) {
    for (const auto& [one, p] : probabilities)
        if (one == name) return p;
    return -1;
}

TEST_F(ExplainerTest, WhatIsNotFiniteRefusesItsQuestionAlone) {
    const std::vector<Ask> asks{{{"3e38 0", ""}, {}}, {{"1 0.5", ""}, {}}};  // twice the first is beyond all floats
    const std::vector<Answer> answers = explainer_->explain(asks, {});
    EXPECT_EQ(answers[0].record.status, "refused");
    EXPECT_THAT(answers[0].record.reason, HasSubstr("no probabilities"));
    EXPECT_EQ(answers[1].record.status, "found");
    for (const Answer& answer : answers) EXPECT_NO_THROW(to_json(answer.record));
    const std::vector<Classification> said = explainer_->classify({asks[0].input, asks[1].input});
    EXPECT_THAT(said[0].refusal, HasSubstr("no probabilities"));
    EXPECT_EQ(said[1].predicted, "right");
}

TEST_F(ExplainerTest, FindsTheNearestPointOfTheBoundary) {
    const Explanation record = ask("1 0.5");
    EXPECT_EQ(record.status, "found");
    EXPECT_EQ(record.reason, "");
    EXPECT_EQ(record.question.fact, "right");
    EXPECT_EQ(record.question.foil, "top") << "the runner-up";
    EXPECT_LT(std::abs(*record.gap), 0.01);
    EXPECT_NEAR(record.distance->latent, 0.5 / std::sqrt(2.0), 1e-3) << "from (1, 0.5) to the line y = x";
    EXPECT_NEAR(probability(record.probabilities.boundary, "right"), probability(record.probabilities.boundary, "top"), 0.01);
    EXPECT_GT(probability(record.probabilities.answer, "top"), probability(record.probabilities.answer, "right"));
    EXPECT_EQ(explanation_from_json(to_json(record)).id, record.id) << "the record is what its schema says";
}

TEST_F(ExplainerTest, KeepsTheThirdClassBelow) {
    const Explanation guarded = ask("1 0.5", "right", "left");
    EXPECT_EQ(guarded.status, "found");
    ASSERT_TRUE(guarded.max_third);
    EXPECT_EQ(guarded.max_third->name, "top");
    EXPECT_LE(guarded.max_third->margin, 0.011);
    ExplainOptions options;
    options.solver.guards = false;
    const Explanation bare = explainer_->explain("1 0.5", {"right", "left", ""}, options).record;
    EXPECT_NEAR(bare.distance->latent, 1, 1e-3) << "straight to x = 0";
    EXPECT_GT(bare.max_third->margin, 0.9);
    EXPECT_THAT(bare.solver.options, HasSubstr("guards"));
}

TEST_F(ExplainerTest, AnswersABatchAsItAnswersEach) {
    std::vector<Ask> asks;
    for (const char* point : {"1 0.5", "-1 0.2", "0.1 2", "1 0.5"})
        for (const char* foil : {"left", "right", "top"}) asks.push_back({{point, ""}, {"", foil, ""}});
    const std::vector<Answer> together = explainer_->explain(asks);
    ASSERT_EQ(together.size(), asks.size());
    for (size_t i = 0; i < asks.size(); ++i) {
        const Explanation alone = explainer_->explain(asks[i].input.content, asks[i].question).record;
        EXPECT_EQ(together[i].record.status, alone.status);
        EXPECT_EQ(together[i].record.id, alone.id);
        EXPECT_EQ(together[i].record.question.foil, alone.question.foil);
        ASSERT_EQ(together[i].record.distance.has_value(), alone.distance.has_value());
        if (alone.distance) {
            EXPECT_NEAR(together[i].record.distance->latent, alone.distance->latent, 1e-3);
        }
    }
}

TEST_F(ExplainerTest, RefusesTheQuestionThatIsNoneAndAnswersTheOthers) {
    const std::vector<Answer> answers = explainer_->explain({{{"1 0.5", ""}, {"", "bottom", ""}},
                                                             {{"nowhere", ""}, {}},
                                                             {{"1 0.5", ""}, {"", "right", ""}},
                                                             {{"1 0.5", ""}, {"left", "left", ""}},
                                                             {{"\xff 1", ""}, {}},
                                                             {{"1 0.5", ""}, {"", "", "mine"}}});
    for (size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(answers[i].record.status, "refused") << i;
        EXPECT_NO_THROW(to_json(answers[i].record)) << i;
    }
    EXPECT_THAT(answers[0].record.reason, HasSubstr("left, right, top"));
    EXPECT_THAT(answers[1].record.reason, HasSubstr("two numbers"));
    EXPECT_THAT(answers[2].record.reason, HasSubstr("'right' already"));
    EXPECT_THAT(answers[3].record.reason, HasSubstr("same class"));
    EXPECT_EQ(answers[5].record.status, "found");
    EXPECT_EQ(answers[5].record.id, "mine");
}

TEST_F(ExplainerTest, SaysWhereTheFactIsNotWhatTheClassifierSays) {
    const Explanation record = ask("1 0.5", "left", "right");
    ASSERT_EQ(record.warnings.size(), 1u);
    EXPECT_THAT(record.warnings[0], HasSubstr("'right', not 'left'"));
}

TEST_F(ExplainerTest, GivesTheSameRecordTwice) {
    const auto bytes = [&] {
        Explanation record = ask("0.3 -0.8");
        record.cost = {};
        return to_json(record);
    };
    EXPECT_EQ(bytes(), bytes());
}

TEST_F(ExplainerTest, HandsOutPictures) {
    const Answer answer = explainer_->explain("1 0.5");
    ASSERT_EQ(answer.pictures.size(), 2u);
    EXPECT_EQ(answer.pictures[0].name, "input");
    EXPECT_EQ(answer.pictures[0].picture.bytes[3 * 8 - 8 + 6], 255) << "the plugin's own, of this question";
    EXPECT_EQ(answer.pictures[1].name, "boundary");
    EXPECT_THAT(explainer_->explain("nowhere").pictures, testing::IsEmpty());
}

class ExplainerNames : public ExplainerTest {
protected:
    ExplainerNames() : out_(folder_ / "out") { fs::create_directories(out_); }

    /// What the plugin called the explanations: the names of the files it wrote.
    std::vector<std::string> names(const std::vector<Ask>& asks, Explainer& explainer) {
        ExplainOptions options;
        options.out = out_;
        std::vector<std::string> result;
        for (const Answer& answer : explainer.explain(asks, options)) {
            const auto record = nlohmann::json::parse(answer.record.rendering);
            const std::string file = record.at("sheet");
            EXPECT_TRUE(fs::is_regular_file(out_ / file)) << file;
            result.push_back(fs::path(file).stem());
        }
        return result;
    }
    std::vector<std::string> names(const std::vector<Ask>& asks) { return names(asks, *explainer_); }

    fs::path out_;
};

TEST_F(ExplainerNames, AreReadableAndFitForFiles) {
    const std::vector<Ask> asks{{{"1 0.5", "some/Digit  3 (b).tar.png"}, {}},
                                {{"1 0.5", "../\u00fcber/\u65e5\u672c.png"}, {}},
                                {{"1 0.5", "--rm -rf \n\xff$x.png"}, {"", "left", ""}},
                                {{"1 0.5", std::string(4000, 'a') + ".png"}, {}},
                                {{"1 0.5", ""}, {"", "left", "mine"}}};
    const std::vector<std::string> given = names(asks);
    const std::string start[] = {"Digit-3-b-tar-right-not-top-", "input-right-not-top-", "rm-rf-x-right-not-left-",
                                 std::string(48, 'a') + "-right-not-top-", "input-right-not-left-"};
    for (size_t i = 0; i < asks.size(); ++i) {
        const std::string id = question_id("points", "1 0.5", "", asks[i].question.foil, explainer_->pack().sha256());
        EXPECT_EQ(given[i], start[i] + id.substr(0, 8));
    }
    EXPECT_EQ(names(asks), given);
    const std::vector<std::string> alone = names({asks[0]});
    EXPECT_EQ(alone[0], given[0]) << "whatever else is asked";
}

TEST_F(ExplainerNames, AreDifferentForDifferentQuestions) {
    const std::vector<std::string> given = names({{{"1 0.5", "a/3.png"}, {"", "left", ""}},
                                                  {{"1 0.5", "a/3.png"}, {"", "top", ""}},
                                                  {{"1 0.25", "b/3.png"}, {"", "top", ""}},
                                                  {{"1 0.75", "b/3.png"}, {"", "top", "same"}},
                                                  {{"1 0.8", "b/3.png"}, {"", "top", "same"}}});
    EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), given.size());
}

TEST_F(ExplainerNames, HoldAnyClass) {
    const auto odd = [](PackManifest& manifest) { manifest.classes = {"\u65e5", "../c++ / d", std::string(200, 'x')}; };
    Explainer explainer(*host_, test::write_points_pack(folder_ / "odd", odd));
    EXPECT_THAT(names({{{"1 0.5", "3.png"}, {"", "\u65e5", ""}}, {{"1 0.5", "3.png"}, {}}}, explainer),
                testing::ElementsAre(testing::StartsWith("3-c-d-not-0-"), testing::StartsWith("3-c-d-not-" + std::string(24, 'x') + '-')));
}

TEST_F(ExplainerTest, ClassifiesAndSaysWhatItCannotRead) {
    const std::vector<Classification> said = explainer_->classify({{"1 0", ""}, {"x", ""}, {"-2 0", ""}});
    EXPECT_EQ(said[0].predicted, "right");
    EXPECT_THAT(said[1].refusal, HasSubstr("two numbers"));
    EXPECT_EQ(said[2].predicted, "left");
    EXPECT_NEAR(probability(said[0].probabilities, "right"), std::exp(2) / (std::exp(2) + std::exp(-2) + 1), 1e-4);
}

TEST_F(ExplainerTest, RefusesSeveralAnswersAndWordsToKeepWhereNothingIsEdited) {
    const auto refused = [&](const ExplainOptions& options) {
        return message_of(ErrorCode::invalid_argument, [&] { explainer_->explain("1 0.5", {}, options); });
    };
    ExplainOptions options;
    options.answers = 2;
    EXPECT_THAT(refused(options), HasSubstr("the pack 'points' explains points"));
    options.answers = 21;
    EXPECT_THAT(refused(options), HasSubstr("answers should be from 1 to 20; it is 21"));
    options.answers = 1;
    options.keep = {"1"};
    EXPECT_THAT(refused(options), HasSubstr("the pack 'points' explains points"));
    options.keep = {""};
    EXPECT_THAT(refused(options), HasSubstr("found one that is empty"));
}

TEST_F(ExplainerTest, WarnsOfWhatIsUnlikeAndRefusesItWhereThatIsWanted) {
    const std::vector<Ask> asks{{{"1 0.5", ""}, {}}, {{"30 0.5", ""}, {}}};
    ExplainOptions options;
    const std::vector<Answer> told = explainer_->explain(asks, options);
    ASSERT_TRUE(told[0].record.likeness && told[1].record.likeness);
    EXPECT_LT(told[0].record.likeness->strangeness, 1);
    EXPECT_THAT(told[0].record.warnings, Not(Contains(HasSubstr("unlike"))));
    EXPECT_GT(told[1].record.likeness->strangeness, 1);
    EXPECT_THAT(told[1].record.warnings, Contains("this is unlike what the model was made for: it lies far out"));
    options.strict = true;
    const std::vector<Answer> strict = explainer_->explain(asks, options);
    EXPECT_EQ(strict[0].record.status, told[0].record.status);
    EXPECT_EQ(strict[1].record.status, "refused");
    EXPECT_EQ(strict[1].record.reason, "this is unlike what the model was made for: it lies far out");
    EXPECT_TRUE(strict[1].record.likeness) << "a refused record says how strange it was";

    const std::vector<Classification> said = explainer_->classify({{"1 0.5", ""}, {"30 0.5", ""}, {"nonsense", ""}});
    EXPECT_LT(said[0].strangeness.value(), 1);
    EXPECT_THAT(said[1].warnings, Contains(HasSubstr("it lies far out")));
    EXPECT_FALSE(said[2].strangeness);
}

TEST_F(ExplainerTest, LeavesTimesOut) {
    const std::vector<Ask> asks{{{"1 0.5", ""}, {}}, {{"-1 0.2", ""}, {}}, {{"nowhere", ""}, {}}};
    ExplainOptions options;
    for (const Answer& answer : explainer_->explain(asks, options)) EXPECT_THAT(to_json(answer.record), HasSubstr("seconds"));
    options.times = false;
    const std::vector<Answer> one = explainer_->explain(asks, options), other = explainer_->explain(asks, options);
    for (size_t i = 0; i < asks.size(); ++i) {
        const std::string json = to_json(one[i].record);
        EXPECT_THAT(json, testing::Not(HasSubstr("seconds")));
        EXPECT_EQ(json, to_json(other[i].record)) << "byte for byte";
        EXPECT_EQ(to_json(explanation_from_json(json)), json);
    }
}

using Stage = IterationReport::Stage;

/// Four questions, each with a point on its boundary.
class ExplainerStages : public ExplainerTest {
protected:
    ExplainerStages() { at::set_num_threads(1); }  // so that groups are small

    std::vector<Answer> explain(const std::function<CallbackAnswer(const IterationReport&)>& callback, double deadline = 0) {
        ExplainOptions options;
        options.times = false;
        options.solver.callback = callback;
        options.solver.deadline_seconds = deadline;
        std::vector<Answer> answers = explainer_->explain(asks_, options);
        for (Answer& answer : answers) {
            EXPECT_NO_THROW(to_json(answer.record)) << "the schema has something against it";
            answer.record.solver.options = "{}";  // which tell of the deadline
        }
        return answers;
    }

    static void expect_unread(const std::vector<Answer>& answers, const std::string& reason) {
        for (const Answer& answer : answers) {
            EXPECT_EQ(answer.record.status, "refused");
            EXPECT_EQ(answer.record.reason, reason);
            EXPECT_TRUE(answer.record.probabilities.before.empty());
        }
    }

    static void expect_unsearched(const std::vector<Answer>& answers, const std::string& status, const std::string& reason) {
        for (const Answer& answer : answers) {
            EXPECT_EQ(answer.record.status, status);
            EXPECT_EQ(answer.record.reason, reason);
            EXPECT_EQ(answer.record.probabilities.before.size(), 3u) << "it was read and classified";
            EXPECT_FALSE(answer.record.gap);
            EXPECT_FALSE(answer.record.distance);
            EXPECT_EQ(answer.record.cost.forward, 0);
        }
    }

    /// Answers to the questions from `first` on that reached their boundary, and nothing was made of it.
    void expect_unrendered(const std::vector<Answer>& answers, size_t first, const std::string& status, const std::string& cause) {
        const std::vector<Answer> whole = explain({});
        for (size_t i = 0; i < answers.size(); ++i) {
            if (i < first) {
                EXPECT_EQ(to_json(answers[i].record), to_json(whole[i].record));
                EXPECT_EQ(answers[i].terminal, whole[i].terminal);
                continue;
            }
            EXPECT_EQ(answers[i].record.status, status);
            EXPECT_EQ(answers[i].record.reason, "The boundary was reached. " + cause + " before the answer was made from it.");
            EXPECT_EQ(answers[i].record.gap, whole[i].record.gap);
            EXPECT_EQ(answers[i].record.distance->latent, whole[i].record.distance->latent);
            EXPECT_EQ(answers[i].record.rendering, "");
            EXPECT_EQ(answers[i].terminal, "");
            EXPECT_THAT(answers[i].record.probabilities.answer, testing::IsEmpty());
        }
    }

    const std::vector<Ask> asks_{{{"1 0.5", ""}, {}}, {{"-1 0.2", ""}, {}}, {{"0.1 2", ""}, {}}, {{"1 0.5", ""}, {"", "left", ""}}};
};

TEST_F(ExplainerStages, TellsTheCallbackOfAllOfThem) {
    std::map<Stage, std::vector<IterationReport>> reports;
    const std::vector<Answer> watched = explain([&](const IterationReport& report) {
        EXPECT_TRUE(report.stage == Stage::start || reports.count(Stage::start));
        EXPECT_TRUE(report.stage != Stage::start || reports.size() <= 1) << "a stage does not come back";
        reports[report.stage].push_back(report);
        return CallbackAnswer::proceed;
    });
    const std::vector<Answer> alone = explain({});
    for (size_t i = 0; i < asks_.size(); ++i) {
        EXPECT_EQ(watched[i].record.status, "found");
        EXPECT_EQ(to_json(watched[i].record), to_json(alone[i].record)) << "watching changes nothing";
    }

    EXPECT_EQ(reports[Stage::start].size(), 4u) << "before it is read, and before each step of finding a start";
    EXPECT_GT(reports[Stage::search].size(), 2u);
    EXPECT_GT(reports[Stage::render].size(), 1u) << "in groups";
    double seconds = 0;
    for (const auto& [stage, of_stage] : reports)
        for (size_t i = 0; i < of_stage.size(); ++i) {
            EXPECT_EQ(of_stage[i].questions, 4);
            EXPECT_EQ(of_stage[i].iteration, static_cast<int64_t>(i));
            EXPECT_GE(of_stage[i].seconds, seconds) << "of one clock";
            seconds = of_stage[i].seconds;
        }
    EXPECT_EQ(reports[Stage::start][0].rows_active, 4);
    EXPECT_EQ(reports[Stage::render][0].rows_active, 4) << "none of them answered yet";
    EXPECT_LT(reports[Stage::render][1].rows_active, 4);
    EXPECT_EQ(reports[Stage::render][0].rows_feasible, 4);
    EXPECT_EQ(reports[Stage::render][0].forward, reports[Stage::search].back().forward);
}

TEST_F(ExplainerStages, StopWhereTheCallbackSaysSo) {
    expect_unread(explain([](const IterationReport& report) {
                      EXPECT_EQ(report.stage, Stage::start) << "it goes on after it was stopped";
                      return CallbackAnswer::stop;
                  }),
                  "The callback ended it before the input was read.");
    for (const int64_t step : {1, 2, 3})
        expect_unsearched(explain([&](const IterationReport& report) {
                              EXPECT_EQ(report.stage, Stage::start) << "it goes on after it was stopped";
                              return report.iteration == step ? CallbackAnswer::stop : CallbackAnswer::proceed;
                          }),
                          "stopped", "The callback ended it before the search began.");
    expect_unrendered(explain([](const IterationReport& report) {
                          return report.stage == Stage::render ? CallbackAnswer::stop : CallbackAnswer::proceed;
                      }),
                      0, "stopped", "The callback ended it");
    expect_unrendered(explain([](const IterationReport& report) {
                          return report.stage == Stage::render && report.iteration == 1 ? CallbackAnswer::stop : CallbackAnswer::proceed;
                      }),
                      1, "stopped", "The callback ended it");
    // Stopped in the search only: what was found by then is rendered.
    for (const Answer& answer : explain([](const IterationReport& report) {
             return report.stage == Stage::search && report.rows_feasible == 4 ? CallbackAnswer::stop : CallbackAnswer::proceed;
         }))
        EXPECT_NE(answer.terminal, "") << answer.record.reason;
}

TEST_F(ExplainerStages, EndWhereTheCallbackAborts) {
    const std::vector<Answer> before = explain({});
    for (const Stage stage : {Stage::start, Stage::search, Stage::render}) {
        try {
            explain([&](const IterationReport& report) { return report.stage == stage ? CallbackAnswer::abort : CallbackAnswer::proceed; });
            ADD_FAILURE() << "should throw";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::cancelled);
        }
    }
    EXPECT_EQ(to_json(explain({})[0].record), to_json(before[0].record)) << "the explainer is as it was";
}

TEST_F(ExplainerStages, EndAtTheDeadline) {
    expect_unread(explain({}, 1e-9), "The deadline passed before the input was read.");
    const auto wait_before = [](int64_t step) {
        return [=](const IterationReport& report) {
            if (report.stage == Stage::start && report.iteration == step) std::this_thread::sleep_for(std::chrono::milliseconds(300));
            return CallbackAnswer::proceed;
        };
    };
    expect_unsearched(explain(wait_before(2), 0.3), "best-effort", "The deadline passed before the search began.");

    constexpr double deadline = 2;  // far more than it takes to search
    const auto wait = [](const IterationReport& report) {
        if (report.stage == Stage::render && report.iteration == 1)
            std::this_thread::sleep_for(std::chrono::duration<double>(deadline - report.seconds));
        return CallbackAnswer::proceed;
    };
    expect_unrendered(explain(wait, deadline), 1, "best-effort", "The deadline passed");

    int64_t iterations = 0;
    const auto wait_in_search = [&](const IterationReport& report) {
        if (report.stage == Stage::search && iterations++ == 0)
            std::this_thread::sleep_for(std::chrono::duration<double>(deadline - report.seconds));
        return CallbackAnswer::proceed;
    };
    for (const Answer& answer : explain(wait_in_search, deadline)) {
        EXPECT_EQ(answer.record.status, "best-effort");
        EXPECT_THAT(answer.record.reason, HasSubstr("the deadline or the evaluation budget ended the search"));
        EXPECT_TRUE(answer.record.gap);
    }
    EXPECT_EQ(iterations, 1) << "the search has what is left of the deadline, not all of it";
}

TEST(Interruption, AsksNoMoreThanItMust) {
    int asked = 0, outside = 0;
    check_interruption();  // nobody can end it
    const InterruptionScope outer([&] { ++outside; });
    {
        const InterruptionScope scope([&] { ++asked; });
        for (int i = 0; i < 100000; ++i) check_interruption();
        EXPECT_GE(asked, 1);
        EXPECT_LT(asked, 1000) << "some fifty times a second";
        std::thread([] { check_interruption(); }).join();  // of another thread nobody is asked
        const InterruptionScope inner([] { throw Error(ErrorCode::cancelled, "enough"); });
        EXPECT_THROW(check_interruption(), Error);
    }
    EXPECT_EQ(outside, 0) << "the inner one alone is asked while it lives";
    check_interruption();
    EXPECT_EQ(outside, 1);
}

TEST_F(ExplainerTest, HonoursBudgetAndOptions) {
    ExplainOptions options;
    options.solver.max_evaluations = 1;
    const Explanation record = explainer_->explain("1 0.5", {}, options).record;
    EXPECT_NE(record.status, "found");
    EXPECT_NE(record.reason, "");
    EXPECT_LE(record.cost.forward, 1);
    options.solver.max_evaluations = -1;
    EXPECT_THROW(explainer_->explain("1 0.5", {}, options), Error);
    options = {};
    options.decode = "sing";
    EXPECT_THROW(explainer_->explain("1 0.5", {}, options), Error);
}

}  // namespace
