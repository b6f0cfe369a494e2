// The analysis of `whynot study`: people whose answers are known, the rules that leave them out, and what is written of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "study/analysis/analysing.h"
#include "study/analysis/curves.h"
#include "study/analysis/exporting.h"
#include "study/analysis/people.h"
#include "study/analysis/reporting.h"
#include "study/taking/course.h"
#include "whynot/error.h"
#include "whynot/experiment.h"

namespace {

using namespace whynot;
using namespace whynot::cli::study;
using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

constexpr int64_t items = 10;  // of the test

/// Two arms, a learning step of 6 items, a test of 10, a catch trial in each, two questions, two statements.
Json made_up_design() {
    Json design{{"schema", "whynot.study/1"}, {"name", "made-up"}, {"seed", uint64_t{7}}, {"title", "A made-up study"}, {"block", 2}};
    design["classes"] = {{{"name", "Ternal"}, {"of", "2"}}, {{"name", "Peat"}, {"of", "6"}}};
    design["arms"] = {{{"id", "control"}, {"explanation", "none"}}, {{"id", "morph"}, {"explanation", "morph"}}};
    Json learning = Json::array(), test = Json::array(), stimuli = Json::object();
    const auto add = [&](Json& list, const std::string& id, bool first, bool is_catch) {
        list.push_back(id);
        stimuli[id] = {{"text", "what is seen of " + id}, {"model", first ? "Ternal" : "Peat"}};
        if (is_catch) stimuli[id]["catch"] = true;
    };
    for (int i = 0; i < 6; ++i) add(learning, "l" + std::to_string(i), i % 2 == 0, false);
    for (int i = 0; i < items; ++i) add(test, "t" + std::to_string(i), i % 2 == 0, false);
    add(learning, "lc", true, true);
    add(test, "tc", false, true);
    const auto question = [](const char* id) { return Json{{"id", id}, {"text", "?"}, {"choices", {"a", "b"}}, {"right", 1}}; };
    const auto trials = [](const char* id, const Json& list, bool feedback) {
        return Json{{"id", id},         {"kind", "trials"},       {"items", list}, {"ask", "class"}, {"feedback", feedback},
                    {"explain", false}, {"confidence", !feedback}};
    };
    design["stimuli"] = stimuli;
    design["steps"] = {{{"id", "consent"}, {"kind", "text"}, {"title", ""}, {"text", ""}, {"button", ""}},
                       {{"id", "comprehension"}, {"kind", "questions"}, {"title", ""}, {"questions", {question("q1"), question("q2")}}},
                       trials("learning", learning, true),
                       trials("test", test, false),
                       {{"id", "satisfaction"},
                        {"kind", "scale"},
                        {"title", ""},
                        {"points", 5},
                        {"low", "not at all"},
                        {"high", "very much"},
                        {"statements", {{{"id", "s1"}, {"text", "I <liked> it."}}, {{"id", "s2"}, {"text", "It helped."}}}}}};
    design["exclude"] = {{"failed_catches", 2}, {"failed_comprehension", 2}, {"least_median_seconds", 0.5}, {"most_same_answer", 0.9}};
    design["analysis"] = {{"measure", "test"},
                          {"chance", 0.5},
                          {"alpha", 0.05},
                          {"comparisons", Json::array({Json::array({"morph", "control"})})},
                          {"equivalence", 0.1}};
    design["files"] = Json::object();
    return design;
}

/// How somebody answers.
struct Behaviour {
    int64_t right = 5;  ///< of the test's items, the first ones
    int64_t failed_catches = 0, failed_questions = 0;
    double seconds = 2;
    bool same = false;      ///< always Ternal
    int64_t stop_at = 999;  ///< seq
    bool withdraws = false;
    int64_t rating = 4;
};

/// The log of a study, as a server would have written it.
class Log {
public:
    explicit Log(const Design& design) : design_(design) { events.push_back({{"event", "study"}, {"study", design.sha256()}}); }

