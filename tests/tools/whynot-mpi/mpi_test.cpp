// whynot-mpi: the stream over several ranks says what the filter alone says, and survives the loss of an explainer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tools/whynot/fixture.h"

namespace {

#ifdef __SANITIZE_ADDRESS__
// OpenMPI's modules are unloaded when leaks are looked for: what they have kept has no name that could be left out.
[[maybe_unused]] const int without_leaks = setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
#endif

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using whynot::test::Arguments;
using whynot::test::Cli;
using whynot::test::json;
using whynot::test::Process;
namespace fs = whynot::test::fs;

class Mpi : public Cli {
protected:
    void SetUp() override {
        if (std::string(WHYNOT_MPI_PROGRAM).empty()) GTEST_SKIP() << "whynot-mpi is not built: CMake found no MPI (libopenmpi-dev)";
        if (mpirun_.empty()) GTEST_SKIP() << "there is no mpirun (openmpi-bin)";
    }

    static std::string find_mpirun() {
        std::istringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
        for (std::string folder; std::getline(folders, folder, ':');)
            if (fs::exists(fs::path(folder) / "mpirun")) return fs::path(folder) / "mpirun";
        return "";
    }

    Arguments command(int ranks, const Arguments& options) const {
        Arguments all{"--allow-run-as-root", "--oversubscribe", "-n", std::to_string(ranks), WHYNOT_MPI_PROGRAM, "--pack", pack_};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    Process& run_ranks(int ranks, const Arguments& options, const std::string& questions) {
        process_ = std::make_unique<Process>(mpirun_, command(ranks, options), environment_);
        process_->finish(questions);
        return *process_;
    }

    /// What the filter alone answers.
    std::vector<json> alone(Arguments options, const std::string& questions) {
        options.insert(options.begin(), {"explain", "--pack", pack_});
        return timeless(run(options, questions).out);
    }

    /// The ith of many points: "1.0001 0", "1.0002 0", ...
    static std::string point(size_t i) { return "1." + std::to_string(10000 + i).substr(1) + " 0"; }

    static std::string sentences(size_t count) {
        std::string text;
        for (size_t i = 1; i <= count; ++i) text += point(i) + '\n';
        return text;
    }

    /// Points whose last digits tell which of them shared a batch.
    static std::string far_away(int count) {
        std::string text;
        for (int i = 1; i <= count; ++i) text += std::to_string(i) + " 0\n";
        return text;
    }

    /// The explainers that answer with our pack.
    std::vector<pid_t> explainers() const {
        std::vector<pid_t> found;
        for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
            const std::string name = entry.path().filename();
            if (name.find_first_not_of("0123456789") != std::string::npos) continue;
            const std::string line = content_of(entry.path() / "cmdline");  // arguments end with zeros
            if (line.find(std::string("whynot\0explain\0", 15)) != std::string::npos && line.find(pack_.string()) != std::string::npos)
                found.push_back(std::stoi(name));
        }
        return found;
    }

    const std::string mpirun_ = find_mpirun();
    const fs::path answers_ = folder_ / "answers.jsonl";
};

TEST_F(Mpi, SaysWhatTheFilterSays) {
    const std::string questions = sentences(300) + "rubbish\n\n1 \xff\n" + std::string((size_t(1) << 24) + 100000, '1') + "\n7 0\r\r\n-1 0";
    const std::vector<json> expected = alone({"--lines", "--seed", "7"}, questions);
    ASSERT_EQ(expected.size(), 306u);
    for (const int ranks : {1, 3}) {
        const Process& process = run_ranks(ranks, {"--lines", "--seed", "7"}, questions);
        EXPECT_EQ(process.code, 3) << process.err;
        SCOPED_TRACE(std::to_string(ranks) + " ranks");
        expect_same(timeless(process.out), expected);
    }
    const Process& process = run_ranks(2, {"--lines"}, sentences(10));
    EXPECT_EQ(process.code, 0);
    EXPECT_EQ(process.err, "");
    EXPECT_EQ(run_ranks(2, {"--lines"}, "").code, 0);
}

TEST_F(Mpi, ReadsAllForms) {
    const std::string objects = R"({"input": "1 0", "foil": "left", "id": "a"}
no JSON
{"input": "2 0", "foil": "bottom"}

{"input": "3 0"})";
    std::string file = "id,point,foil\na,\"1\n0\",left\n\nb,\"2 \"\"0\",top\nc,1 0\n";
    for (size_t i = 1; i <= 200; ++i) file += ',' + point(i) + ",\r\n";
    for (const auto& [options, questions] : {std::pair<Arguments, std::string>{{"--jsonl"}, objects},
                                             {{"--jsonl", "--foil=left", "--starts", "2"}, objects},
                                             {{"--csv", "point"}, file}}) {
        const std::vector<json> expected = alone(options, questions);
        EXPECT_GT(expected.size(), 4u);
        SCOPED_TRACE(questions);
        expect_same(timeless(run_ranks(2, options, questions).out), expected);
    }
}

