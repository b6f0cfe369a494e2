// The experiments on text from end to end, on a toy language: what they write, that they go on, what they refuse.

#include "text/experiments/experiments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "plugins/text/experiments/toy_yelp.h"
#include "support/points_pack.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using whynot::test::Process;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

/// A corpus and, where it is asked for, a pack trained on it in haste.
class ToyYelp : public ::testing::Test {
protected:
    ToyYelp() { toy::write_yelp(folder / "corpora", 160); }

    void train() const {
        toy::write_yelp(folder / "training", 300, 20);
        toy::train_yelp(folder / "training", folder / "plain",
                        {{"classifier", {{"epochs", 20}}}, {"autoencoder", {{"epochs", 4}}}, {"masked_model", {{"epochs", 2}}}});
    }

    /// With the program, and with nothing in the environment but what it must have.
    Json run(const std::string& name, const fs::path& out, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"-i",
                                           "OMP_NUM_THREADS=1",
                                           "LSAN_OPTIONS=" + std::string(std::getenv("LSAN_OPTIONS") ? std::getenv("LSAN_OPTIONS") : ""),
                                           "WHYNOT_CORPORA=" + (folder / "corpora").string(),
                                           WHYNOT_PROGRAM,
                                           "experiment",
                                           "run",
                                           name,
                                           "--out",
                                           out,
                                           "--quick",
                                           "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        Process process("/usr/bin/env", arguments);
        process.finish();
        EXPECT_EQ(process.code, 0) << process.err;
        log.clear();
        std::istringstream lines(process.err);
        for (std::string line; std::getline(lines, line);) log.push_back(line);
        return Json::parse(process.out, nullptr, false);
    }

    /// Within this process.
    Json run_here(const std::string& name, const fs::path& out, const std::function<bool()>& cancelled = {}) {
        ExperimentRequest request;
        request.name = name;
        request.corpora = folder / "corpora";
        request.out = out;
        request.pack = (folder / "plain").string();
        request.quick = true;
        fs::create_directories(out);
        Observer observer;
        observer.cancelled = cancelled;
        observer.log = [this](const std::string& line) { log.push_back(line); };
        log.clear();
        return Json::parse(TextExperiments().run(request, observer));
    }

    static std::map<std::string, std::string> files(const fs::path& out) {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(out))
            if (entry.is_regular_file()) all[fs::relative(entry.path(), out).string()] = contents(entry.path());
        return all;
    }

    /// Result and page in the folder are of `result`, and each picture is one and stands on the page.
    static void expect_written(const Json& result, const fs::path& out) {
        EXPECT_EQ(Json::parse(contents(out / "result.json")), result);
        const std::string page = contents(out / "README.md");
        EXPECT_THAT(page, StartsWith("# " + result["title"].get<std::string>() + "\n"));
        for (const Json& table : result["tables"]) {
            EXPECT_THAT(page, HasSubstr("\n## " + table["title"].get<std::string>().substr(0, 20)));
            EXPECT_FALSE(table["rows"].empty()) << table["title"];
        }
        for (const Json& picture : result["pictures"]) {
            const std::string file = picture["file"];
            EXPECT_THAT(page, HasSubstr("](" + file + ")"));
            EXPECT_THAT(contents(out / file), StartsWith("\x89PNG")) << file;
        }
        for (const Json& figure : result["figures"]) {
            if (figure["value"].is_null()) {
                EXPECT_NE(figure["note"], "") << figure << ": why it could not be measured";
            } else if (figure["unit"] == "share") {
                EXPECT_GE(figure["value"], 0) << figure;
                EXPECT_LE(figure["value"], 1) << figure;
            }
        }
    }

    /// The same command once more does nothing again and writes the same bytes.
    void expect_kept(const std::string& name, const fs::path& out, const std::vector<std::string>& more = {}) {
        const auto before = files(out);
        size_t steps = 0;
        for (const auto& [file, bytes] : before) steps += file.compare(0, 6, "steps/") == 0;
        EXPECT_GT(steps, 0u);
        run(name, out, more);
        EXPECT_THAT(log, Each(HasSubstr(": measured by an earlier run")));
        EXPECT_EQ(log.size(), steps);
        const auto after = files(out);
        for (const auto& [file, bytes] : before) EXPECT_TRUE(after.count(file) && after.at(file) == bytes) << file;
        EXPECT_EQ(after.size(), before.size());
    }

    static Json figure(const Json& result, const std::string& name) {
        for (const Json& one : result["figures"])
            if (one["name"] == name) return one;
        ADD_FAILURE() << "there is no figure '" << name << "'";
        return {};
    }

    TemporaryFolder folder;
    std::vector<std::string> log;
};