    void add(const std::string& arm, const Behaviour& behaviour) {
        const auto number = static_cast<int64_t>(people_++);
        const std::string id = "secret-participant-" + std::to_string(number);
        const std::vector<Screen> course = course_of(design_, static_cast<uint64_t>(number));
        events.push_back({{"event", "begin"},
                          {"participant", id},
                          {"number", number},
                          {"arm", arm},
                          {"seed", number},
                          {"external", {{"PROLIFIC_PID", "=secret-external-" + std::to_string(number)}}},
                          {"agent", "<script>secret-agent"},
                          {"time", "2026-01-31T12:00:00.123Z"}});
        int64_t catches = 0, seq = 0;
        std::map<std::string, int64_t> counted;
        for (const Screen& screen : course) {
            if (seq == behaviour.stop_at) break;
            Json event{{"event", "answer"},   {"participant", id},
                       {"seq", seq++},        {"step", screen.step},
                       {"kind", screen.kind}, {"seconds", behaviour.seconds},
                       {"blurs", 0},          {"time", "2026-01-31T12:06:30.000Z"}};
            event["answer"] = "next";
            if (!screen.item.empty()) event["item"] = screen.item;
            if (screen.kind == "questions")
                event["answer"] = {{"q1", behaviour.failed_questions >= 1 ? 0 : 1}, {"q2", behaviour.failed_questions >= 2 ? 0 : 1}};
            if (screen.kind == "scale") event["answer"] = {{"s1", behaviour.rating}, {"s2", 3}};
            if (screen.kind == "trial") {
                const std::string right = *right_answer(design_, screen);
                bool correct =
                    is_catch(design_, screen.item) ? catches++ >= behaviour.failed_catches : counted[screen.step]++ < behaviour.right;
                event["answer"] = correct == (right == "Ternal") ? "Ternal" : "Peat";
                if (behaviour.same) event["answer"] = "Ternal";
                event["right"] = right;
                event["confidence"] = screen.step == "test" ? Json(3) : Json();
                if (screen.step == "test") {  // the rating takes time of its own, which says nothing about the choice
                    event["choice_seconds"] = behaviour.seconds;
                    event["seconds"] = behaviour.seconds + 3;
                }
            }
            if (screen.kind == "feedback") event["seconds"] = 7.5, event["steps_seen"] = 4;
            events.push_back(event);
        }
        if (behaviour.withdraws)
            events.push_back({{"event", "withdraw"}, {"participant", id}});
        else if (seq == static_cast<int64_t>(course.size()))
            events.push_back({{"event", "end"}, {"participant", id}});
    }

    void add_right(const std::string& arm, const std::vector<int64_t>& counts) {
        for (const int64_t right : counts) {
            Behaviour behaviour;
            behaviour.right = right;
            add(arm, behaviour);
        }
    }

    std::vector<Json> events;

private:
    const Design& design_;
    size_t people_ = 0;
};

const std::vector<int64_t> control_right{4, 5, 6, 5, 7, 3}, morph_right{7, 8, 6, 9, 8, 7};

Respondents some_people(const Design& design) {
    Log log(design);
    log.add_right("control", control_right);
    log.add_right("morph", morph_right);
    return people_of(design, log.events);
}

std::vector<double> reals(const std::vector<int64_t>& whole) { return {whole.begin(), whole.end()}; }

std::string all_notes(const StudyResult& result) {
    std::string text;
    for (const std::string& note : result.notes) text += note + "\n";
    return text;
}

/// A folder that goes when the test ends.
struct TemporaryFolder {
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "study-analysis-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What RFC 4180 says of a text.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row(1);
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') {
            row.back() += '"';
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == ',') {
            row.emplace_back();
        } else if (!quoted && text.compare(i, 2, "\r\n") == 0) {
            rows.push_back(row);
            row.assign(1, "");
            ++i;
        } else {
            row.back() += text[i];
        }
    }
    EXPECT_FALSE(quoted);
    EXPECT_THAT(row, ElementsAre("")) << "the last line has no end";
    return rows;
}

Json json_of_result(const StudyResult& result) {
    return base::parse_json_object(whynot::cli::study::to_json(result), ErrorCode::internal, "the analysis");
}

// ------------------------------------------------------------------------------------------------------------------------ people

TEST(People, KnownCountsGiveKnownMeans) {
    const Design design(made_up_design());
    const Respondents people = some_people(design);
    ASSERT_EQ(people.people.size(), 12u);
    EXPECT_EQ(people.unreadable, 0);
    const StudyResult result = analyse(design, people, 200);
    EXPECT_EQ(result.items, items);
    EXPECT_EQ(result.scores.arms[0].right, reals(control_right));
    EXPECT_DOUBLE_EQ(*result.scores.arms[0].mean, 5);
    EXPECT_DOUBLE_EQ(*result.scores.arms[1].mean, 7.5);
    EXPECT_EQ(result.scores.arms[1].summary.value->whole->sum, 45);
    EXPECT_TRUE(result.scores.arms[1].grim.value->mean_fits && result.scores.arms[1].grim.value->deviation_fits);
    EXPECT_EQ(result.flow[0].analysed, 6);
    EXPECT_DOUBLE_EQ(*result.times[0].median_seconds, 2);
    EXPECT_DOUBLE_EQ(*result.times[0].median_minutes, 6.5);
}

