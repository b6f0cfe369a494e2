#include "whynot/explanation.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "base/text.h"
#include "sdk/explanation/samples.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

using namespace whynot;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

using J = nlohmann::ordered_json;

std::vector<std::string> keys(const J& object) {
    std::vector<std::string> names;
    for (const auto& member : object.items()) names.push_back(member.key());
    return names;
}

template <class Edit>
std::string writing_refusal(ErrorCode code, Edit&& edit) {
    Explanation e = found_text();
    edit(e);
    return message_of(code, [&] { to_json(e); });
}

// A record whose JSON went through `edit`; why it cannot be read.
template <class Edit>
std::string reading_refusal(Edit&& edit) {
    J record = J::parse(to_json(found_text()));
    edit(record);
    return message_of(ErrorCode::invalid_input, [&] { explanation_from_json(record.dump()); });
}

}  // namespace

TEST(ExplanationRecord, KeysInTheOrderPromised) {
    const J record = J::parse(to_json(found_text()));
    EXPECT_THAT(keys(record), ElementsAre("schema", "id", "question", "pack", "solver", "status", "reason", "gap", "max_third", "distance",
                                          "probabilities", "text", "cost", "warnings"));
    EXPECT_THAT(keys(record["question"]), ElementsAre("modality", "input", "fact", "foil"));
    EXPECT_THAT(keys(record["pack"]), ElementsAre("id", "version", "sha256"));
    EXPECT_THAT(keys(record["solver"]), ElementsAre("method", "options", "seed", "threads", "device"));
    EXPECT_THAT(keys(record["distance"]), ElementsAre("latent", "edits", "edit_ratio"));
    EXPECT_THAT(keys(record["probabilities"]), ElementsAre("before", "boundary", "answer"));
    EXPECT_THAT(keys(record["probabilities"]["before"]), ElementsAre("negative", "positive"));
    EXPECT_THAT(keys(record["cost"]), ElementsAre("forward", "backward", "seconds"));
    EXPECT_THAT(keys(record["cost"]["seconds"]), ElementsAre("load", "start", "solve", "render"));
    EXPECT_TRUE(record["reason"].is_null());
    EXPECT_TRUE(record["max_third"].is_null());
}

TEST(ExplanationRecord, RoundTrips) {
    for (const Explanation& e : {found_text(), refused_text(), found_image()}) {
        const std::string line = to_json(e);
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const Explanation back = explanation_from_json(line);
        EXPECT_EQ(to_json(back), line);
        EXPECT_EQ(back.question.input, e.question.input);
        EXPECT_EQ(back.question.input_sha256, e.question.input_sha256);
        EXPECT_EQ(back.solver.seed, e.solver.seed);
        EXPECT_EQ(back.gap, e.gap);
        EXPECT_EQ(back.reason, e.reason);
        EXPECT_EQ(back.probabilities.answer, e.probabilities.answer);
        EXPECT_EQ(back.rendering, e.rendering);
        EXPECT_EQ(back.max_third.has_value(), e.max_third.has_value());
        EXPECT_EQ(back.distance.has_value(), e.distance.has_value());
        if (e.distance) {
            EXPECT_EQ(back.distance->modality, e.distance->modality);
        }
        EXPECT_EQ(back.warnings, e.warnings);
    }
    EXPECT_EQ(explanation_from_json(to_json(found_image())).max_third->name, "5");
    // Spaces and line ends between the members change nothing.
    EXPECT_EQ(to_json(explanation_from_json(J::parse(to_json(found_text())).dump(4))), to_json(found_text()));
}

TEST(ExplanationRecord, IsWrittenInSeveralThreadsAtOnce) {
    const std::string expected = to_json(found_text());
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 300; ++i) wrong += to_json(found_text()) == expected && explanation_from_json(expected).gap ? 0 : 1;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST(ExplanationRecord, NumbersAreShortAndComeBackExactly) {
    Explanation e = found_text();
    e.gap = 0.1;
    EXPECT_THAT(to_json(e), HasSubstr("\"gap\":0.1,"));
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        const uint64_t bits = random();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) continue;
        e.gap = value;
        EXPECT_EQ(explanation_from_json(to_json(e)).gap, e.gap);
    }
}

TEST(ExplanationRecord, ARefusedQuestionHasNulls) {
    const J record = J::parse(to_json(refused_text()));
    for (const char* key : {"gap", "max_third", "distance"}) EXPECT_TRUE(record[key].is_null()) << key;
    EXPECT_TRUE(record["question"]["fact"].is_null());
    EXPECT_TRUE(record["probabilities"]["before"].is_null());
    EXPECT_FALSE(record.contains("text"));
    EXPECT_EQ(record["reason"], "the text is empty");
}

