// The command line: what scripts rely on. Runs the program itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "support/points_pack.h"
#include "tools/whynot/fixture.h"
#include "whynot/explanation.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using whynot::test::Arguments;
using whynot::test::Cli;
using whynot::test::Process;

TEST_F(Cli, SaysItsVersionAndHelps) {
    const Process& version = run({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, testing::MatchesRegex("whynot [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    EXPECT_EQ(version.err, "");
    const Process& help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    for (const char* command : {"explain", "classify", "attribute", "packs", "plugins", "train", "evaluate", "bench", "doctor"})
        EXPECT_THAT(help.out, HasSubstr(command));
    const Process& more = run({"explain", "--help"});
    EXPECT_EQ(more.code, 0);
    for (const char* option : {"--pack", "--fact", "--foil", "--method", "--starts", "--no-guards", "--decode", "--seed", "--deadline",
                               "--max-evaluations", "--threads", "--out", "--json", "--plugin-path", "Exit codes", "Default: sqp"}) {
        EXPECT_THAT(more.out, HasSubstr(option));
    }
}

TEST_F(Cli, HelpIsACommandToo) {
    const auto same = [&](Arguments path) {
        SCOPED_TRACE(testing::PrintToString(path));
        Arguments asked = path;
        asked.emplace_back("--help");
        const std::string expected = run(asked).out;
        path.insert(path.begin(), "help");
        const Process& help = run(path);
        EXPECT_EQ(help.code, 0) << help.err;
        EXPECT_EQ(help.err, "");
        EXPECT_EQ(help.out, expected);
        EXPECT_THAT(help.out, HasSubstr("Usage: whynot "));
    };
    same({});
    same({"explain"});
    same({"packs"});
    same({"packs", "list"});
    same({"help"});
    expect_usage_error({"help", "frobnicate"}, "there is no command 'whynot frobnicate'; there are: explain, classify", "whynot help");
    expect_usage_error({"help", "packs", "burn"}, "there is no command 'whynot packs burn'; there are: list, show", "whynot help");
}

TEST_F(Cli, SaysWhatIsNotBuilt) {
    // As after tools/demo: the program and its core, and no other part.
    const fs::path library = WHYNOT_CORE_LIBRARY, lib = folder_ / "lib";
    fs::create_directories(lib);
    for (const fs::directory_entry& entry : fs::directory_iterator(library.parent_path()))
        if (entry.path().filename().string().rfind("libwhynot_core.so", 0) == 0) fs::copy(entry.path(), lib / entry.path().filename());
    for (const Arguments& arguments : std::vector<Arguments>{{"corpus", "list"}, {"doctor"}}) {
        const Process& process = run(arguments, "", {"LD_LIBRARY_PATH=" + lib.string()});
        EXPECT_EQ(process.code, 1);
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: "), HasSubstr((lib / "whynot").string()), HasSubstr("there is no such file"),
                                       HasSubstr("'cmake --build build' builds it")));
    }
    EXPECT_EQ(run({"packs", "list"}, "", {"LD_LIBRARY_PATH=" + lib.string()}).code, 0) << "what needs no other part works";
}

TEST_F(Cli, RefusesWrongUsage) {
    expect_usage_error({}, "expected a command; there are: explain, classify", "whynot");
    expect_usage_error({"frobnicate"}, "there is no command 'whynot frobnicate'", "whynot");
    expect_usage_error({"packs"}, "expected a command; there are: list, show, verify", "whynot packs");
    expect_usage_error({"packs", "burn"}, "there is no command 'whynot packs burn'", "whynot packs");
    expect_usage_error({"packs", "show"}, "PACK is required", "whynot packs show");
    expect_usage_error({"packs", "list", "points"}, "points", "whynot packs list");
    expect_usage_error({"plugins", "inspect"}, "PLUGIN is required", "whynot plugins inspect");
    expect_usage_error({"explain"}, "INPUT is required", "whynot explain");
    expect_usage_error({"classify", "--json"}, "INPUT is required", "whynot classify");
    expect_usage_error({"explain", "x", "--frobnicate"}, "--frobnicate", "whynot explain");
    expect_usage_error({"explain", "x", "--starts", "0"}, "--starts", "whynot explain");
    expect_usage_error({"explain", "x", "--starts", "two"}, "--starts", "whynot explain");
    expect_usage_error({"explain", "x", "--method", "newton"}, "newton", "whynot explain");
    expect_usage_error({"explain", "x", "--seed", "-1"}, "--seed", "whynot explain");
    expect_usage_error({"explain", "x", "--answers", "0"}, "--answers", "whynot explain");
    expect_usage_error({"explain", "x", "--keep", ""}, "--keep", "whynot explain");
    expect_usage_error({"train", "text", "--generator-only", "--pack", "x", "--data", "x", "--out", "x", "--classifier", "recurrent"},
                       "goes with neither --classifier nor --generator", "whynot train");
    expect_usage_error({"train", "text", "--opinion-only", "--corpus", "x", "--out", "x"}, "--pack is required", "whynot train");
    expect_usage_error({"train", "text", "--opinion-only", "--generator-only", "--pack", "x", "--corpus", "x", "--out", "x"},
                       "different things", "whynot train");
    expect_usage_error({"train", "text", "--words-only", "--corpus", "x", "--out", "x"}, "--pack is required", "whynot train");
    expect_usage_error({"train", "image", "--words-only", "--pack", "x", "--corpus", "x", "--out", "x"}, "is for text", "whynot train");
    expect_usage_error({"train", "text", "--words-only", "--pack", "x", "--corpus", "x", "--out", "x", "--data", "x"},
                       "--words-only takes --pack", "whynot train");
    expect_usage_error({"train", "text", "--opinion-only", "--pack", "x", "--corpus", "x", "--out", "x", "--recipe", "x"},
                       "--opinion-only takes --pack, --corpus and --out", "whynot train");
    expect_usage_error({"explain", "x", "--deadline", "-1"}, "--deadline", "whynot explain");
    expect_usage_error({"explain", "x", "--max-evaluations", "-1"}, "--max-evaluations", "whynot explain");
    expect_usage_error({"explain", "x", "--threads", "0"}, "--threads", "whynot explain");
    expect_usage_error({"train", "text", "--out", "x"}, "--corpus is required", "whynot train");
    expect_usage_error({"train", "text", "--corpus", "x"}, "--out is required", "whynot train");
    expect_usage_error({"evaluate", "--pack", "points"}, "--corpus is required", "whynot evaluate");
    expect_usage_error({"evaluate", "--pack", "points", "--corpus", "x", "--limit", "0"}, "--limit", "whynot evaluate");
    expect_usage_error({"experiment"}, "expected a command; there are: list, run", "whynot experiment");
    expect_usage_error({"experiment", "run", "--out", "x"}, "NAME is required", "whynot experiment run");
    expect_usage_error({"experiment", "run", "x"}, "--out is required", "whynot experiment run");
    expect_usage_error({"experiment", "run", "x", "--out", ""}, "--out", "whynot experiment run");
    expect_usage_error({"experiment", "run", "x", "--out", "x", "--seed", "-1"}, "--seed", "whynot experiment run");
}

TEST_F(Cli, RefusesWhatThePackDoesNotKnow) {
    expect_usage_error({"explain", "1 0", "--pack", "points", "--fact", "up"},
                       "--fact 'up': no class of the pack 'points', which has left, right, top", "whynot explain");
    expect_usage_error({"explain", "1 0", "--pack", "points", "--foil", "up"}, "--foil 'up'", "whynot explain");
    expect_usage_error({"explain", "1 0", "--pack", "points", "--fact", "top", "--foil", "top"}, "both 'top'", "whynot explain");
    expect_usage_error({"explain", "1 0", "--pack", "points", "--decode", "edit"}, "there is beyond, boundary", "whynot explain");
    const std::string image = (folder_ / "a.PNG").string();
    std::ofstream(image) << "no image";
    expect_usage_error({"explain", image, "--pack", "points"}, "is an image file", "whynot explain");
}

TEST_F(Cli, FailsWithASentence) {
    const auto expect_failure = [&](const Process& process, const std::string& message) {
        EXPECT_EQ(process.code, 1) << message;
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: "), HasSubstr(message), Not(HasSubstr("--help"))));
    };
    expect_failure(run({"explain", "1 0", "--pack", "nowhere"}), "there is no pack 'nowhere'");
    expect_failure(run({"packs", "show", "nowhere"}), "there is no pack 'nowhere'");
    expect_failure(run({"packs", "verify", (folder_ / "nowhere").string()}), "nowhere");
    expect_failure(run({"plugins", "inspect", "nowhere"}), "there is no plugin 'nowhere'");
    expect_failure(run({"explain", "1 0", "--pack", "points"}, "", {"WHYNOT_PLUGIN_PATH=" + folder_.string()}),
                   "no plugin explains 'points'");
    expect_failure(run({"evaluate", "--pack", "points", "--corpus", pack_ / "pack.json"}), "no plugin has the service whynot.evaluate/1");
    expect_failure(run({"train", "points", "--corpus", "c", "--out", folder_ / "new"}), "no plugin has the service whynot.train/1");
    EXPECT_THAT(process_->err, HasSubstr("'cmake --build build' builds them"));

    std::ofstream(pack_ / "weights.safetensors", std::ios::in | std::ios::out).put('?');
    expect_failure(run({"packs", "verify", "points"}), "weights.safetensors");
    expect_failure(run({"explain", "1 0", "--pack", "points"}), "weights.safetensors");
}

TEST_F(Cli, SaysWhenItCannotWrite) {
    for (const Arguments& arguments : std::vector<Arguments>{{"--version"}, {"packs", "list"}, {"explain", "1 0", "--pack", "points"}}) {
        Process process(WHYNOT_PROGRAM, arguments, environment_, "/dev/full");
        process.finish();
        EXPECT_EQ(process.code, 1);
        EXPECT_THAT(process.err, HasSubstr("whynot: cannot write to standard output"));
    }
}

TEST_F(Cli, ListsWithoutLibTorch) {
    for (const Arguments& arguments : std::vector<Arguments>{{"--version"},
                                                             {"--help"},
                                                             {"explain", "--help"},
                                                             {"help", "explain"},
                                                             {"documentation", "man"},
                                                             {"packs", "list"},
                                                             {"packs", "show", "points"},
                                                             {"packs", "verify", "points"},
                                                             {"plugins", "list", "--all"},
                                                             {"plugins", "inspect", "points"},
                                                             {"explain", "x", "--starts", "0"}}) {
        const Process& process = run(arguments, "", {"LD_DEBUG=files"});
        EXPECT_THAT(process.err, AllOf(HasSubstr("libwhynot_core"), Not(HasSubstr("libtorch")))) << testing::PrintToString(arguments);
    }
    EXPECT_THAT(run({"classify", "1 0", "--pack", "points"}, "", {"LD_DEBUG=files"}).err, HasSubstr("libtorch"));
}

TEST_F(Cli, ShowsPacks) {
    const Process& list = run({"packs", "list", "--json"});
    EXPECT_EQ(list.code, 0);
    const std::vector<json> packs = lines(list.out);
    const auto points = std::find_if(packs.begin(), packs.end(), [](const json& pack) { return pack.at("id") == "points"; });
    ASSERT_NE(points, packs.end());
    EXPECT_EQ(points->at("classes"), json({"left", "right", "top"}));
    EXPECT_EQ(points->at("rejected"), nullptr);
    EXPECT_THAT(run({"packs", "list"}).out, AllOf(HasSubstr("pack"), HasSubstr("points"), HasSubstr("Three classes")));

    const json verified = json::parse(run({"packs", "verify", pack_, "--json"}).out);
    EXPECT_EQ(verified.at("verified"), true);
    EXPECT_THAT(run({"packs", "verify", "points"}).out,
                AllOf(StartsWith("ok  points"), HasSubstr(verified.at("sha256").get<std::string>())));
    const json shown = json::parse(run({"packs", "show", "points", "--json"}).out);
    EXPECT_EQ(shown.at("sha256"), verified.at("sha256"));
    EXPECT_THAT(run({"packs", "show", "points"}).out,
                AllOf(HasSubstr("left, right, top"), HasSubstr("weights.safetensors"), HasSubstr("MIT")));
}

TEST_F(Cli, ShowsPlugins) {
    const Process& list = run({"plugins", "list", "--json", "--all"}, "", {"WHYNOT_PLUGIN_PATH=" WHYNOT_TEST_PLUGINS ":relative"});
    EXPECT_EQ(list.code, 0);
    const std::vector<json> plugins = lines(list.out);
    ASSERT_GE(plugins.size(), 2u);
    EXPECT_EQ(plugins[0].at("id"), "points");
    EXPECT_EQ(plugins[0].at("state"), "available");
    EXPECT_EQ(plugins[0].at("services"), json({"whynot.modality/1", "whynot.samples/1", "whynot.held-out/1", "whynot.attribution/1"}));
    EXPECT_EQ(plugins[1].at("state"), "rejected");
    EXPECT_THAT(plugins[1].at("reason").get<std::string>(), HasSubstr("relative"));

    const Process& few = run({"plugins", "list", "--plugin-path", "relative"});
    EXPECT_THAT(few.out, AllOf(HasSubstr("points"), Not(HasSubstr("rejected"))));
    EXPECT_THAT(few.err, HasSubstr("1 more cannot be used"));
    EXPECT_THAT(run({"plugins", "inspect", "points"}).out, AllOf(HasSubstr("Stamp"), HasSubstr("torch"), HasSubstr("decode"),
                                                                 HasSubstr("beyond"), HasSubstr("points.so"), Not(HasSubstr("differs"))));
    EXPECT_EQ(json::parse(run({"plugins", "inspect", "points", "--json"}).out).at("modality"), "points");
}

TEST_F(Cli, ShowsWhyAPluginIsRejected) {
    fs::copy(WHYNOT_TEST_PLUGINS "/points.so", folder_ / "points.so");
    std::ifstream file(WHYNOT_TEST_PLUGINS "/points.json");
    json manifest = json::parse(file);
    manifest["stamp"]["torch"] = "0.4.1";
    std::ofstream(folder_ / "points.json") << manifest;
    const Process& process = run({"plugins", "inspect", "points"}, "", {"WHYNOT_PLUGIN_PATH=" + folder_.string()});
    EXPECT_EQ(process.code, 0);
    EXPECT_THAT(process.out, AllOf(HasSubstr("rejected"), HasSubstr("0.4.1"), HasSubstr("differs")));
    EXPECT_THAT(process.err, HasSubstr("Build it again"));
}

TEST_F(Cli, Explains) {
    const Process& process = run({"explain", "1 0.25", "--pack", "points", "--json", "--threads", "1"});
    ASSERT_EQ(process.code, 0) << process.err;
    EXPECT_EQ(process.err, "");
    const json record = json::parse(process.out);
    EXPECT_EQ(record.at("question"), (json{{"modality", "points"}, {"input", "1 0.25"}, {"fact", "right"}, {"foil", "top"}}));
    EXPECT_EQ(record.at("status"), "found");
    EXPECT_LT(std::abs(record.at("gap").get<double>()), 0.01);
    EXPECT_EQ(record.at("solver").at("threads"), 1);
    EXPECT_EQ(record.at("solver").at("options"), json::object()) << "the program's defaults are the solver's";
    EXPECT_NEAR(record.at("distance").at("latent").get<double>(), 0.75 / std::sqrt(2), 0.01);

    const Process& text = run({"explain", "--pack", pack_, "--", "1 0.25", "-1 0"});
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_THAT(text.out, AllOf(HasSubstr("right"), HasSubstr("\n\nleft"), Not(HasSubstr("\033")), Not(HasSubstr("{"))));
}

TEST_F(Cli, RefusesADeviceThatIsNotThere) {
    for (const auto& [device, why] : {std::pair("gpu", "expected the device 'cpu', 'cuda' or 'cuda:N', found 'gpu'"),
                                      {"cuda:99", "the device 'cuda:99' is not there"},
                                      {"cuda:", "found 'cuda:'"}}) {
        for (const char* command : {"explain", "classify"}) {
            const Process& process = run({command, "1 0.25", "--pack", "points", "--device", device});
            EXPECT_EQ(process.code, 2);
            EXPECT_THAT(process.err, HasSubstr(why));
            EXPECT_EQ(process.out, "");
        }
    }
    EXPECT_EQ(run({"explain", "1 0.25", "--pack", "points", "--device", "cpu"}).code, 0);
}

TEST_F(Cli, PassesOptionsOn) {
    const Process& process = run({"explain",
                                  "1 0.25",
                                  "--pack",
                                  "points",
                                  "--json",
                                  "--fact",
                                  "right",
                                  "--foil",
                                  "left",
                                  "--method",
                                  "augmented-lagrangian",
                                  "--starts",
                                  "1",
                                  "--no-guards",
                                  "--seed",
                                  "7",
                                  "--decode",
                                  "boundary",
                                  "--max-evaluations",
                                  "100000",
                                  "--deadline",
                                  "600"});
    ASSERT_EQ(process.code, 0) << process.err << process.out;
    const json record = json::parse(process.out);
    EXPECT_EQ(record.at("question").at("foil"), "left");
    EXPECT_EQ(record.at("solver").at("method"), "augmented-lagrangian");
    EXPECT_EQ(record.at("solver").at("seed"), 7);
    EXPECT_EQ(record.at("solver").at("options"),
              (json{{"guards", false}, {"starts", 1}, {"deadline", 600.0}, {"max_evaluations", 100000}, {"decode", "boundary"}}));
    EXPECT_EQ(record.at("points").at("boundary"), record.at("points").at("answer"));
}

TEST_F(Cli, AsksAboutEveryOtherClass) {
    const Process& process = run({"explain", "0.1 1", "rubbish", "1 0", "--pack", "points", "--json", "--foil", "all"});
    EXPECT_EQ(process.code, 3);
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 5u);
    const char* const expected[][2] = {{"top", "left"}, {"top", "right"}, {}, {"right", "left"}, {"right", "top"}};
    for (size_t i = 0; i < records.size(); ++i) {
        if (i == 2) continue;
        EXPECT_EQ(records[i].at("question").at("fact"), expected[i][0]);
        EXPECT_EQ(records[i].at("question").at("foil"), expected[i][1]);
        EXPECT_EQ(records[i].at("status"), "found");
    }
    EXPECT_EQ(records[2].at("status"), "refused");
}