TEST(People, CatchTrialsAreNotMeasured) {
    const Design design(made_up_design());
    Log log(design);
    Behaviour behaviour;
    behaviour.right = items;
    behaviour.failed_catches = 1;
    log.add("control", behaviour);
    const Respondent person = people_of(design, log.events).people.at(0);
    EXPECT_EQ(right_of(design, person, design.step("test")), items);
    EXPECT_EQ(person.catches_failed, 1);
    EXPECT_TRUE(person.is_analysed());
    int64_t measured = 0, caught = 0;
    for (const PersonTrial& trial : person.trials) {
        EXPECT_FALSE(trial.is_catch && trial.measured);
        EXPECT_EQ(trial.is_catch, trial.number == 0);
        EXPECT_EQ(trial.seconds, behaviour.seconds);
        EXPECT_EQ(trial.screen_seconds, behaviour.seconds + (trial.step == "test" ? 3 : 0));
        EXPECT_EQ(trial.feedback_seconds.has_value(), design.step(trial.step).feedback);
        EXPECT_EQ(trial.steps_seen.value_or(0), design.step(trial.step).feedback ? 4 : 0);
        measured += trial.measured ? 1 : 0;
        caught += trial.is_catch ? 1 : 0;
    }
    EXPECT_EQ(measured, items);
    EXPECT_EQ(caught, 2);
}

TEST(People, WhoAnsweredAllThatIsAskedHasFinished) {
    Json json = made_up_design();
    json["steps"].push_back({{"id", "debriefing"}, {"kind", "text"}, {"title", ""}, {"text", ""}, {"button", ""}});
    json["steps"][1]["questions"].push_back({{"id", "age"}, {"text", "Your age?"}, {"choices", {"below 30", "30 or more"}}});
    const Design design(json);
    Log log(design);
    Behaviour behaviour;
    const auto screens = static_cast<int64_t>(course_of(design, 0).size());
    behaviour.stop_at = screens - 1;  // the page that asks nothing stays open
    log.add("control", behaviour);
    behaviour.stop_at = screens - 2;
    log.add("morph", behaviour);
    for (Json& event : log.events)
        if (event.value("kind", "") == "questions") event["answer"]["age"] = 1;
    const Respondents people = people_of(design, log.events);
    EXPECT_EQ(people.people[0].state, PersonState::finished);
    EXPECT_EQ(people.people[1].state, PersonState::left);
    EXPECT_EQ(people.people[0].comprehension_errors, 0);
    ASSERT_EQ(people.people[0].answers.size(), 3U);
    EXPECT_EQ(people.people[0].answers[2].choice, 1);
    EXPECT_FALSE(people.people[0].answers[2].right.has_value());
    const auto rows = parse_csv(to_csv(answers_table(design, people)));
    EXPECT_THAT(rows[3], ElementsAre("1", "control", "finished", "", "comprehension", "age", "1", "30 or more", ""));
    EXPECT_EQ(stimuli_table(design).rows.size(), design.json().at("stimuli").size());
}

struct RuleCase {
    const char *key, *code;
    std::function<void(Behaviour&)> does;
};

TEST(People, ARuleLeavesOutExactlyWhereItIsDeclared) {
    const std::vector<RuleCase> cases{{"failed_catches", "catches", [](Behaviour& b) { b.failed_catches = 2; }},
                                      {"failed_comprehension", "comprehension", [](Behaviour& b) { b.failed_questions = 2; }},
                                      {"least_median_seconds", "speed", [](Behaviour& b) { b.seconds = 0.49; }},
                                      {"most_same_answer", "same-answer", [](Behaviour& b) { b.same = true; }}};
    for (const RuleCase& each : cases) {
        Behaviour behaviour;
        each.does(behaviour);
        Json without = made_up_design(), only = made_up_design();
        // Whoever answers the same each time fails the other class's catch trial too: it alone is no reason.
        without["exclude"].erase(each.key);
        only["exclude"] = {{each.key, only["exclude"][each.key]}};
        for (const auto& [json, expected] : {std::pair<Json, bool>{without, false}, {only, true}, {made_up_design(), true}}) {
            const Design design(json);
            Log log(design);
            log.add("control", behaviour);
            log.add("control", {});
            const Respondents people = people_of(design, log.events);
            ASSERT_EQ(people.people[0].reasons.size(), expected ? 1u : 0u) << each.key << ": " << people.people[0].excluded;
            if (expected) {
                EXPECT_STREQ(to_string(people.people[0].reasons[0]), each.code);
                EXPECT_THAT(people.people[0].excluded, Not(IsEmpty()));
            }
            EXPECT_TRUE(people.people[1].is_analysed());
        }
    }
}

TEST(People, ARuleIsMetAtItsBound) {
    const Design design(made_up_design());
    Log log(design);
    Behaviour one_catch, one_question, at_least;
    one_catch.failed_catches = 1;
    one_question.failed_questions = 1;
    at_least.seconds = 0.5;
    for (const Behaviour& each : {one_catch, one_question, at_least}) log.add("control", each);
    const Respondents people = people_of(design, log.events);
    for (const Respondent& person : people.people) EXPECT_TRUE(person.is_analysed()) << person.excluded;
}