TEST(ExplanationRecord, AnyUnicodeComesBack) {
    Explanation e = found_text();
    e.question.input = "naïve “quotes” 😀 हिन्दी \"\\ \n\t\x01\x7f and a NUL: " + std::string(1, '\0') + ".";
    e.probabilities.before = {{"घटिया", 0.5}, {"a \"b\"", 0.5}};
    const Explanation back = explanation_from_json(to_json(e));
    EXPECT_EQ(back.question.input, e.question.input);
    EXPECT_EQ(back.probabilities.before, e.probabilities.before);
}

TEST(ExplanationRecord, OtherModalitiesAreAsGood) {
    Explanation e = found_text();
    e.question.modality = "sound";
    e.rendering = R"({"pitch":3})";
    EXPECT_EQ(J::parse(to_json(e))["sound"]["pitch"], 3);
    EXPECT_EQ(explanation_from_json(to_json(e)).rendering, e.rendering);
}

TEST(ExplanationRecord, WritingRefusesWhatNobodyCouldRead) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    const auto argument = ErrorCode::invalid_argument;
    EXPECT_THAT(writing_refusal(argument, [&](Explanation& e) { e.gap = nan; }), HasSubstr("/gap is not a finite number"));
    EXPECT_THAT(writing_refusal(argument, [&](Explanation& e) { e.probabilities.answer[1].second = infinity; }),
                HasSubstr("/probabilities/answer/positive is not a finite number"));
    EXPECT_THAT(writing_refusal(argument, [&](Explanation& e) { e.cost.seconds->solve = nan; }), HasSubstr("/cost/seconds/solve"));
    EXPECT_THAT(writing_refusal(ErrorCode::invalid_input, [](Explanation& e) { e.question.input = "a\xff"; }),
                AllOf(HasSubstr("/question/input is not UTF-8"), HasSubstr("\\xff")));
    EXPECT_THAT(writing_refusal(ErrorCode::invalid_input, [](Explanation& e) { e.warnings.push_back("\xc3"); }),
                HasSubstr("/warnings/1 is not UTF-8"));
    EXPECT_THAT(writing_refusal(ErrorCode::invalid_input, [](Explanation& e) { e.probabilities.before[0].first = "\x80"; }),
                HasSubstr("not UTF-8"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.rendering = "{"; }), HasSubstr("the modality's part is not valid JSON"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.rendering = "[]"; }), HasSubstr("expected a JSON object"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.distance->modality = R"({"latent":1})"; }), HasSubstr("'latent'"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.distance->modality = R"({"edits":"one"})"; }),
                HasSubstr("/distance/edits"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.question.modality = "cost"; }), HasSubstr("cost"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.question.modality = "status"; }), HasSubstr("status"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.probabilities.before[1].first = "negative"; }),
                HasSubstr("two probabilities"));
}

TEST(ExplanationRecord, WritingObeysTheSchema) {
    const auto argument = ErrorCode::invalid_argument;
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.status = "fine"; }), AllOf(HasSubstr("/status"), HasSubstr("enum")));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.id = ""; }), HasSubstr("/id"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.pack.sha256 = "abc"; }), HasSubstr("/pack/sha256"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.question.modality = "Two Words"; }), HasSubstr("/question/modality"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.cost.forward = -1; }), HasSubstr("/cost/forward"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.probabilities.before[0].second = 1.5; }), HasSubstr("maximum"));
    EXPECT_THAT(
        writing_refusal(argument, [](Explanation& e) { e.rendering = R"({"before":"x","edits":[{"position":-1,"from":"","to":""}]})"; }),
        HasSubstr("/text/edits/0/position"));
    // What each status needs.
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.gap.reset(); }), HasSubstr("found has gap"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.distance.reset(); }), HasSubstr("found has gap"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.question.fact = ""; }), HasSubstr("found has gap"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.reason = "because"; }), HasSubstr("found has gap"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.status = "infeasible"; }), HasSubstr("what is not has a reason"));
    EXPECT_THAT(writing_refusal(argument, [](Explanation& e) { e.status = "refused"; }), HasSubstr("refused has no gap"));
    for (const char* status : {"best-effort", "infeasible", "stopped"}) {
        Explanation e = found_text();
        e.status = status;
        e.reason = "the deadline has passed";
        EXPECT_NO_THROW(to_json(e));
    }
}

TEST(ExplanationRecord, CanBeWithoutTimes) {
    Explanation e = found_text();
    e.cost.seconds.reset();
    const std::string json = to_json(e);
    EXPECT_THAT(keys(J::parse(json)["cost"]), ElementsAre("forward", "backward"));
    const Explanation read = explanation_from_json(json);
    EXPECT_FALSE(read.cost.seconds);
    EXPECT_EQ(read.cost.forward, 23);
    EXPECT_EQ(to_json(read), json);
    EXPECT_EQ(explanation_from_json(to_json(found_text())).cost.seconds->solve, 0.04);
    // All four or none.
    EXPECT_THAT(reading_refusal([](J& r) { r["cost"]["seconds"].erase("solve"); }), HasSubstr("/cost/seconds"));
    EXPECT_THAT(reading_refusal([](J& r) { r["cost"]["seconds"] = nullptr; }), HasSubstr("/cost/seconds"));
}