TEST_F(Mpi, AnswersWhileQuestionsAreStillToCome) {
    Process process(mpirun_, command(2, {"--lines"}), environment_);
    for (const char* input : {"1 0", "2 0", "3 0"}) {
        process.write(std::string(input) + '\n');
        EXPECT_EQ(json::parse(process.read_line()).at("question").at("input"), input);
    }
    process.finish();
    EXPECT_EQ(process.code, 0);
}

TEST_F(Mpi, WaitsForWholeBatches) {
    const std::string questions = far_away(100);
    Process process(mpirun_, command(2, {"--lines", "--whole-batches"}), environment_);
    process.write_slowly(questions, 17);
    process.finish();
    EXPECT_EQ(process.code, 0) << process.err;
    expect_same(timeless(process.out), alone({"--lines"}, questions));
}

TEST_F(Mpi, SaysWhatTheFilterSaysToTheByteWithoutTimes) {
    const std::string questions = far_away(150) + "rubbish\n";
    const Arguments options{"--lines", "--whole-batches", "--no-times"};
    Arguments filter{"explain", "--pack", pack_, "--threads", "1"};
    filter.insert(filter.end(), options.begin(), options.end());
    const std::string expected = run(filter, questions).out;
    EXPECT_EQ(lines(expected).size(), 151u);
    EXPECT_EQ(run_ranks(2, options, questions).out, expected);
}

TEST_F(Mpi, GoesOnWhereItWasCutOff) {
    const std::string questions = far_away(200);
    const Arguments options{"--lines", "--resume", answers_};
    ASSERT_EQ(run_ranks(2, options, questions).code, 3);
    const std::string answers = content_of(answers_);
    expect_same(timeless(answers), alone({"--lines"}, questions));
    for (const size_t cut : {answers.size() / 2, answers.size()}) {
        std::ofstream(answers_, std::ios::binary) << answers.substr(0, cut);
        const Process& rest = run_ranks(2, options, questions);
        EXPECT_EQ(rest.code, 3);
        EXPECT_EQ(timeless(content_of(answers_)), timeless(answers)) << "cut at " << cut;
    }
    const Process& other = run_ranks(2, options, "5 5\n");
    EXPECT_EQ(other.code, 1);
    EXPECT_THAT(other.err, HasSubstr("these are not the answers to these questions"));
    EXPECT_EQ(content_of(answers_), answers);
}

TEST_F(Mpi, SurvivesTheLossOfAnExplainer) {
    const std::string questions = sentences(2000);
    for (const int ranks : {2, 3}) {
        Process process(mpirun_, command(ranks, {"--lines", "--starts", "20"}), environment_);
        std::string all;
        std::thread writer([&] { process.write(questions); });
        all = process.read_line() + '\n';
        std::vector<pid_t> running = explainers();
        // Each starts with the first questions that its rank is given, and all have some long before 2,000 are answered.
        for (int i = 0; i < 1000 && running.size() < static_cast<size_t>(ranks); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            running = explainers();
        }
        EXPECT_EQ(running.size(), static_cast<size_t>(ranks));
        for (size_t i = 1; i < running.size(); ++i) kill(running[i], SIGKILL);
        writer.join();
        process.finish();
        all += process.out;
        EXPECT_EQ(process.code, 0);
        EXPECT_THAT(process.err, AllOf(HasSubstr("the explainer of rank"), HasSubstr("ended (signal 9); others answer the")));
        const std::vector<json> records = lines(all);
        ASSERT_EQ(records.size(), 2000u);
        for (size_t i = 0; i < records.size(); ++i) {
            EXPECT_EQ(records[i].at("question").at("input"), point(i + 1));
            EXPECT_EQ(records[i].at("status"), "found");
        }
    }
}