TEST(People, LeavingAndWithdrawingAreToldApart) {
    const Design design(made_up_design());
    Log log(design);
    Behaviour leaves, withdraws, withdraws_late;
    leaves.stop_at = 5;
    withdraws.stop_at = 5;
    withdraws.withdraws = withdraws_late.withdraws = true;
    for (const Behaviour& each : {leaves, withdraws, withdraws_late, Behaviour{}}) log.add("morph", each);
    // A server that was stopped between the last answer and the end of it.
    log.add("morph", {});
    log.events.pop_back();
    const Respondents people = people_of(design, log.events);
    std::vector<std::string> states;
    for (const Respondent& person : people.people) states.emplace_back(to_string(person.state));
    EXPECT_THAT(states, ElementsAre("left", "withdrawn", "withdrawn", "finished", "finished"));
    const StudyResult result = analyse(design, people, 200);
    EXPECT_EQ(result.flow[1].began, 5);
    EXPECT_EQ(result.flow[1].withdrawn, 2);
    EXPECT_EQ(result.flow[1].left, 1);
    EXPECT_EQ(result.flow[1].analysed, 2);
    EXPECT_EQ(result.everybody.arms[1].right.size(), 2u) << "who withdrew is in no table";
}

TEST(People, WhatDoesNotFitTheDesignIsCountedOnly) {
    const Design design(made_up_design());
    Log log(design);
    Behaviour leaves;
    leaves.stop_at = 2;  // before the first trial
    log.add("control", leaves);
    log.add("control", {});
    const Respondents before = people_of(design, log.events);
    const std::string id = "secret-participant-0";
    log.events.push_back({{"event", "answer"},
                          {"participant", id},
                          {"seq", 900},
                          {"step", "test"},
                          {"kind", "trial"},
                          {"item", "t0"},
                          {"answer", "=cmd()"}});
    log.events.push_back({{"event", "answer"},
                          {"participant", id},
                          {"seq", 901},
                          {"step", "test"},
                          {"kind", "trial"},
                          {"item", "no item"},
                          {"answer", "Peat"}});
    log.events.push_back({{"event", "answer"}, {"participant", id}, {"seq", "x"}, {"step", 4}, {"kind", Json()}, {"answer", {{"q", "r"}}}});
    log.events.push_back({{"event", "answer"}, {"participant", "nobody"}, {"seq", 1}});
    log.events.push_back({{"event", "begin"}, {"participant", "other"}, {"arm", "=no arm"}});
    log.events.push_back({{"event", 5}});
    log.events.push_back("text");
    const Respondents after = people_of(design, log.events);
    EXPECT_EQ(after.unreadable, 7);
    EXPECT_EQ(whynot::cli::study::to_csv(design, after), whynot::cli::study::to_csv(design, before));
    EXPECT_THAT(all_notes(analyse(design, after, 200)), HasSubstr("7 events"));
}

// ---------------------------------------------------------------------------------------------------------------------- analysis

TEST(Analysis, NumbersAreThoseOfTheStatistics) {
    const Design design(made_up_design());
    const Json json = json_of_result(analyse(design, some_people(design), 500));
    const Summary control = summarise(reals(control_right)), morph = summarise(reals(morph_right));
    const Json& compared = json.at("comparisons").at(0);
    const TTest test = welch(morph, control);
    EXPECT_EQ(compared.at("welch").at("t").get<double>(), test.t);
    EXPECT_EQ(compared.at("welch").at("two_sided").get<double>(), test.two_sided);
    EXPECT_EQ(compared.at("welch").at("one_sided").get<double>(), test.greater);
    EXPECT_EQ(compared.at("holm").get<double>(), holm({test.two_sided})[0]);
    EXPECT_EQ(compared.at("interval").at(0).get<double>(), interval_of(test, .95).low);
    const Effect effect = hedges(morph, control, .95);
    EXPECT_EQ(compared.at("effect").at("g").get<double>(), effect.g);
    EXPECT_EQ(compared.at("effect").at("g_interval").at(1).get<double>(), effect.g_interval.high);
    EXPECT_EQ(compared.at("equivalence").at("p").get<double>(), equivalence(morph, control, -1, 1, .05).p);
    EXPECT_EQ(json.at("arms").at(1).at("beside_chance").at("t").get<double>(), against(morph, 5).t);
    EXPECT_EQ(json.at("arms").at(0).at("deviation").get<double>(), control.deviation);
    EXPECT_EQ(json.at("anova").at("f").get<double>(), anova({control, morph}).f);
    EXPECT_EQ(json.at("beside_guessing").at("narrower").get<double>(), spread_beside_guessing({control, morph}, items, .5).narrower);
    const double low = compared.at("bootstrap_share").at("interval").at(0).get<double>(),
                 high = compared.at("bootstrap_share").at("interval").at(1).get<double>();
    EXPECT_DOUBLE_EQ(compared.at("bootstrap_share").at("difference").get<double>(), .25);
    EXPECT_LT(low, .25);
    EXPECT_GT(high, .25);
}