TEST_F(Cli, ReadsLines) {
    const Process& process = run({"explain", "5 1", "-", "5 2", "--pack", "points", "--json"},
                                 "\xef\xbb\xbf"
                                 "1 0\r\n2 0\n\n[3, 0]\n3 0");
    EXPECT_EQ(process.code, 3);
    std::vector<std::string> inputs, statuses;
    for (const json& record : lines(process.out)) {
        inputs.push_back(record.at("question").at("input"));
        statuses.push_back(record.at("status"));
    }
    EXPECT_THAT(inputs, testing::ElementsAre("5 1", "1 0", "2 0", "", "[3, 0]", "3 0", "5 2"));
    EXPECT_THAT(statuses, testing::ElementsAre("found", "found", "found", "refused", "refused", "found", "found"));
    EXPECT_EQ(run({"explain", "-", "--pack", "points"}).code, 0) << "no lines, nothing to answer";
}

TEST_F(Cli, TakesArgumentsAsTheyAre) {
    const Process& process = run({"classify", "--pack", "points", "--json", "[1, 0]", "{}", "", "doctor", "%%",
                                  "a\xff"
                                  "b",
                                  "\xc3\xa9"});
    EXPECT_EQ(process.code, 3);
    std::vector<std::string> inputs;
    for (const json& record : lines(process.out)) inputs.push_back(record.at("input"));
    EXPECT_THAT(inputs, testing::ElementsAre("[1, 0]", "{}", "", "doctor", "%%",
                                             "a\xef\xbf\xbd"
                                             "b",
                                             "\xc3\xa9"));
}

