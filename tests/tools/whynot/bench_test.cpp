// whynot bench: that its figures are those of the solver, and what it refuses. How fast anything is, no test asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/points_pack.h"
#include "support/process.h"
#include "support/temporary_folder.h"
#include "whynot/explainer.h"
#include "whynot/version.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using whynot::test::Process;
using Arguments = std::vector<std::string>;

class Bench : public testing::Test {
protected:
    Bench() {
        whynot::test::write_points_pack(folder_ / "packs" / "points");
        environment_ = {"WHYNOT_PLUGIN_PATH=" WHYNOT_TEST_PLUGINS, "WHYNOT_PACK_PATH=" + (folder_ / "packs").string()};
    }

    Process& run(Arguments arguments, const std::string& input = "", const Arguments& more_environment = {}) {
        arguments.insert(arguments.begin(), "bench");
        Arguments environment = environment_;
        environment.insert(environment.end(), more_environment.begin(), more_environment.end());
        process_ = std::make_unique<Process>(WHYNOT_PROGRAM, arguments, environment);
        process_->finish(input);
        return *process_;
    }
    /// Of the inputs, asked about once.
    std::vector<json> rows(Arguments arguments) {
        for (const char* more : {"--pack", "points", "--json", "--seconds", "0"}) arguments.push_back(more);
        const Process& process = run(arguments);
        EXPECT_EQ(process.code, 0) << process.err;
        return json::parse(process.out).at("rows");
    }
    void expect_refusal(const Arguments& arguments, int code, const std::string& message, const Arguments& environment = {}) {
        SCOPED_TRACE(testing::PrintToString(arguments));
        const Process& process = run(arguments, "", environment);
        EXPECT_EQ(process.code, code);
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: "), HasSubstr(message)));
    }

    const Arguments inputs_{"1 0.25", "2 1", "0.3 2", "5 1"};
    const TemporaryFolder temporary_;
    const fs::path folder_ = temporary_.path();
    Arguments environment_;
    std::unique_ptr<Process> process_;
};

TEST_F(Bench, HasARowForEachCase) {
    Arguments arguments = inputs_;
    arguments.insert(arguments.end(), {"--batch", "1,3"});
    const std::vector<json> found = rows(arguments);
    const std::vector<std::pair<std::string, int64_t>> expected{
        {"sqp", 1}, {"sqp", 3}, {"augmented-lagrangian", 1}, {"augmented-lagrangian", 3}, {"augmented-lagrangian-lbfgs", 1}};
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
        const json& row = found[i];
        SCOPED_TRACE(row.dump());
        EXPECT_EQ(row.at("method"), expected[i].first);
        EXPECT_EQ(row.at("batch"), expected[i].second);
        EXPECT_EQ(row.at("questions"), expected[i].second) << "without time, one batch";
        EXPECT_EQ(row.at("asked"), expected[i].second);
        EXPECT_EQ(row.at("pack"), "points");
        const auto value = [&](const char* key) { return row.at(key).get<double>(); };
        EXPECT_DOUBLE_EQ(value("questions_a_second"), value("asked") / value("seconds"));
        EXPECT_DOUBLE_EQ(value("work"), (value("forward") + 2 * value("backward")) / value("asked"));
        EXPECT_DOUBLE_EQ(value("limit"), value("asked") / ((value("forward") - value("backward")) * value("forward_row_seconds") +
                                                           value("backward") * value("gradient_row_seconds")));
        EXPECT_DOUBLE_EQ(value("limit_reached"), value("questions_a_second") / value("limit"));
        EXPECT_GE(value("forward"), value("backward"));
        EXPECT_GT(value("own_share"), 0);
        EXPECT_LT(value("own_share"), 1);
        EXPECT_EQ(value("feasible"), 1);
        EXPECT_LT(value("largest_gap"), 0.01);
        EXPECT_GT(value("peak_memory"), 1e7);
        EXPECT_NEAR(value("distance_against_sqp"), 1, 0.05);
    }
}