TEST(ExplanationRecord, ReadingObeysTheSchema) {
    EXPECT_THAT(reading_refusal([](J& r) { r["schema"] = "whynot.explanation/2"; }), HasSubstr("/schema"));
    EXPECT_THAT(reading_refusal([](J& r) { r["gap"] = "small"; }), AllOf(HasSubstr("'/gap'"), HasSubstr("'type'")));
    EXPECT_THAT(reading_refusal([](J& r) { r["surprise"] = 1; }), HasSubstr("surprise"));
    EXPECT_THAT(reading_refusal([](J& r) { r["solver"]["sed"] = 1; }), HasSubstr("/solver"));
    EXPECT_THAT(reading_refusal([](J& r) { r["solver"]["seed"] = -1; }), HasSubstr("/solver/seed"));
    EXPECT_THAT(reading_refusal([](J& r) { r["solver"]["threads"] = 1.5; }), HasSubstr("/solver/threads"));
    EXPECT_THAT(reading_refusal([](J& r) { r["cost"]["forward"] = 18446744073709551615u; }), HasSubstr("/cost/forward"));
    EXPECT_THAT(reading_refusal([](J& r) { r["question"]["input"] = {{"path", "x"}}; }), HasSubstr("/question/input"));
    EXPECT_THAT(reading_refusal([](J& r) { r["warnings"] = {1}; }), HasSubstr("/warnings/0"));
    const std::vector<std::string> top = keys(J::parse(to_json(found_text())));
    for (const std::string& key : top) {
        if (key == "text") continue;  // the one part that need not be there
        EXPECT_THAT(reading_refusal([&](J& r) { r.erase(key); }), HasSubstr("required")) << key;
    }
    const auto message = [](const std::string& text) { return message_of(ErrorCode::invalid_input, [&] { explanation_from_json(text); }); };
    EXPECT_THAT(message(""), HasSubstr("not valid JSON"));
    EXPECT_THAT(message("7"), HasSubstr("expected a JSON object, found a number"));
    EXPECT_THAT(message(std::string(1 << 20, '[')), HasSubstr("nested deeper"));
    EXPECT_THAT(message("{\"id\":\"a\",\"id\":\"b\"}"), HasSubstr("stands twice"));
}

// A number that is 0 and has a large exponent: what checks the schema once counted its leading zeros, which the sanitizers end.
TEST(ExplanationRecord, ZeroMayBeWrittenWithAnyExponent) {
    J record = J::parse(to_json(found_text()));
    record["gap"] = 0.25;
    std::string text = record.dump();
    const std::string quarter = "\"gap\":0.25";
    for (const char* zero : {"0e-400", "0.0e-400", "0.000e+400", "-0.0e-999"}) {
        std::string with = text;
        with.replace(with.find(quarter), quarter.size(), std::string("\"gap\":") + zero);
        EXPECT_EQ(explanation_from_json(with).gap, 0) << zero;
    }
}

TEST(ExplanationRecord, ManglingNeverCrashes) {
    const std::string good = to_json(found_image());
    std::mt19937 random(11);
    for (int round = 0; round < 2000; ++round) {
        std::string bad = good;
        const size_t at = random() % bad.size();
        if (random() % 2)
            bad[at] = static_cast<char>(random());
        else
            bad.erase(at, 1 + random() % 20);
        try {
            to_json(explanation_from_json(bad));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_input) << error.what();
            EXPECT_TRUE(base::is_utf8(error.what()));
        }
    }
}

TEST(ExplanationRecord, TheSchemaIsPartOfTheLibrary) {
    const J schema = J::parse(explanation_schema());
    EXPECT_EQ(schema["title"], Explanation::schema);
    for (const auto& required : schema["required"]) EXPECT_TRUE(schema["properties"].contains(required.get<std::string>())) << required;
}

TEST(QuestionId, StableAndSensitiveToEveryPart) {
    const std::string id = question_id("text", "the food was gross .", "negative", "positive", std::string(64, 'a'));
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(id, "8e2999910fc87738");  // ids in people's records must not change between versions
    const std::set<std::string> ids = {id,
                                       question_id("image", "the food was gross .", "negative", "positive", std::string(64, 'a')),
                                       question_id("text", "the food was gross !", "negative", "positive", std::string(64, 'a')),
                                       question_id("text", "the food was gross .", "", "positive", std::string(64, 'a')),
                                       question_id("text", "the food was gross .", "negative", "", std::string(64, 'a')),
                                       question_id("text", "the food was gross .negative", "", "positive", std::string(64, 'a')),
                                       question_id("text", "the food was gross .", "negativepositive", "", std::string(64, 'a')),
                                       question_id("text", "the food was gross .", "negative", "positive", std::string(64, 'b'))};
    EXPECT_EQ(ids.size(), 8u);
}