TEST_F(Cli, KeepsTheOrderOfManyLines) {
    std::string input;
    for (int i = 1; i <= 300; ++i) input += std::to_string(i) + " 0\n";
    const auto answers = [&] {
        std::vector<json> records = lines(run({"explain", "-", "--pack", "points", "--json"}, input).out);
        for (json& record : records) record.erase("cost");
        return records;
    };
    const std::vector<json> records = answers();
    ASSERT_EQ(records.size(), 300u);
    for (int i = 1; i <= 300; ++i)
        EXPECT_EQ(records[static_cast<size_t>(i - 1)].at("question").at("input").get<std::string>(), std::to_string(i) + " 0");
    EXPECT_EQ(records, answers()) << "the same request, the same bytes";
}

TEST_F(Cli, AnswersALoneLineAtOnce) {
    Process process(WHYNOT_PROGRAM, {"explain", "-", "--pack", "points", "--json"}, environment_);
    for (const char* line : {"1 0", "2 0"}) {
        process.write(std::string(line) + '\n');
        EXPECT_EQ(json::parse(process.read_line()).at("question").at("input"), line);  // while the pipe stays open
    }
    process.finish();
    EXPECT_EQ(process.code, 0);
}

TEST_F(Cli, DiesOfSignals) {
    for (const int signal : {SIGINT, SIGTERM}) {
        Process process(WHYNOT_PROGRAM, {"explain", "-", "--pack", "points", "--json"}, environment_);
        process.write("1 0\n");
        process.read_line();
        process.kill(signal);
        process.finish();
        EXPECT_EQ(process.signal, signal);
        EXPECT_EQ(process.err, "whynot: interrupted\n");
    }
}

TEST_F(Cli, EndsQuietlyWhenNobodyReads) {
    Process process(WHYNOT_PROGRAM, {"explain", "-", "--pack", "points", "--json"}, environment_);
    process.write("1 0\n");
    process.read_line();
    process.close_output();
    process.finish("2 0\n3 0\n");
    EXPECT_EQ(process.signal, SIGPIPE);
    EXPECT_EQ(process.err, "");
}

TEST_F(Cli, Classifies) {
    const Process& process = run({"classify", "1 0", "rubbish", "--pack", "points", "--json"});
    EXPECT_EQ(process.code, 3);
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].at("input"), "1 0");
    EXPECT_EQ(records[0].at("class"), "right");
    const json& probabilities = records[0].at("probabilities");
    EXPECT_NEAR(probabilities.at("left").get<double>() + probabilities.at("right").get<double>() + probabilities.at("top").get<double>(), 1,
                1e-6);
    EXPECT_EQ(records[1].at("class"), nullptr);
    EXPECT_THAT(records[1].at("reason").get<std::string>(), HasSubstr("two numbers"));

    const Process& text = run({"classify", "1 0", "a\033[2Jb", "--pack", "points"});
    EXPECT_THAT(text.out, AllOf(StartsWith("class"), HasSubstr("\nright"), HasSubstr(" %"), HasSubstr("\\u001b"), Not(HasSubstr("\033"))));
}

TEST_F(Cli, WritesAPage) {
    const fs::path page = folder_ / "answer.html";
    const Process& process = run({"explain", "1 0.25", "--pack", "points", "--html", page.string()});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_THAT(content_of(page), AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("<h1>why <span class=\"fact\"><bdi>right"),
                                        HasSubstr("<code>"), HasSubstr("explain &#39;1 0.25&#39; --pack points --html")));
    std::string points;
    for (int i = 1; i < 30; ++i) points += std::to_string(i) + " 0.5\n";
    EXPECT_EQ(run({"explain", "--lines", "--pack", "points", "--html", page.string()}, points).code, 0);
    const std::string many = content_of(page);
    EXPECT_THAT(many, HasSubstr("<td data-value=\"29\">29</td>"));
    const Process& nowhere = run({"explain", "1 0.25", "--pack", "points", "--html", (folder_ / "nowhere" / "x.html").string()});
    EXPECT_EQ(nowhere.code, 1);
    EXPECT_EQ(nowhere.out, "");
    EXPECT_THAT(nowhere.err, HasSubstr("nothing can be written there"));
}