TEST_F(Bench, AgreesWithTheExplainer) {
    whynot::PluginSearch search;
    search.plugin_path = WHYNOT_TEST_PLUGINS;
    whynot::Host host(search);
    whynot::Explainer explainer(host, whynot::open_pack(folder_ / "packs" / "points"));
    for (const int64_t starts : {1, 3}) {
        for (const whynot::Method method : {whynot::Method::sqp, whynot::Method::augmented_lagrangian}) {
            Arguments arguments = inputs_;
            arguments.insert(arguments.end(), {"--batch", "4", "--methods", to_string(method), "--starts", std::to_string(starts)});
            const std::vector<json> found = rows(arguments);
            ASSERT_EQ(found.size(), 1u);
            whynot::ExplainOptions options;
            options.solver.method = method;
            options.solver.starts = starts;
            std::vector<whynot::Ask> asks;
            for (const std::string& input : inputs_) asks.push_back({{input, ""}, {}});
            int64_t forward = 0, backward = 0;
            double distance = 0, gap = 0;
            for (const whynot::Answer& answer : explainer.explain(asks, options)) {
                forward += answer.record.cost.forward;
                backward += answer.record.cost.backward;
                distance += answer.record.distance->latent / 4;
                gap = std::max(gap, std::abs(answer.record.gap.value()));
            }
            EXPECT_EQ(found[0].at("forward"), forward);
            EXPECT_EQ(found[0].at("backward"), backward);
            EXPECT_NEAR(found[0].at("mean_distance").get<double>(), distance, 1e-6);
            EXPECT_NEAR(found[0].at("largest_gap").get<double>(), gap, 1e-6);
        }
    }
}

TEST_F(Bench, AsksAgainWhereThereIsTimeAndFillsBatches) {
    Arguments arguments = inputs_;
    arguments.insert(arguments.end(), {"--pack", "points", "--json", "--batch", "3,10", "--methods", "sqp", "--seconds", "0.1"});
    const Process& process = run(arguments);
    ASSERT_EQ(process.code, 0) << process.err;
    const json result = json::parse(process.out);
    EXPECT_EQ(result.at("schema"), "whynot.bench/1");
    EXPECT_EQ(result.at("machine").at("whynot"), WHYNOT_VERSION);
    const json few = result.at("rows")[0], many = result.at("rows")[1];
    for (const json& row : {few, many}) EXPECT_EQ(row.at("questions"), 4);
    EXPECT_EQ(few.at("mean_distance"), many.at("mean_distance"));
    EXPECT_EQ(few.at("asked").get<int64_t>() % 3, 0);
    EXPECT_EQ(many.at("asked").get<int64_t>() % 10, 0);
    EXPECT_GT(few.at("asked"), 4);
    EXPECT_GE(few.at("seconds"), 0.1);
}

TEST_F(Bench, LeavesOutWhatTakesTooLong) {
    const Arguments arguments{"1 0.25",    "--pack", "points", "--batch", "1,65536", "--methods", "sqp,augmented-lagrangian",
                              "--seconds", "0.001"};
    Arguments with_json = arguments;
    with_json.push_back("--json");
    const json result = json::parse(run(with_json).out);
    ASSERT_EQ(result.at("rows").size(), 2u);
    ASSERT_EQ(result.at("left_out").size(), 2u);
    for (const json& row : result.at("rows")) EXPECT_EQ(row.at("batch"), 1);
    EXPECT_EQ(result.at("left_out")[1].at("method"), "augmented-lagrangian");
    EXPECT_EQ(result.at("left_out")[1].at("batch"), 65536);
    EXPECT_GT(result.at("left_out")[1].at("expected_seconds"), 0.01);
    EXPECT_THAT(run(arguments).out, HasSubstr("left out: augmented-lagrangian, batch 65536, which would take "));
}

TEST_F(Bench, TakesCorporaLinesAndAFoil) {
    std::ofstream(folder_ / "walk") << "1 0.25\n2 1\n0.3 2\n5 1\n";
    const Arguments corpora{"WHYNOT_CORPORA=" + folder_.string()};
    const Arguments common{"--pack", "points", "--json", "--batch", "2", "--methods", "sqp", "--seconds", "0"};
    const auto with = [&](Arguments arguments) {
        arguments.insert(arguments.end(), common.begin(), common.end());
        return arguments;
    };
    const auto questions = [&](const Process& process) {
        EXPECT_EQ(process.code, 0) << process.err;
        return json::parse(process.out).at("rows")[0].at("mean_distance").get<double>();
    };
    const double given = questions(run(with({"1 0.25", "2 1", "5 1"}))), listed = questions(run(with({"--corpus", "walk"}), "", corpora)),
                 read = questions(run(with({"-"}), "1 0.25\n2 1\n5 1\n"));
    EXPECT_EQ(given, listed) << "the first two";
    EXPECT_EQ(given, read);
    EXPECT_EQ(questions(run(with({"--corpus", "walk", "--limit", "1"}), "", corpora)), questions(run(with({"1 0.25"}))));
    EXPECT_NE(given, questions(run(with({"1 0.25", "2 1", "--foil", "left"}))));
    const Process& both = run(with({"--corpus", "walk", "--foil", "top"}), "", corpora);  // one of them is called top
    EXPECT_EQ(both.code, 3);
    EXPECT_THAT(both.err, HasSubstr("points: 1 of 4 inputs make no question, the first because the classifier calls it 'top' already"));
}