TEST_F(ToyYelp, WordImages) {
    train();
    const std::vector<std::string> pack{"--pack", folder / "plain"};
    const fs::path out = folder / "out";
    const Json result = run("text/word-images", out, pack);
    expect_written(result, out);
    EXPECT_EQ(result["pictures"].size(), 4u) << "two of each class";
    ASSERT_EQ(result["tables"].size(), 1u);
    EXPECT_EQ(result["tables"][0]["rows"].size(), 4u);
    const auto held_out = static_cast<int64_t>(read_corpus(folder / "corpora", "yelp").held_out.size());
    EXPECT_EQ(figure(result, "accuracy, filters 3 words wide")["n"], held_out);
    EXPECT_GT(figure(result, "accuracy, sum of word embeddings")["value"], 0.9);
    EXPECT_GE(figure(result, "share of the largest class")["value"], 0.5);
    EXPECT_EQ(result["settings"]["training_sentences"], read_corpus(folder / "corpora", "yelp").train.size());
    expect_kept("text/word-images", out, pack);

    // Another seed trains anew, and what does not depend on it is of another run all the same.
    std::vector<std::string> other = pack;
    other.insert(other.end(), {"--seed", "2"});
    const Json again = run("text/word-images", out, other);
    EXPECT_THAT(log, Each(Not(HasSubstr("earlier run"))));
    EXPECT_NE(again["tables"], result["tables"]);
}

TEST_F(ToyYelp, WordImagesStoppedInTheMiddleOfATraining) {
    train();
    EXPECT_THAT(message_of(ErrorCode::cancelled,
                           [&] { run_here("text/word-images", folder / "stopped", [polls = 0]() mutable { return ++polls > 5; }); }),
                HasSubstr("goes on"));
    EXPECT_TRUE(fs::exists(folder / "stopped/steps/filters-3.safetensors"));
    const Json resumed = run_here("text/word-images", folder / "stopped"), whole = run_here("text/word-images", folder / "whole");
    EXPECT_EQ(resumed, whole);
    EXPECT_EQ(files(folder / "stopped"), files(folder / "whole")) << "nothing of the training is left";
}

TEST_F(ToyYelp, Yelp) {
    train();
    const std::vector<std::string> pack{"--pack", folder / "plain"};
    const fs::path out = folder / "out";
    const Json result = run("text/yelp", out, pack);
    expect_written(result, out);
    ASSERT_EQ(result["tables"].size(), 1u);
    const Json& table = result["tables"][0];
    EXPECT_EQ(table["rows"].size(), 20u) << "the first of the sample, none left out";
    EXPECT_EQ(result["settings"]["sentences"], 24);
    EXPECT_GT(figure(result, "classifier: accuracy on held-out sentences")["value"], 0.9);
    EXPECT_EQ(figure(result, "sentences changed, edited decoding")["n"], 24);
    // What the table says of an edited sentence is what the figures say of all.
    EXPECT_EQ(figure(result, "called the other class, asked afresh, edited decoding")["value"], 1);
    for (const Json& row : table["rows"]) {
        EXPECT_NE(row[5], row[1]);
        EXPECT_LT(row[6], 0.5) << row;
    }
    expect_kept("text/yelp", out, pack);
}

TEST_F(ToyYelp, YelpStoppedBetweenTwoSteps) {
    train();
    const fs::path first = folder / "stopped/steps/sentences-1-20.json";
    EXPECT_THAT(message_of(ErrorCode::cancelled, [&] { run_here("text/yelp", folder / "stopped", [&] { return fs::exists(first); }); }),
                HasSubstr("before sentences-21-24"));
    const auto written = fs::last_write_time(first);
    const Json resumed = run_here("text/yelp", folder / "stopped");
    EXPECT_THAT(log, ElementsAre("sentences-1-20: measured by an earlier run"));
    EXPECT_EQ(fs::last_write_time(first), written);
    EXPECT_EQ(resumed, run_here("text/yelp", folder / "whole"));
    EXPECT_EQ(files(folder / "stopped"), files(folder / "whole"));
}