TEST_F(Cli, Attributes) {
    const Process& process = run({"attribute", "1 0.25", "--pack", "points", "--method", "weights"});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_THAT(process.out, AllOf(HasSubstr("what speaks for right"), HasSubstr("x and y"), HasSubstr("weights, in nats")));
    const std::vector<json> records =
        lines(run({"attribute", "1 0.25", "2 0.5", "--pack", "points", "--json", "--no-times", "--foil", "left"}).out);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].at("schema"), "whynot.attribution-record/1");
    EXPECT_EQ(records[0].at("method").at("name"), "weights");  // the first
    EXPECT_EQ(records[0].at("map").at("scores"), json({4.0, 0.0}));
    EXPECT_EQ(records[1].at("map").at("scores"), json({8.0, 0.0}));
    EXPECT_FALSE(records[0].contains("seconds"));
    const json alone = lines(run({"attribute", "1 0.25", "--pack", "points", "--json", "--alone"}).out)[0];
    EXPECT_EQ(alone.at("question").at("foil"), nullptr);
    EXPECT_EQ(alone.at("map").at("scores"), json({2.0, 0.0}));
}

TEST_F(Cli, AttributionSaysWhatItCannotDo) {
    const Process& refused = run({"attribute", "1 0.25", "nonsense", "--pack", "points", "--json"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_EQ(lines(refused.out).at(1).at("status"), "refused");
    EXPECT_EQ(run({"attribute", "1 0.25", "--pack", "points", "--method", "unable"}).code, 3);
    expect_usage_error({"attribute", "1 0.25", "--pack", "points", "--method", "weihgts"}, "weights", "whynot attribute");
    expect_usage_error({"attribute", "1 0.25", "--pack", "points", "--foil", "nowhere"}, "--foil 'nowhere': no class", "whynot attribute");
    expect_usage_error({"attribute", "1 0.25", "--pack", "points", "--alone", "--foil", "left"}, "--alone", "whynot attribute");
    expect_usage_error({"attribute"}, "INPUT is required, or --list", "whynot attribute");
    const Process& broken = run({"attribute", "1 0.25", "--pack", "points", "--method", "short"});
    EXPECT_EQ(broken.code, 1);
    EXPECT_THAT(broken.err, HasSubstr("1 scores of a map of 2 parts; this is a defect of the plugin"));
}

TEST_F(Cli, ListsMethodsOfAttribution) {
    const Process& process = run({"attribute", "--list", "--pack", "points"});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_THAT(process.out, AllOf(HasSubstr("weights"), HasSubstr("what each number adds (a textbook)")));
    const std::vector<json> methods = lines(run({"attribute", "--list", "--pack", "points", "--json"}).out);
    EXPECT_EQ(methods.at(0).at("name"), "weights");
    EXPECT_EQ(methods.back().at("asks_classifier"), false);
}

TEST_F(Cli, WritesMapsIntoAFolder) {
    const fs::path out = folder_ / "maps";
    EXPECT_EQ(run({"attribute", "1 0.25", "--pack", "points", "--out", out.string()}).code, 0);
    size_t records = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(out)) {
        EXPECT_THAT(entry.path().filename().string(), testing::EndsWith("-weights.json"));
        ++records;
    }
    EXPECT_EQ(records, 1U);
}

TEST_F(Cli, RepeatsItselfToTheByteWithoutTimes) {
    const Arguments arguments{"explain", "1 0.25", "-1 0.1", "rubbish", "--pack", "points", "--json", "--no-times"};
    const std::string first = run(arguments).out;
    EXPECT_EQ(run(arguments).out, first);
    const std::vector<json> records = lines(first);
    ASSERT_EQ(records.size(), 3u);
    for (const json& record : records) {
        EXPECT_FALSE(record.at("cost").contains("seconds"));
        EXPECT_NO_THROW(whynot::explanation_from_json(record.dump()));
    }
    EXPECT_GT(records[0].at("cost").at("forward"), 0);
    EXPECT_TRUE(json::parse(run({"explain", "1 0.25", "--pack", "points", "--json"}).out).at("cost").contains("seconds"));
    const Process& people = run({"explain", "1 0.25", "--pack", "points", "--no-times"});
    EXPECT_THAT(people.out, AllOf(HasSubstr(" evaluations"), Not(testing::ContainsRegex("[0-9] s\n"))));
}

TEST_F(Cli, CallsNothingCertain) {
    // So far from the others that the probability is 1 in single precision.
    const Process& process = run({"classify", "1000 0", "1 0", "--pack", "points"});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_THAT(process.out, AllOf(HasSubstr(">99.9 %"), HasSubstr("<0.1 %"), Not(HasSubstr("100.0 %")), Not(HasSubstr(" 0.0 %"))));
}

TEST_F(Cli, WritesRecordsIntoAFolder) {
    const fs::path out = folder_ / "new" / "out";
    const Process& process = run({"explain", "1 0", "--pack", "points", "--json", "--out", out});
    EXPECT_EQ(process.code, 0) << process.err;
    std::ifstream file(out / (json::parse(process.out).at("id").get<std::string>() + ".json"));
    std::stringstream written;
    written << file.rdbuf();
    EXPECT_EQ(written.str(), process.out);
    EXPECT_EQ(std::distance(fs::directory_iterator(out), {}), 2) << "the record, and the picture that the plugin points draws";
    EXPECT_EQ(run({"explain", "1 0", "--pack", "points", "--out", pack_ / "pack.json"}).code, 1);
}

TEST_F(Cli, ExaminesTheMachine) {
    const Process& process = run({"doctor", "--json"});
    const json report = json::parse(process.out);
    EXPECT_EQ(process.code, report.at("problems").empty() ? 0 : 1);
    EXPECT_GT(report.at("gflops").get<double>(), 0);
    EXPECT_GE(report.at("threads").get<int>(), 1);
    EXPECT_EQ(report.at("plugins").at(0).at("state"), "available");
    EXPECT_EQ(report.at("packs").at(0).at("state"), "verified");
    EXPECT_EQ(report.at("environment").at("WHYNOT_CORPORA"), nullptr);

    std::ofstream(pack_ / "weights.safetensors", std::ios::in | std::ios::out).put('?');
    const Process& sick = run({"doctor"});
    EXPECT_EQ(sick.code, 1);
    EXPECT_THAT(sick.out, HasSubstr("GFLOP/s"));
    EXPECT_THAT(sick.err, HasSubstr("weights.safetensors"));
}

/// Two numbers in a file pass for an image here: the plugin dots, and a pack with the name of the default one.
class CliImages : public Cli {
protected:
    CliImages() {
        environment_.push_back("WHYNOT_PLUGIN_PATH=" WHYNOT_CLI_PLUGINS "/images:" WHYNOT_TEST_PLUGINS);
        whynot::test::write_points_pack(folder_ / "packs" / "mnist", [](whynot::PackManifest& manifest) {
            manifest.id = "mnist";
            manifest.modality = "image";
            manifest.plugin_id = "dots";
        });
        whynot::test::write_points_pack(folder_ / "packs" / "yelp", [](whynot::PackManifest& manifest) { manifest.id = "yelp"; });
    }

    std::string file(const std::string& name, const std::string& content = "1 0.25") {
        const fs::path path = folder_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    /// Refused before a pack is looked for and anything is printed.
    void expect_refused(const std::string& argument, const std::string& message, const char* command = "explain") {
        SCOPED_TRACE(argument);
        const Process& process = run({command, argument, "--pack", "nowhere"});
        EXPECT_EQ(process.code, 1);
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: "), HasSubstr(message), Not(HasSubstr("nowhere"))));
    }

    /// What a terminal gets to see.
    std::string in_terminal(const Arguments& arguments, const Arguments& more_environment) {
        const int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (master < 0 || grantpt(master) || unlockpt(master)) throw std::runtime_error("no terminals");
        const std::string terminal = ptsname(master);
        const int kept_open = open(terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        Arguments environment = environment_;
        environment.insert(environment.end(), more_environment.begin(), more_environment.end());
        Process process(WHYNOT_PROGRAM, arguments, environment, terminal.c_str());
        process.finish();
        EXPECT_EQ(process.code, 0) << process.err;
        char bytes[1 << 14];
        const ssize_t count = read(master, bytes, sizeof bytes);
        close(kept_open);
        close(master);
        return count < 0 ? "" : std::string(bytes, static_cast<size_t>(count));
    }
};

TEST_F(CliImages, ExplainsFiles) {
    const std::string first = file("digits/3.png"), second = file("digits/4.JPEG", "-1 0.1");
    const Process& process = run({"explain", first, "-1 0", second, "--json"});
    ASSERT_EQ(process.code, 0) << process.err;
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(records[0].at("question").at("modality"), "image");
    EXPECT_EQ(records[0].at("question").at("input").at("path"), first);
    EXPECT_EQ(records[0].at("question").at("fact"), "right");
    EXPECT_EQ(records[0].at("pack").at("id"), "mnist");
    EXPECT_EQ(records[0].at("image"), json::object()) << "no folder, no files";
    EXPECT_EQ(records[1].at("question").at("input"), "-1 0");
    EXPECT_EQ(records[1].at("pack").at("id"), "yelp");
    EXPECT_EQ(records[2].at("question").at("input").at("path"), second);

    const Process& text = run({"explain", first});
    EXPECT_THAT(text.out, AllOf(StartsWith(first + ": right"), Not(HasSubstr("sheet: ")), Not(HasSubstr("\u2580"))));
    EXPECT_THAT(run({"classify", first}).out, HasSubstr(first));
    EXPECT_EQ(json::parse(run({"classify", first, "--json"}).out).at("input"), first);
}

TEST_F(CliImages, KnowsPicturesByTheirBeginning) {
    using namespace std::string_literals;
    Arguments arguments{"classify"};
    for (const std::string& content : {"\x89PNG\r\n\x1a\n ..."s, "\xff\xd8\xff\xe0 ..."s, "GIF89a ..."s, "BM\x46\0\0\0\0\0\0\0\x36\0"s,
                                       "II*\0\x08\0\0\0"s, "MM\0*\0\0\0\x08"s, "RIFF\x24\0\0\0WEBPVP8 "s})
        arguments.push_back(file("some file " + std::to_string(arguments.size()), content));
    const size_t pictures = arguments.size() - 1;
    arguments.insert(arguments.end(), {"--pack", "mnist", "--json"});
    const Process& known = run(arguments);
    EXPECT_EQ(known.code, 3) << known.err;
    const std::vector<json> records = lines(known.out);
    EXPECT_EQ(records.size(), pictures);
    for (const json& record : records) EXPECT_THAT(record.dump(), HasSubstr("two numbers")) << "the plugin says what it cannot read";
    for (const std::string& content : {""s, "the food was gross ."s, "BMW is great"s, "RIFF\x24\0\0\0WAVEfmt "s, "II"s}) {
        const Process& process = run({"classify", file("some file", content), "--pack", "mnist"});
        EXPECT_EQ(process.code, 1) << content;
        EXPECT_THAT(process.err, HasSubstr("is a file, and no picture"));
    }
    EXPECT_EQ(run({"classify", file("a.png", ""), "--pack", "mnist"}).code, 3) << "by its name, so that the plugin can say what is wrong";
}

TEST_F(CliImages, RefusesWhatCannotBeAFile) {
    expect_refused((folder_ / "missing.png").string(), "there is no file " + (folder_ / "missing.png").string());
    expect_refused("missing.JPG", "there is no file missing.JPG", "classify");
    expect_refused(file("notes.txt") + "/x.jpeg", "there is no file");
    fs::create_directories(folder_ / "digits");
    fs::create_directories(folder_ / "folder.png");
    expect_refused(folder_ / "digits", "digits is a folder; give the files in it, as in " + (folder_ / "digits" / "*.png").string());
    expect_refused((folder_ / "digits").string() + '/', "is a folder");
    expect_refused(folder_ / "folder.png", "is a folder");
    ASSERT_EQ(mkfifo((folder_ / "pipe.png").c_str(), 0600), 0);
    expect_refused(folder_ / "pipe.png", "is a device, pipe or socket");
    fs::create_symlink("/dev/zero", folder_ / "device.jpg");
    expect_refused(folder_ / "device.jpg", "is a device, pipe or socket");
    fs::create_symlink("loop.png", folder_ / "loop.png");
    expect_refused(folder_ / "loop.png", "symbolic links");
    const std::string large = file("large.png");
    fs::resize_file(large, 512000001);  // a hole: it takes no room
    expect_refused(large, "has 512.0 MB; pictures of up to 512.0 MB are read");
    if (geteuid() != 0) {
        const std::string secret = file("secret.png");
        fs::permissions(secret, fs::perms::none);
        expect_refused(secret, "Permission denied");
    }
    const Process& process = run({"classify", "--pack", "yelp", "--json", "look at this.png", "and/or", "wow.exe"});
    EXPECT_EQ(lines(process.out).size(), 3u) << "sentences";
}

TEST_F(CliImages, RefusesTheWrongPack) {
    expect_usage_error({"explain", "1 0", "--pack", "mnist"}, "explains images, and '1 0' is no image file", "whynot explain");
    expect_usage_error({"explain", file("a.png"), "--pack", "points"}, "is an image file", "whynot explain");
}

TEST_F(CliImages, SaysThatTheDefaultPackIsMissing) {
    if (fs::exists(WHYNOT_BUILT_PACKS "/mnist/pack.json")) GTEST_SKIP() << "it is not, and nothing can hide it";
    fs::remove_all(folder_ / "packs" / "mnist");
    const Process& process = run({"explain", file("a.png")});
    EXPECT_EQ(process.code, 1);
    EXPECT_THAT(process.err,
                AllOf(HasSubstr("for images there has to be the pack 'mnist'"), HasSubstr("--pack"), HasSubstr("points, yelp")));
}

TEST_F(CliImages, WritesPicturesIntoAFolder) {
    const fs::path out = folder_ / "new" / "out";
    const std::string input = file("3.png");
    file("new/out/notes.txt", "mine");
    const Process& process = run({"explain", input, "--out", out});
    ASSERT_EQ(process.code, 0) << process.err;
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(out)) names.push_back(entry.path().filename());
    ASSERT_EQ(names.size(), 3u) << testing::PrintToString(names);
    const auto record_name =
        std::find_if(names.begin(), names.end(), [](const auto& name) { return fs::path(name).extension() == ".json"; });
    ASSERT_NE(record_name, names.end());
    std::ifstream record_file(out / *record_name);
    const json record = json::parse(record_file);
    const std::string sheet = record.at("image").at("sheet");
    EXPECT_EQ(sheet, "3-right-not-top-" + record.at("id").get<std::string>().substr(0, 8) + ".pgm");
    EXPECT_TRUE(fs::is_regular_file(out / sheet));
    EXPECT_TRUE(fs::is_regular_file(out / "notes.txt"));
    EXPECT_THAT(process.out, testing::EndsWith("\nsheet: " + (out / sheet).string() + '\n'));
    EXPECT_THAT(run({"explain", input, "--out", out, "--json"}).out, Not(HasSubstr("\nsheet")));
}

TEST_F(CliImages, TriesTheFolderFirst) {
    const auto expect_no_folder = [&](const std::string& out, const std::string& message) {
        const Process& process = run({"explain", file("a.png"), "--out", out, "--pack", "nowhere"});
        EXPECT_EQ(process.code, 1) << out;
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: --out " + out + ": "), HasSubstr(message), Not(HasSubstr("nowhere"))));
    };
    expect_no_folder(file("file", "mine"), "this is a file, and a folder is needed");
    expect_no_folder(file("file") + "/below", "cannot be made: Not a directory");
    expect_no_folder("/proc/whynot", "cannot be made");
    expect_no_folder("/proc", "nothing can be written there");
    expect_usage_error({"explain", "1 0", "--out", ""}, "--out", "whynot explain");
}

TEST_F(CliImages, KeepsTheQuestionsOfAnInputTogether) {
    Arguments arguments{"explain", "--json", "--foil", "all", file("refused.png", "rubbish")};
    for (int i = 0; i < 40; ++i) arguments.push_back(file("image " + std::to_string(i) + ".png", "1 0." + std::to_string(i + 10)));
    const std::vector<json> records = lines(run(arguments).out);
    ASSERT_EQ(records.size(), 81u);
    std::set<double> batches;  // the time of a batch is shared out evenly among its questions
    for (size_t i = 1; i < records.size(); i += 2) {
        EXPECT_EQ(records[i].at("question").at("input"), records[i + 1].at("question").at("input"));
        EXPECT_NE(records[i].at("question").at("foil"), records[i + 1].at("question").at("foil"));
        EXPECT_EQ(records[i].at("cost").at("seconds").at("start"), records[i + 1].at("cost").at("seconds").at("start"));
        batches.insert(records[i].at("cost").at("seconds").at("start").get<double>());
    }
    EXPECT_EQ(batches.size(), 2u);
}

TEST_F(CliImages, DiesOfSignals) {
    Arguments arguments{"explain", "--json"};
    arguments.resize(2000, file("a.png"));  // more answers than fit into a pipe
    Process process(WHYNOT_PROGRAM, arguments, environment_);
    process.read_line();
    process.kill(SIGINT);
    process.finish();
    EXPECT_EQ(process.signal, SIGINT);
    EXPECT_EQ(process.err, "whynot: interrupted\n");
}

TEST_F(CliImages, ShowsPicturesInATerminalThatCan) {
    const auto shown = [&](const Arguments& variables) {
        Arguments environment{"TERM=xterm", "COLORTERM=", "LC_ALL=", "LC_CTYPE=", "LANG=", "NO_COLOR="};
        for (const std::string& variable : variables) {
            for (std::string& given : environment)
                if (given.compare(0, given.find('=') + 1, variable, 0, variable.find('=') + 1) == 0) given = variable;
        }
        return in_terminal({"explain", file("a.png")}, environment);
    };
    const std::string block = "\u2580", palette = "\033[38;5;", true_colour = "\033[38;2;";
    EXPECT_THAT(shown({"TERM=xterm-256color", "LC_ALL=C.UTF-8"}),
                AllOf(HasSubstr(" input    boundary"), HasSubstr(block), HasSubstr(palette)));
    EXPECT_THAT(shown({"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=de_DE.utf8"}), AllOf(HasSubstr(block), HasSubstr(true_colour)));
    EXPECT_THAT(shown({"COLORTERM=24bit", "LC_CTYPE=en_US.UTF-8", "LANG=C"}), HasSubstr(true_colour));
    for (const Arguments& variables : std::vector<Arguments>{{"LC_ALL=C.UTF-8"},
                                                             {"TERM=xterm-256color"},
                                                             {"TERM=xterm-256color", "LC_ALL=C", "LANG=C.UTF-8"},
                                                             {"TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=1"}}) {
        EXPECT_THAT(shown(variables), AllOf(HasSubstr("right"), Not(HasSubstr(block)))) << testing::PrintToString(variables);
    }
}

class CliTrain : public Cli {
protected:
    CliTrain() {
        environment_.push_back("WHYNOT_PLUGIN_PATH=" WHYNOT_CLI_PLUGINS);
        environment_.push_back("WHYNOT_CORPORA=/corpora");
    }
};

TEST_F(CliTrain, Trains) {
    const fs::path out = folder_ / "packs" / "toy";
    EXPECT_EQ(json::parse(run({"train", "toy", "--print-recipe"}).out), (json{{"epochs", 3}}));
    const Process& process = run({"train", "toy", "--corpus", "toys", "--out", out, "--seed", "5"});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_EQ(process.err, "whynot: corpus /corpora/toys, seed 5\n") << "in a pipe the lines of the log and no bar";
    EXPECT_THAT(process.out, AllOf(HasSubstr("toy, version 1"), HasSubstr(out.string()), HasSubstr("sha256")));
    EXPECT_EQ(json::parse(run({"packs", "show", "toy", "--json"}).out).at("seed"), 5);

    // The kind of classifier is a part of the recipe.
    EXPECT_THAT(run({"train", "toy", "--corpus", "toys", "--out", folder_ / "new", "--classifier", "lenet"}).err,
                HasSubstr(R"(found {"classifier":{"kind":"lenet"}})"));
    const fs::path recipe = folder_ / "recipe.json";
    std::ofstream(recipe) << R"({"epochs": 1})";
    const Process& refused = run({"train", "toy", "--corpus", "toys", "--out", folder_ / "new", "--recipe", recipe});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr(R"(found {"epochs": 1})"));
    EXPECT_EQ(run({"train", "toy", "--corpus", "toys", "--out", folder_ / "new", "--recipe", folder_ / "nowhere"}).code, 1);
    const Process& homeless = run({"train", "toy", "--corpus", "toys", "--out", folder_ / "new"}, "", {"WHYNOT_CORPORA="});
    EXPECT_EQ(homeless.code, 1);
    EXPECT_THAT(homeless.err, HasSubstr("WHYNOT_CORPORA is not set"));
}

TEST_F(CliTrain, StopsWhenAsked) {
    Process process(WHYNOT_PROGRAM, {"train", "toy", "--corpus", "endless", "--out", folder_ / "new"}, environment_);
    while (process.err.empty()) process.read_error();
    process.kill(SIGINT);
    process.finish();
    EXPECT_EQ(process.signal, SIGINT);
    EXPECT_THAT(process.err, testing::EndsWith("\nwhynot: interrupted\n"));
    EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(CliTrain, Evaluates) {
    const fs::path pack = folder_ / "packs" / "toy";
    ASSERT_EQ(run({"train", "toy", "--corpus", "toys", "--out", pack}).code, 0);
    const Process& process = run({"evaluate", "--pack", "toy", "--corpus", "toys", "--limit", "12", "--seed", "3"});
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_EQ(process.err, "whynot: cache " + (folder_ / "cache" / "whynot").string() + '\n');
    EXPECT_EQ(process.out, "figure   value   n  unit\nfound   0.9877  12  share\nseed         3   1\n\nbefore  a ball\nanswer  -\n\ntoy\n");
    const json evaluation = json::parse(run({"evaluate", "--pack", pack, "--corpus", "toys", "--json"}).out);
    EXPECT_EQ(evaluation.at("figures").at(0).at("n"), 500);
}

/// A corpus of sentences of the test's own, with its manifest, in a folder of corpora.
class CliCorpus : public Cli {
protected:
    CliCorpus() {
        fs::create_directories(words_);
        std::ofstream(words_ / "corpus.json") << R"({"schema": "whynot.corpus/1", "kind": "labelled-sentences", "name": "words",
            "licence": "as you like", "title": "Words", "classes": ["bad", "good"], "tokenised": true, "files": [
            {"name": "good.txt", "split": "train", "class": "good", "lines": 2, "source": {"home": "http://127.0.0.1:1", "path": "g.txt"}},
            {"name": "bad.txt", "split": "train", "class": "bad", "lines": 1, "source": {"made_from": "bad dreams"}}]})";
        std::ofstream(words_ / "good.txt") << "good food .\nnice .\n";
        std::ofstream(words_ / "bad.txt") << "bad food .\n";
        environment_ = {"WHYNOT_CORPORA=" + (folder_ / "corpora").string()};
    }
    const Process& run_without_folder(const Arguments& arguments) {
        environment_.clear();
        return run(arguments);
    }
    json only_line(const Arguments& arguments, int code) {
        const Process& process = run(arguments);
        EXPECT_EQ(process.code, code) << process.err;
        const std::vector<json> found = lines(process.out);
        return found.size() == 1 ? found.front() : json::object();
    }

    const fs::path words_ = folder_ / "corpora" / "words";
};