TEST_F(Mpi, SaysSoWhenNoExplainerIsLeft) {
    Process process(mpirun_, command(2, {"--lines", "--starts", "20", "--resume", answers_}), environment_);
    std::thread writer([&] { process.write(sentences(2000)); });
    for (int i = 0; i < 3000 && content_of(answers_).empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const pid_t explainer : explainers()) kill(explainer, SIGKILL);
    writer.join();
    process.finish();
    EXPECT_EQ(process.code, 1);
    EXPECT_THAT(process.err, AllOf(HasSubstr("no explainer is left; "), HasSubstr("--resume goes on from there")));
    EXPECT_EQ(run_ranks(2, {"--lines", "--starts", "20", "--resume", answers_}, sentences(2000)).code, 0);
    EXPECT_EQ(lines(content_of(answers_)).size(), 2000u);
}

TEST_F(Mpi, IsARankOfItsOwnWithoutMpirun) {
    const auto expect_refused = [this](Arguments options, const std::string& message) {
        options.insert(options.begin(), {"--pack", pack_});
        Process process(WHYNOT_MPI_PROGRAM, options, environment_);
        process.finish("1 0\n");
        EXPECT_EQ(process.code, 2) << message;
        EXPECT_THAT(process.err, HasSubstr(message));
    };
    expect_refused({"--lines", "--jsonl"}, "expected one of --jsonl, --csv COLUMN and --lines");
    expect_refused({"--lines", "--run-deadline=5"}, "let your batch system end the run, and go on with --resume");
    expect_refused({"--lines", "--run-evaluations", "5"}, "use --max-evaluations");
    expect_refused({"--lines", "--frobnicate"}, "--frobnicate");
    expect_refused({"--lines", "--foil", "bottom"}, "no class of the pack 'points'");
    expect_refused({"--lines", "1 0"}, "comes from standard input alone");
    Process process(WHYNOT_MPI_PROGRAM, {"--pack", pack_, "--lines"}, environment_);
    process.finish("1 0\n2 0\n");
    EXPECT_EQ(process.code, 0) << process.err;
    EXPECT_EQ(lines(process.out).size(), 2u);
}

/// With a plugin that crashes over a long input.
TEST_F(Mpi, RefusesAQuestionThatEndsExplainers) {
    environment_.push_back("WHYNOT_PLUGIN_PATH=" + fs::path(WHYNOT_FAULTY_PLUGIN).parent_path().string());
    whynot::PackWriter writer(pack_ = folder_ / "packs" / "faulty");
    writer.add("words.txt", "four");
    whynot::PackManifest manifest;
    manifest.id = manifest.modality = manifest.plugin_id = "faulty";
    manifest.version = "bad-input-crashes";
    manifest.plugin_version = "1.0.0";
    manifest.classes = {"left", "right", "top"};
    manifest.licence = "MIT";
    writer.finish(manifest);

    const std::string bad(20000, 'x');
    const Process& process = run_ranks(3, {"--lines"}, "1 0\n2 0\n" + bad + "\n3 0\n");
    EXPECT_EQ(process.code, 3);
    EXPECT_THAT(process.err, HasSubstr("question 3: two explainers ended over this question, the second by itself (signal 6)"));
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 4u);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(records[i].at("status"), i == 2 ? "refused" : "found") << i;
    EXPECT_EQ(records[2].at("question").at("input"), bad);
    EXPECT_THAT(records[2].at("reason").get<std::string>(), HasSubstr("two explainers ended over this question"));
}

TEST_F(Mpi, WritesNoDocumentOfAnUnknownForm) {
    Process process(WHYNOT_MPI_PROGRAM, {"documentation", "roff"}, environment_);
    process.finish("");
    EXPECT_EQ(process.code, 2);
    EXPECT_EQ(process.out, "");
    EXPECT_THAT(process.err, HasSubstr("expected markdown or man or bash or zsh or fish, found 'roff'"));
}

TEST_F(Mpi, RefusesWrongUsage) {
    const auto expect_refused = [this](const Arguments& options, const std::string& message) {
        SCOPED_TRACE(testing::PrintToString(options));
        const Process& process = run_ranks(2, options, "1 0\n");
        EXPECT_EQ(process.code, 2);
        EXPECT_EQ(process.out, "");
        const size_t first = process.err.find(message);
        EXPECT_NE(first, std::string::npos) << process.err;
        EXPECT_EQ(process.err.find(message, first + 1), std::string::npos) << "it is said once";
    };
    expect_refused({}, "expected one of --jsonl, --csv COLUMN and --lines");
    expect_refused({"--lines", "--shard", "1/2"}, "the ranks share out the questions themselves");
    expect_refused({"--lines", "--foil", "all"}, "in a stream each line asks about one foil");
    const Process& help = run_ranks(2, {"--help"}, "");
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr("--resume"), HasSubstr("mpirun -n 4 whynot-mpi")));
}

}  // namespace