TEST(Analysis, HolmCountsDeclaredComparisonsThatCannotBeMade) {
    Json json = made_up_design();
    json["arms"].push_back({{"id", "grid"}, {"explanation", "none"}});
    json["block"] = 3;
    json["analysis"]["comparisons"] = Json::array({Json::array({"morph", "control"}), Json::array({"grid", "control"})});
    const Design design(json);
    const StudyResult result = analyse(design, some_people(design), 200);
    EXPECT_DOUBLE_EQ(*result.scores.comparisons[0].holm, 2 * result.scores.comparisons[0].test.value->two_sided);
    EXPECT_FALSE(result.scores.comparisons[1].holm);
    EXPECT_THAT(result.scores.comparisons[1].test.why, HasSubstr("grid"));
    EXPECT_THAT(to_text(result), HasSubstr("the arm grid has fewer than two people"));
}

/// Two arms of guessing people, the second right with another probability.
StudyResult simulated(const Design& design, double control, double morph, uint64_t seed) {
    std::mt19937_64 random(seed);
    Log log(design);
    for (int i = 0; i < 25; ++i)
        for (const auto& [arm, p] : {std::pair<const char*, double>{"control", control}, {"morph", morph}}) {
            Behaviour behaviour;
            behaviour.right = 0;
            for (int item = 0; item < items; ++item) behaviour.right += draw_share(random) < p ? 1 : 0;
            log.add(arm, behaviour);
        }
    return analyse(design, people_of(design, log.events), 400);
}

TEST(Analysis, APlantedEffectIsFoundAndNoneWhereThereIsNone) {
    const Design design(made_up_design());
    const StudyResult planted = simulated(design, .5, .8, 3);
    const Compared& found = planted.scores.comparisons[0];
    EXPECT_LT(*found.holm, .001);
    EXPECT_GT(found.interval.value->low, 0);
    EXPECT_GT(found.bootstrap.value->interval.low, 0);
    EXPECT_LT(planted.scores.arms[1].beside_chance.value->two_sided, .001);
    int false_alarms = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) false_alarms += *simulated(design, .6, .6, seed).scores.comparisons[0].holm < .05 ? 1 : 0;
    EXPECT_LE(false_alarms, 6) << "of 40, at .05";  // more than 6 has a probability of .003
    EXPECT_THAT(all_notes(simulated(design, .5, .5, 1)), HasSubstr("No arm is above chance"));
}

TEST(Analysis, TheSameLogGivesTheSameResult) {
    const Design design(made_up_design());
    const Respondents people = some_people(design);
    EXPECT_EQ(whynot::cli::study::to_json(analyse(design, people, 300)), whynot::cli::study::to_json(analyse(design, people, 300)));
}

TEST(Analysis, SensitivityHasWhoWasLeftOut) {
    const Design design(made_up_design());
    Log log(design);
    log.add_right("control", control_right);
    log.add_right("morph", morph_right);
    Behaviour hasty;
    hasty.seconds = .1;
    hasty.right = 0;
    log.add("morph", hasty);
    const StudyResult result = analyse(design, people_of(design, log.events), 200);
    EXPECT_EQ(result.scores.arms[1].right.size(), 6u);
    EXPECT_EQ(result.everybody.arms[1].right.size(), 7u);
    EXPECT_EQ(result.flow[1].excluded, 1);
    EXPECT_EQ(result.flow[1].reasons.at(Reason::speed), 1);
    EXPECT_LT(*result.everybody.arms[1].mean, *result.scores.arms[1].mean);
}

TEST(Analysis, DescribesLearningConfidenceSidesAndRatings) {
    const Design design(made_up_design());
    const StudyResult result = analyse(design, some_people(design), 200);
    ASSERT_EQ(result.learning.size(), 2u);
    ASSERT_EQ(result.learning[0].points.size(), 6u) << "the catch trial is none of them";
    EXPECT_EQ(result.learning[0].points[0].n, 6);
    EXPECT_EQ(result.learning[0].points[0].right, 6) << "everybody has the first three right";
    EXPECT_EQ(result.learning[0].points[5].right, 2) << "those with 6 and 7";
    EXPECT_DOUBLE_EQ(*result.learning[0].points[0].smooth, 1);  // trials 1 to 3
    ASSERT_EQ(result.confidence.size(), 10u);
    EXPECT_EQ(result.confidence[2].n, 60);
    EXPECT_EQ(result.confidence[2].right, 30);
    EXPECT_EQ(result.sides[0].n, 60);
    EXPECT_EQ(result.sides[0].first_is_right, 30);
    ASSERT_EQ(result.ratings.size(), 4u);
    EXPECT_DOUBLE_EQ(*result.ratings[0].mean, 4);
    EXPECT_DOUBLE_EQ(*result.ratings[0].deviation, 0);
}