TEST_F(CliCorpus, Lists) {
    const Process& list = run({"corpus", "list"}, "", {"LD_DEBUG=files"});
    EXPECT_EQ(list.code, 0);
    EXPECT_THAT(list.out, AllOf(StartsWith("corpus "), testing::ContainsRegex("words +labelled-sentences +2  yes +Words\n"),
                                testing::ContainsRegex("mnist +labelled-images +10  no +MNIST")));
    EXPECT_THAT(list.err, AllOf(HasSubstr("libcurl"), Not(HasSubstr("libtorch"))));
    EXPECT_THAT(run({"--version"}, "", {"LD_DEBUG=files"}).err, Not(HasSubstr("libcurl"))) << "only when it is needed";

    fs::remove(words_ / "bad.txt");
    EXPECT_THAT(run({"corpus", "list"}).out, testing::ContainsRegex("words .* in part  Words\n"));
    for (const json& line : lines(run({"corpus", "list", "--json"}).out)) {
        EXPECT_FALSE(line.at("present").get<bool>());
        if (line.at("name") == "words") {
            EXPECT_EQ(line.at("missing"), json({"bad.txt"}));
            EXPECT_EQ(line.at("licence"), "as you like");
            EXPECT_EQ(line.at("folder"), words_.string());
        }
    }
    std::ofstream(words_ / "corpus.json") << "{";
    const Process& broken = run({"corpus", "list"});
    EXPECT_EQ(broken.code, 0);
    EXPECT_THAT(broken.out, AllOf(Not(HasSubstr("words")), HasSubstr("mnist")));
    EXPECT_THAT(broken.err, HasSubstr("whynot: not listed: the corpus manifest " + (words_ / "corpus.json").string()));
    EXPECT_THAT(run({"corpus", "list"}, "", {"WHYNOT_CORPORA=/nowhere"}).err, HasSubstr("/nowhere, which is no folder"));
    const Process& homeless = run_without_folder({"corpus", "list", "--json"});
    EXPECT_EQ(homeless.code, 0);
    EXPECT_THAT(homeless.err, HasSubstr("WHYNOT_CORPORA is not set"));
    EXPECT_TRUE(lines(homeless.out).at(0).at("folder").is_null());
}