TEST_F(Bench, PrintsATableForPeople) {
    Arguments arguments = inputs_;
    arguments.insert(arguments.end(), {"--pack", "points", "--batch", "1,2", "--seconds", "0"});
    const Process& process = run(arguments);
    EXPECT_EQ(process.code, 0);
    EXPECT_EQ(process.err, "") << "nothing is said where nobody looks";
    EXPECT_THAT(process.out, AllOf(HasSubstr("threads, LibTorch"), HasSubstr("points, 4 inputs given, 1 start\n"), HasSubstr("questions/s"),
                                   HasSubstr("own share"), HasSubstr("memory"), HasSubstr("augmented-lagrangian-lbfgs"),
                                   HasSubstr("batch 2, sqp against augmented-lagrangian: "), HasSubstr("sqp, batch 2 against 1: ")));
}

TEST_F(Bench, RefusesWhatItCannotMeasure) {
    expect_refusal({"1 0", "--pack", "points", "--methods", "newton"}, 2, "expected sqp, augmented-lagrangian or");
    expect_refusal({"1 0", "--pack", "points", "--methods", "sqp,"}, 2, "--methods");
    expect_refusal({"1 0", "--pack", "points", "--batch", "0"}, 2, "--batch");
    expect_refusal({"1 0", "--pack", "points", "--batch", "1,many"}, 2, "found 'many'");
    expect_refusal({"1 0", "--pack", "points", "--batch", "4,4"}, 2, "--batch");
    expect_refusal({"1 0", "--pack", "points", "--starts", "0"}, 2, "--starts");
    expect_refusal({"1 0", "--pack", "points", "--seconds", "-1"}, 2, "--seconds");
    expect_refusal({"1 0", "--pack", "points", "--limit", "0"}, 2, "--limit");
    expect_refusal({"1 0", "--pack", "points", "--foil", "up"}, 2, "--foil 'up': no class of the pack 'points'");
    expect_refusal({"1 0", "--pack", "points", "--corpus", "walk"}, 2, "--corpus");
    expect_refusal({"1 0", "--pack", "nowhere"}, 1, "there is no pack 'nowhere'");
    expect_refusal({"--pack", "points"}, 1, "WHYNOT_CORPORA is not set");
    const Arguments corpora{"WHYNOT_CORPORA=" + folder_.string()};
    expect_refusal({"--pack", "points", "--corpus", "gone"}, 1, "there is no corpus gone", corpora);
    expect_refusal({"--corpus", "gone"}, 1, "there is no pack 'gone'", corpora);
}

TEST_F(Bench, SaysWhichInputsMakeNoQuestion) {
    const Process& some = run({"1 0", "rubbish", "--pack", "points", "--json", "--methods", "sqp", "--batch", "1", "--seconds", "0"});
    EXPECT_EQ(some.code, 3);
    EXPECT_THAT(some.err, HasSubstr("points: 1 of 2 inputs make no question, the first because expected two numbers"));
    EXPECT_EQ(json::parse(some.out).at("rows").size(), 1u);
    const Process& none = run({"rubbish", "--pack", "points", "--json"});
    EXPECT_EQ(none.code, 3);
    EXPECT_EQ(json::parse(none.out).at("rows"), json::array());
}

TEST_F(Bench, DiesOfSignals) {
    Process process(WHYNOT_PROGRAM, {"bench", "1 0.25", "--pack", "points", "--batch", "65536", "--methods", "augmented-lagrangian"},
                    environment_);
    process.read_line();  // the machine: what follows takes minutes
    process.kill(SIGINT);
    process.finish();
    EXPECT_EQ(process.signal, SIGINT);
    EXPECT_EQ(process.out, "");
    EXPECT_EQ(process.err, "whynot: interrupted\n");
}

}  // namespace