TEST_F(ToyYelp, Peers) {
    train();
    toy::write_human(folder / "corpora", 30);
    const std::vector<std::string> pack{"--pack", folder / "plain"};
    const fs::path out = folder / "out";
    const Json result = run("text/peers", out, pack);
    expect_written(result, out);
    ASSERT_EQ(result["tables"].size(), 4u);
    EXPECT_EQ(figure(result, "yelp-human: answers called the other class, asked afresh")["value"], 1);
    const Json& rows = result["tables"][0]["rows"];
    const Json &ours = rows[0], &people = rows[1], &least = rows[2], &removal = rows[3];
    EXPECT_EQ(ours[0], "whynot, measured here");
    EXPECT_EQ(people[1].get<int64_t>(), 4 * ours[1].get<int64_t>()) << "each of the four";
    EXPECT_NEAR(people[2].get<double>(), 0.75, 0.05) << "the third says what stood there";
    EXPECT_EQ(least[2], 0) << "and changes least";
    EXPECT_EQ(least[3], nullptr) << "nothing flips: no edits to count";
    EXPECT_EQ(removal[1], ours[1]);
    EXPECT_EQ(rows[4][1], 1000) << "published";
    for (const Json& row : result["tables"][1]["rows"]) EXPECT_GE(row[2], 0.5) << row;
    expect_kept("text/peers", out, pack);
}

TEST_F(ToyYelp, BiasedYelp) {
    const fs::path out = folder / "out";
    const Json result = run("text/biased-yelp", out);  // with the packs that ship
    expect_written(result, out);
    ASSERT_EQ(result["tables"].size(), 3u);
    EXPECT_EQ(result["tables"][0]["rows"].size(), 6u) << "the explanation and five other methods";
    EXPECT_EQ(result["tables"][1]["rows"].size(), 2u);
    EXPECT_EQ(result["tables"][1]["rows"][1][0], "it was very gross .");
    EXPECT_EQ(result["tables"][2]["rows"].size(), std::min<size_t>(20, result["settings"]["sentences"]));
    for (const Json& row : result["tables"][2]["rows"]) EXPECT_THAT(row[0].get<std::string>(), HasSubstr(" very "));
    EXPECT_EQ(result["settings"]["pack"]["id"], "yelp-very");
    EXPECT_EQ(result["settings"]["control"]["id"], "yelp-sum");
    EXPECT_GT(figure(result, "why not negative? \"very\" changed, decoding audit")["value"], 0.9);
    expect_kept("text/biased-yelp", out);
}

TEST_F(ToyYelp, RefusesWhatIsMissingOrDoesNotFitWithWhatToDo) {
    toy::write_human(folder / "corpora", 4);
    for (const char* name : {"text/word-images", "text/yelp", "text/biased-yelp", "text/biased-yelp/remake", "text/peers"}) {
        ExperimentRequest request;
        request.name = name;
        request.out = folder / "out";
        const auto refused = [&](ErrorCode code) { return message_of(code, [&] { TextExperiments().run(request, {}); }); };
        EXPECT_THAT(refused(ErrorCode::not_found), AllOf(HasSubstr("set WHYNOT_CORPORA"), HasSubstr("yelp")));
        request.corpora = folder / "nowhere";
        EXPECT_THAT(refused(ErrorCode::not_found), AllOf(HasSubstr((folder / "nowhere").string()), HasSubstr("set WHYNOT_CORPORA")));
        fs::create_directories(folder / "empty");
        request.corpora = folder / "empty";
        EXPECT_THAT(refused(ErrorCode::not_found), AllOf(HasSubstr((folder / "empty").string()), HasSubstr("whynot corpus fetch")));

        request.corpora = folder / "corpora";
        request.pack = "yelp-vary";
        EXPECT_THAT(refused(ErrorCode::not_found), HasSubstr("there is no pack 'yelp-vary'"));
        test::write_points_pack(folder / name / "points");
        request.pack = (folder / name / "points").string();
        EXPECT_THAT(refused(ErrorCode::invalid_argument), AllOf(HasSubstr("'points' explains points, not sentences"),
                                                                HasSubstr("choose a pack of text with the classes negative, positive")));
        test::write_points_pack(folder / name / "stars", [](PackManifest& manifest) {
            manifest.id = "stars";
            manifest.modality = "text";
        });
        request.pack = (folder / name / "stars").string();
        EXPECT_THAT(refused(ErrorCode::invalid_argument), AllOf(HasSubstr("'stars' has the classes left, right, top"),
                                                                HasSubstr("choose a pack of text with the classes negative, positive")));
        EXPECT_FALSE(fs::exists(folder / "out"));
    }
    ExperimentRequest unknown;
    unknown.name = "text/yepl";
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { TextExperiments().run(unknown, {}); }), HasSubstr("'text/yepl'"));
}

}  // namespace