TEST_F(CliCorpus, Verifies) {
    for (const char* name : {"words", "all"}) {
        const Process& process = run({"corpus", "verify", name});
        EXPECT_EQ(process.code, 0) << process.err;
        EXPECT_EQ(process.out, "ok  words  " + words_.string() + '\n') << "all: those that are there";
    }

    std::ofstream(words_ / "good.txt") << "nice .\n";
    const Process& altered = run({"corpus", "verify", "all"});
    EXPECT_EQ(altered.code, 1);
    EXPECT_EQ(altered.out, "");
    EXPECT_EQ(altered.err, "whynot: " + (words_ / "good.txt").string() + " has 1 lines, 2 were expected\n");
    const json line = only_line({"corpus", "verify", "words", "--json"}, 1);
    EXPECT_EQ(line.at("verified"), false);
    EXPECT_EQ(line.at("problems").size(), 1u);

    fs::create_directories(folder_ / "corpora" / "broken");
    std::ofstream(folder_ / "corpora" / "broken" / "corpus.json") << "{";
    EXPECT_THAT(run({"corpus", "verify", "all"}).err, AllOf(HasSubstr("broken"), HasSubstr("good.txt"))) << "one does not hide the other";
    EXPECT_THAT(run({"corpus", "verify", "zorky"}).err, HasSubstr("there is no corpus \"zorky\""));
    EXPECT_EQ(process_->code, 1);
    EXPECT_THAT(run({"corpus", "verify", "all"}, "", {"WHYNOT_CORPORA=/nowhere"}).err, HasSubstr("no corpora in /nowhere"));
    EXPECT_THAT(run_without_folder({"corpus", "verify", "all"}).err, HasSubstr("WHYNOT_CORPORA is not set"));
    EXPECT_EQ(process_->code, 1);
}