TEST(Analysis, NobodyOneArmAndEverybodyTheSameAreSaidAndNoError) {
    const Design design(made_up_design());
    const auto check = [&](const Log& log, const char* note) {
        const Respondents people = people_of(design, log.events);
        const StudyResult result = analyse(design, people, 200);
        EXPECT_THAT(to_text(result), HasSubstr(note));
        TemporaryFolder folder;
        write_analysis(design, people, result, folder.path / "analysis", {"title", "command", {}});
        export_study(design, people, folder.path / "export");
        EXPECT_THAT(content_of(folder.path / "analysis" / "analysis.html"), HasSubstr("</html>"));
        return result;
    };
    Log log(design);
    check(log, "Nobody has taken part yet");
    log.add_right("control", {5});
    check(log, "fewer than two people");
    log.add_right("control", {5, 5});
    const StudyResult one_arm = check(log, "the arm morph");
    EXPECT_TRUE(one_arm.scores.arms[0].summary.value);
    EXPECT_FALSE(one_arm.scores.arms[0].beside_chance.value) << "nobody differs";
    log.add_right("morph", {8, 8, 8});
    const StudyResult same = check(log, "a deviation of zero");
    EXPECT_FALSE(same.scores.comparisons[0].test.value);
    EXPECT_DOUBLE_EQ(*same.scores.arms[1].mean, 8);
    EXPECT_TRUE(json_of_result(same).at("comparisons").at(0).at("welch").contains("why"));
}

TEST(Analysis, ADesignWithCatchTrialsOnlyHasNothingToCount) {
    Json json = made_up_design();
    for (auto& [id, stimulus] : json["stimuli"].items()) stimulus["catch"] = true;
    const Design design(json);
    const StudyResult result = analyse(design, some_people(design), 200);
    EXPECT_EQ(result.items, 0);
    EXPECT_THAT(all_notes(result), HasSubstr("catch trials only"));
}

TEST(Analysis, StandsBesideTheDissertationWhereTheDesignSaysSo) {
    Json json = made_up_design();
    EXPECT_FALSE(analyse(Design(json), some_people(Design(json)), 200).published);
    json["analysis"]["published"] = true;
    const Design design(json);
    const std::string text = to_text(analyse(design, some_people(design), 200));
    EXPECT_THAT(text, HasSubstr("table 5.2"));
    EXPECT_THAT(text, HasSubstr("CDeepEx > control"));
    EXPECT_THAT(text, HasSubstr("9.71"));
}

// ------------------------------------------------------------------------------------------------------------------- what is written

TEST(Export, NothingOfPeopleLeavesButTheirAnswers) {
    Json json = made_up_design();
    json["title"] = "Evil <b>title</b>\n## heading \"; system('x')";
    const Design design(json);
    Log log(design);
    log.add_right("control", control_right);
    log.add_right("morph", morph_right);
    const Respondents people = people_of(design, log.events);
    TemporaryFolder folder;
    std::vector<fs::path> files = export_study(design, people, folder.path / "export");
    EXPECT_EQ(files.size(), 10u);
    for (const fs::path& file : write_analysis(design, people, analyse(design, people, 200), folder.path / "analysis", {"t", "c", {}}))
        files.push_back(file);
    for (const fs::path& file : files) {
        const std::string bytes = content_of(file);
        EXPECT_THAT(bytes, Not(IsEmpty())) << file;
        for (const char* secret : {"secret-", "PROLIFIC", "2026-01-31"}) EXPECT_THAT(bytes, Not(HasSubstr(secret))) << file;
        const std::string kind = file.extension().string();
        if (kind == ".html" || kind == ".svg" || kind == ".md") {
            EXPECT_THAT(bytes, Not(HasSubstr("<b>title"))) << file;
        }
        EXPECT_THAT(bytes, Not(HasSubstr("\n## heading"))) << file;
    }
    EXPECT_THAT(content_of(folder.path / "analysis" / "ratings-satisfaction.svg"), HasSubstr("I &lt;liked&gt; it."));
}

TEST(Export, CsvReadsBackAsItWas) {
    DataTable table;
    for (const char* name : {"a", "b"}) table.columns.push_back({name, "text", "", {}, ""});
    table.rows = {{"plain", "with, comma"}, {"with \"quotes\"", "two\r\nlines"}, {"", "-1.5"}, {"+2", "1e-3"}, {"'quoted", "Ternäl"}};
    const auto rows = parse_csv(to_csv(table));
    ASSERT_EQ(rows.size(), table.rows.size() + 1);
    EXPECT_THAT(rows[0], ElementsAre("a", "b"));
    for (size_t i = 0; i < table.rows.size(); ++i) EXPECT_EQ(rows[i + 1], table.rows[i]);
    table.rows = {{"=1+1", "@x"}, {"-x", "+"}, {"\tx", "-inf"}};
    const auto guarded = parse_csv(to_csv(table));
    EXPECT_THAT(guarded[1], ElementsAre("'=1+1", "'@x"));
    EXPECT_THAT(guarded[2], ElementsAre("'-x", "'+"));
    EXPECT_THAT(guarded[3], ElementsAre("'\tx", "'-inf"));
}