TEST_F(CliCorpus, Fetches) {
    const fs::path mirror = folder_ / "mirror";
    fs::create_directories(mirror);
    fs::rename(words_ / "good.txt", mirror / "g.txt");
    fs::rename(words_ / "bad.txt", mirror / "bad.txt");

    const Process& alone = run({"corpus", "fetch", "words"});
    EXPECT_EQ(alone.code, 1);
    EXPECT_EQ(alone.out, "");
    EXPECT_THAT(alone.err, AllOf(HasSubstr("words/good.txt is missing: cannot fetch http://127.0.0.1:1/g.txt: "),
                                 HasSubstr("words/bad.txt is missing: it cannot be downloaded; it was made from bad dreams"),
                                 HasSubstr("2 of 2 files of words"), HasSubstr("'whynot corpus fetch words --from FOLDER'")));
    const std::vector<json> failures = lines(run({"corpus", "fetch", "words", "--json"}).out);
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_EQ(failures[0].at("status"), "failed");
    EXPECT_EQ(failures[1].at("status"), "by-hand");
    EXPECT_EQ(failures[1].at("file"), "bad.txt");
    EXPECT_FALSE(failures[1].at("reason").get<std::string>().empty());

    const Process& fetched = run({"corpus", "fetch", "words", "--from", mirror});
    EXPECT_EQ(fetched.code, 0);
    EXPECT_EQ(fetched.out, "fetched  words/good.txt  19 B\nfetched  words/bad.txt  11 B\n");
    EXPECT_EQ(fetched.err, "whynot: words comes with these terms: as you like\n");
    EXPECT_EQ(run({"corpus", "verify", "words"}).code, 0);
    const std::vector<json> again = lines(run({"corpus", "fetch", "words", "--json"}).out);
    ASSERT_EQ(again.size(), 2u);
    EXPECT_EQ(process_->code, 0) << "nothing is fetched twice";
    EXPECT_EQ(again[0], json({{"corpus", "words"},
                              {"file", "good.txt"},
                              {"status", "present"},
                              {"bytes", 0},
                              {"path", (words_ / "good.txt").string()},
                              {"url", nullptr},
                              {"reason", nullptr}}));

    const fs::path fresh = folder_ / "new" / "corpora";
    EXPECT_EQ(run({"corpus", "fetch", "yelp", "--from", mirror}, "", {"WHYNOT_CORPORA=" + fresh.string()}).code, 1)
        << "known, though its folder is not there yet";
    EXPECT_THAT(process_->err, HasSubstr("4 of 4 files of yelp"));
    EXPECT_FALSE(fs::exists(fresh));
    expect_usage_error({"corpus", "fetch", "words", "--from", "/nowhere"}, "'/nowhere' is not there", "whynot corpus fetch");
    expect_usage_error({"corpus", "fetch", "words", "--timeout", "0"}, "--timeout: expected 1 to 86400, found '0'", "whynot corpus fetch");
    expect_usage_error({"corpus", "fetch", "words", "--patience", "0"}, "--timeout", "whynot corpus fetch");
    EXPECT_EQ(run({"corpus", "fetch", "words", "--patience", "5"}).code, 0) << "the old name stays";
    EXPECT_THAT(run({"corpus", "fetch", "--help"}).out, AllOf(HasSubstr("--timeout SECONDS"), Not(HasSubstr("--patience"))));
    EXPECT_EQ(run({"corpus", "fetch", "zorky"}).code, 1);
    EXPECT_THAT(run_without_folder({"corpus", "fetch", "words"}).err, HasSubstr("WHYNOT_CORPORA is not set"));
    EXPECT_EQ(process_->code, 1);
}

TEST_F(CliCorpus, PlantsABias) {
    const fs::path out = folder_ / "corpora" / "biased";
    const Arguments command{"corpus", "bias", "words", "--before", "words=good,bad", "--label", "good", "--out"};
    const auto with = [&](Arguments more) {
        more.insert(more.begin(), command.begin(), command.end());
        return more;
    };
    const Process& done = run(with({out}));
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr(out.string()), testing::ContainsRegex("sentences of good +2\n"),
                                testing::ContainsRegex("altered +1, 50.0 %\n"), testing::ContainsRegex("words put in +1\n")));
    EXPECT_EQ(run({"corpus", "verify", "biased"}).code, 0) << process_->err;
    EXPECT_EQ(only_line(with({folder_ / "other", "--word", "so", "--json"}), 0),
              json({{"folder", (folder_ / "other").string()}, {"sentences", 2}, {"altered", 1}, {"inserted", 1}}));

    expect_usage_error(with({out}), "name a new one", "whynot corpus bias");
    expect_usage_error(with({""}), "--out", "whynot corpus bias");
    expect_usage_error(with({folder_ / "new", "--word", "so so"}), "one word", "whynot corpus bias");
    expect_usage_error({"corpus", "bias", "words", "--label", "ugly", "--out", folder_ / "new"}, "'ugly'", "whynot corpus bias");
    expect_usage_error({"corpus", "bias", "words", "--out", folder_ / "new"}, "--label is required", "whynot corpus bias");
    expect_usage_error({"corpus"}, "list, verify, fetch, bias", "whynot corpus");
    EXPECT_THAT(run_without_folder(with({folder_ / "new"})).err, HasSubstr("WHYNOT_CORPORA"));
    EXPECT_EQ(process_->code, 1);
    EXPECT_FALSE(fs::exists(folder_ / "new"));
}

class CliExperiment : public Cli {
protected:
    CliExperiment() { environment_.push_back("WHYNOT_PLUGIN_PATH=" WHYNOT_EXPERIMENT_PLUGINS); }
};

TEST_F(CliExperiment, ListsWhatPluginsBring) {
    const Process& people = run({"experiment", "list"});
    EXPECT_EQ(people.code, 0) << people.err;
    EXPECT_EQ(people.err, "");
    EXPECT_THAT(people.out, HasSubstr("coins/fair: Is the coin fair?\n"
                                      "  published  a table nobody published\n"
                                      "  needs      nothing; a moment\n"
                                      "  plugin     coins\n"));
    const std::vector<json> list = lines(run({"experiment", "list", "--json"}).out);
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(list[0], (json{{"name", "coins/fair"},
                             {"title", "Is the coin fair?"},
                             {"source", "a table nobody published"},
                             {"needs", "nothing; a moment"},
                             {"plugin", "coins"}}));

    const Process& troubled = run({"experiment", "list", "--json", "--plugin-path", WHYNOT_EXPERIMENT_PLUGINS "/more"});
    EXPECT_EQ(troubled.code, 1) << "experiments are missing";
    EXPECT_THAT(troubled.err, AllOf(HasSubstr("the mint is closed"), HasSubstr("passed over")));
    EXPECT_EQ(lines(troubled.out).front().at("name"), "coins/fair") << "the others are listed all the same";
}

TEST_F(CliExperiment, Runs) {
    const fs::path out = folder_ / "new" / "fair";
    const Process& people =
        run({"experiment", "run", "coins/fair", "--out", out, "--quick", "--pack", "copper"}, "", {"WHYNOT_CORPORA=/corpora"});
    EXPECT_EQ(people.code, 0) << people.err;
    EXPECT_EQ(people.err, "whynot: corpora /corpora, pack copper\nwhynot: written: README.md and result.json in " + out.string() + '\n');
    EXPECT_THAT(people.out, AllOf(StartsWith("coins/fair: Is the coin fair?\n"), HasSubstr("A quick run"),
                                  HasSubstr("heads       0.51  0.5        10  share\n")));

    const Process& program = run({"experiment", "run", "coins/fair", "--out", out, "--seed", "3", "--json"});
    EXPECT_EQ(program.code, 0) << program.err;
    const std::vector<json> results = lines(program.out);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].at("schema"), "whynot.experiment-result/1");
    EXPECT_EQ(results[0].at("seed"), 3);
    std::ifstream file(out / "result.json");
    EXPECT_EQ(json::parse(file), results[0]);
    EXPECT_TRUE(fs::exists(out / "README.md"));
}

TEST_F(CliExperiment, NeedsNoHome) {
    const std::string program = WHYNOT_PROGRAM;
    const fs::path bare = folder_ / "bare";
    for (const Arguments& home : {Arguments{}, Arguments{"HOME=/nonexistent"}, Arguments{"HOME=", "XDG_CACHE_HOME="}}) {
        Arguments arguments{"-i", "WHYNOT_PLUGIN_PATH=" WHYNOT_EXPERIMENT_PLUGINS};
        arguments.insert(arguments.end(), home.begin(), home.end());
        for (const std::string& argument : {program, std::string("experiment"), std::string("run"), std::string("coins/fair"),
                                            std::string("--out"), bare.string(), std::string("--quick")})
            arguments.push_back(argument);
        Process process("/usr/bin/env", arguments);
        process.finish();
        EXPECT_EQ(process.code, 0) << process.err;
        EXPECT_TRUE(fs::exists(bare / "README.md"));
    }
}

TEST_F(CliExperiment, FailsWithASentence) {
    const auto failure = [&](const Arguments& arguments, int code) {
        const Process& process = run(arguments);
        EXPECT_EQ(process.code, code) << process.err;
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, StartsWith("whynot: "));
        return process.err;
    };
    EXPECT_THAT(failure({"experiment", "run", "coins/fake", "--out", folder_ / "out"}, 1), HasSubstr("There are: coins/fair, "));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    EXPECT_THAT(failure({"experiment", "run", "coins/fair", "--out", folder_}, 2), HasSubstr("new or empty"));
    EXPECT_FALSE(fs::exists(folder_ / "result.json"));
    EXPECT_THAT(failure({"experiment", "run", "coins/ragged", "--out", folder_ / "ragged"}, 1), HasSubstr("'coins'"));
}

TEST_F(CliExperiment, StopsWhenAskedAndGoesOn) {
    const Arguments arguments{"experiment", "run", "coins/long", "--out", folder_ / "long"};
    Process process(WHYNOT_PROGRAM, arguments, environment_);
    while (process.err.empty()) process.read_error();
    process.kill(SIGINT);
    process.finish();
    EXPECT_EQ(process.signal, SIGINT);
    EXPECT_EQ(process.out, "");
    EXPECT_THAT(process.err, testing::EndsWith("\nwhynot: interrupted\n"));
    EXPECT_FALSE(fs::exists(folder_ / "long" / "result.json"));
    const Process& resumed = run(arguments);
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.out, HasSubstr("- gone on with\n"));
}

/// What needs the pack that comes with the text plugin.
class CliYelp : public Cli {
protected:
    void SetUp() override {
        if (!fs::exists(WHYNOT_BUILT_PACKS "/yelp/pack.json")) GTEST_SKIP() << "there is no pack in " WHYNOT_BUILT_PACKS "/yelp yet";
        environment_ = {"XDG_CACHE_HOME=" + (folder_ / "cache").string()};  // the build tree finds its own
    }
};

TEST_F(CliYelp, ExplainsASentence) {
    const Process& process = run({"explain", "the food was gross .", "--json"});
    ASSERT_EQ(process.code, 0) << process.err;
    const whynot::Explanation record = whynot::explanation_from_json(process.out.substr(0, process.out.find('\n')));
    EXPECT_EQ(record.question.fact, "negative");
    EXPECT_EQ(record.question.foil, "positive");
    ASSERT_EQ(record.probabilities.answer.size(), 2u);
    EXPECT_GT(
        record.probabilities.answer[1].first == "positive" ? record.probabilities.answer[1].second : record.probabilities.answer[0].second,
        0.5);
    EXPECT_EQ(run({"explain", "the food was gross .", "--foil", "negative"}).code, 3) << "it is that already";
}

TEST_F(CliYelp, GivesSeveralAnswersAndKeepsWords) {
    const json record = json::parse(
        run({"explain", "the food was gross and the staff rude .", "--answers", "3", "--keep", "food", "--keep", "the staff", "--json"})
            .out);
    EXPECT_EQ(record.at("solver").at("options"), (json{{"answers", 3}, {"keep", {"food", "the staff"}}}));
    EXPECT_LE(record.at("text").at("further").size(), 2u);
    for (const json& edit : record.at("text").at("edits")) EXPECT_THAT(edit.at("from"), Not(AnyOf("food", "the", "staff")));
    // A stream takes the same options, and those that only one of the packs knows that it might need.
    EXPECT_EQ(run({"explain", "--lines", "--decode", "audit", "--foil", "positive"}, "the food was gross .\n").code, 0);
    EXPECT_EQ(run({"explain", "--lines", "--foil", "postive"}, "the food was gross .\n").code, 2) << "none of them knows it";
    const json streamed = json::parse(run({"explain", "--lines", "--keep", "gross"}, "the food was gross .\n").out);
    for (const json& edit : streamed.at("text").at("edits")) EXPECT_NE(edit.at("from"), "gross");
}

TEST_F(CliYelp, ClassifiesLines) {
    const std::vector<json> records = lines(run({"classify", "-", "--json"}, "the food was gross .\r\nthe food was great .\r\n").out);
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].at("class"), "negative");
    EXPECT_EQ(records[1].at("class"), "positive");
}

TEST_F(CliYelp, ServesAHostProgramOfTenLines) {
    Process process(WHYNOT_EXAMPLE, {"the food was gross ."}, environment_);
    process.finish();
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_THAT(process.out, AllOf(HasSubstr("negative"), HasSubstr("positive")));
}

}  // namespace