TEST(Export, TrialsReadBackGiveTheScores) {
    Json json = made_up_design();
    json["classes"][0]["name"] = "=Ternal, \"the\" first";
    for (auto& [id, stimulus] : json["stimuli"].items())
        if (stimulus["model"] == "Ternal") stimulus["model"] = json["classes"][0]["name"];
    const Design design(json);
    Log log(design);
    log.add_right("control", {6});
    for (Json& event : log.events)
        if (event.value("kind", "") == "trial" && event["answer"] == "Ternal") event["answer"] = design.classes()[0];
    const Respondents people = people_of(design, log.events);
    const auto rows = parse_csv(to_csv(design, people));
    ASSERT_EQ(rows.size(), 1u + 18);
    std::map<std::string, size_t> column;
    for (size_t i = 0; i < rows[0].size(); ++i) column[rows[0][i]] = i;
    int64_t right = 0;
    for (size_t i = 1; i < rows.size(); ++i) {
        const auto& row = rows[i];
        EXPECT_EQ(row[column["correct"]] == "1", row[column["answer"]] == row[column["right_answer"]]);
        EXPECT_TRUE(row[column["answer"]] == "Peat" || row[column["answer"]] == "'" + design.classes()[0]) << row[column["answer"]];
        if (row[column["measured"]] == "1") right += std::stoll(row[column["correct"]]);
    }
    EXPECT_EQ(right, *right_of(design, people.people[0], design.step("test")));
}

TEST(Export, EveryColumnIsDescribed) {
    const Design design(made_up_design());
    TemporaryFolder folder;
    export_study(design, some_people(design), folder.path);
    const Json description =
        base::parse_json_object(content_of(folder.path / "dataset_description.json"), ErrorCode::internal, "the description");
    EXPECT_EQ(description.at("@context"), "https://schema.org/");
    EXPECT_EQ(description.at("@type"), "Dataset");
    std::set<std::string> described, in_codebook;
    for (const Json& variable : description.at("variableMeasured")) described.insert(variable.at("name").get<std::string>());
    for (const auto& row : parse_csv(content_of(folder.path / "codebook.csv"))) in_codebook.insert(row[0] + " " + row[1]);
    int tables = 0;
    for (const auto& entry : fs::directory_iterator(folder.path / "data")) {
        const std::string name = entry.path().filename().string();
        EXPECT_THAT(name, testing::MatchesRegex("[a-z]+-[a-zA-Z0-9]+(_[a-z]+-[a-zA-Z0-9]+)*_data[.]csv"));
        const auto rows = parse_csv(content_of(entry.path()));
        for (const std::string& column : rows[0]) {
            EXPECT_EQ(described.count(column), 1u) << column;
            EXPECT_EQ(in_codebook.count(name + " " + column), 1u) << column;
        }
        ++tables;
    }
    EXPECT_EQ(tables, 5);
    EXPECT_TRUE(fs::exists(folder.path / "data" / "study-madeup_data.csv"));
}

TEST(Export, AFolderWithAnythingElseIsLeftAlone) {
    const Design design(made_up_design());
    const Respondents people = some_people(design);
    TemporaryFolder folder;
    export_study(design, people, folder.path);
    EXPECT_NO_THROW(export_study(design, people, folder.path)) << "an older export";
    TemporaryFolder other;
    std::ofstream(other.path / "README.md") << "mine";
    EXPECT_THROW(export_study(design, people, other.path), Error);
    EXPECT_EQ(content_of(other.path / "README.md"), "mine");
}

TEST(Export, ThePageIsAResultLikeAnyOther) {
    const Design design(made_up_design());
    const StudyResult result = analyse(design, some_people(design), 200);
    const std::vector<StudyPicture> pictures = pictures_of(result);
    ASSERT_EQ(pictures.size(), 2u);
    EXPECT_THAT(pictures[0].caption, HasSubstr("moving window of 5"));
    const ExperimentResult page = to_page_result(result, pictures);
    EXPECT_EQ(experiment_result_from_json(whynot::to_json(page), "the test").tables.size(), page.tables.size());
    EXPECT_THAT(to_markdown(page), HasSubstr("7.50"));
}

TEST(Export, FiguresAreWellFormedAndReadableWithoutColours) {
    CurveFigure curves{"<title> & \x07", "across", "up", .5, {}};
    for (const char* arm : {"a", "b", "</svg>"}) curves.lines.push_back({arm, {.5, std::nullopt, .75, 1.0}});
    const std::string svg = whynot::cli::study::to_svg(curves);
    EXPECT_THAT(svg, HasSubstr("&lt;title&gt; &amp; "));
    EXPECT_THAT(svg, HasSubstr("&lt;/svg&gt;"));
    EXPECT_EQ(svg.find("</svg>"), svg.rfind("</svg>"));
    EXPECT_EQ(svg.find('\x07'), std::string::npos);
    EXPECT_THAT(svg, HasSubstr("stroke-dasharray"));
    EXPECT_THAT(svg, HasSubstr("<circle"));
    for (const char* none : {"<script", "<style", "href", "nan", "inf\""}) EXPECT_THAT(svg, Not(HasSubstr(none)));
    BarFigure bars{"ratings", "low", "high", 5, {"a", "b"}, {{"a statement", {{3.2, Interval{2.8, 3.6}}, {std::nullopt, std::nullopt}}}}};
    EXPECT_THAT(whynot::cli::study::to_svg(bars), HasSubstr("nobody"));
    EXPECT_THAT(whynot::cli::study::to_svg(bars), HasSubstr("<pattern"));
    EXPECT_THAT(whynot::cli::study::to_svg(CurveFigure{"empty", "", "", .5, {}}), HasSubstr("</svg>"));
    EXPECT_THAT(whynot::cli::study::to_svg(BarFigure{}), HasSubstr("</svg>"));
}

// ----------------------------------------------------------------------------------------------------------------------------- R

/// The lines "what, of: values" that the script prints; the first of each, which is that of the analysis.
std::map<std::string, std::vector<double>> run_r(const fs::path& folder, std::string& output) {
    std::FILE* const pipe = ::popen(("cd '" + folder.string() + "' && Rscript --vanilla analysis.R 2>&1").c_str(), "r");
    std::array<char, 4096> part{};
    while (pipe && std::fgets(part.data(), part.size(), pipe)) output += part.data();
    if (!pipe || ::pclose(pipe) != 0) ADD_FAILURE() << "the script failed:\n" << output;
    std::map<std::string, std::vector<double>> values;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        const size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        std::istringstream rest(line.substr(colon + 2));
        std::vector<double> numbers;
        for (double number = 0; rest >> number;) numbers.push_back(number);
        values.emplace(line.substr(0, colon), numbers);
    }
    return values;
}

TEST(Script, RGivesTheSameNumbers) {
    if (std::system("command -v Rscript > /dev/null 2>&1") != 0) GTEST_SKIP() << "Rscript is not installed: apt-get install r-base-core";
    Json json = made_up_design();
    json["arms"].push_back({{"id", "-empty"}, {"explanation", "none"}});
    json["block"] = 3;
    json["analysis"]["comparisons"] = Json::array({Json::array({"morph", "control"}), Json::array({"-empty", "control"})});
    const Design design(json);
    Log log(design);
    log.add_right("control", control_right);
    log.add_right("morph", morph_right);
    Behaviour hasty, stubborn, blind, careless, leaves;
    hasty.seconds = .1;
    stubborn.same = true;
    blind.failed_catches = 2;
    careless.failed_questions = 2;
    leaves.stop_at = 20;
    for (const Behaviour& each : {hasty, stubborn, blind, careless, leaves}) log.add("morph", each);
    const Respondents people = people_of(design, log.events);
    TemporaryFolder folder;
    export_study(design, people, folder.path);
    std::string output;
    auto r = run_r(folder.path, output);
    const StudyResult result = analyse(design, people, 200);
    const Compared& compared = result.scores.comparisons[0];
    const auto expect = [&](const std::string& key, const std::vector<double>& expected) {
        ASSERT_EQ(r[key].size(), expected.size()) << key << "\n" << output;
        for (size_t i = 0; i < expected.size(); ++i)
            EXPECT_NEAR(r[key][i], expected[i], 1e-8 * std::max(1.0, std::abs(expected[i]))) << key;
    };
    expect("n, control", {6});
    expect("mean, morph", {*result.scores.arms[1].mean});
    expect("deviation, morph", {result.scores.arms[1].summary.value->deviation});
    expect("t beside chance, morph", {result.scores.arms[1].beside_chance.value->t});
    expect("interval of the mean, morph",
           {result.scores.arms[1].mean_interval.value->low, result.scores.arms[1].mean_interval.value->high});
    expect("t, morph - control", {compared.test.value->t});
    expect("df, morph - control", {compared.test.value->df});
    expect("p, morph - control", {compared.test.value->two_sided});
    expect("p one-sided, morph - control", {compared.test.value->greater});
    expect("interval, morph - control", {compared.interval.value->low, compared.interval.value->high});
    expect("Holm, morph - control", {*compared.holm});
    expect("Holm one-sided, morph - control", {*compared.holm_one_sided});
    expect("g, morph - control", {compared.effect.value->g, compared.effect.value->g_interval.low, compared.effect.value->g_interval.high});
    expect("TOST p, morph - control", {compared.equivalence.value->p});
    expect("F, all arms", {result.scores.anova.value->f});
    expect("p of F, all arms", {result.scores.anova.value->p});
    EXPECT_THAT(output, HasSubstr("not computed, '-empty - control"));
    for (const char* code : {"catches", "comprehension", "speed", "same-answer"})
        EXPECT_THAT(output, HasSubstr("exclusion, " + std::string(code) + ": 1, repeated"));
}

}  // namespace
