// `whynot explain --jsonl`, `--csv` and `--lines`: thousands of questions through one program, and what becomes of them when it is cut off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <tuple>

#include "tools/whynot/fixture.h"

namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using whynot::test::Arguments;
using whynot::test::Cli;
using whynot::test::json;
using whynot::test::Process;
namespace fs = whynot::test::fs;

constexpr size_t whole_batches = 200;  // questions: several batches of 64, and a part of one

class CliStream : public Cli {
protected:
    Arguments command(const Arguments& more) const {
        Arguments all{"explain", "--pack", "points"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    Process& stream(const Arguments& more, const std::string& questions) { return run(command(more), questions); }

    /// The ith of many points: "1.0001 0", "1.0002 0", ...
    static std::string point(size_t i) { return "1." + std::to_string(10000 + i).substr(1) + " 0"; }

    static std::string sentences(size_t count) {
        std::string text;
        for (size_t i = 1; i <= count; ++i) text += point(i) + '\n';
        return text;
    }

    static std::vector<std::string> each(const std::vector<json>& records, const std::function<json(const json&)>& of) {
        std::vector<std::string> values;
        for (const json& record : records) {
            const json value = of(record);
            values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
        }
        return values;
    }
    static std::vector<std::string> inputs(const std::vector<json>& records) {
        return each(records, [](const json& record) { return record.at("question").at("input"); });
    }
    static std::vector<std::string> statuses(const std::vector<json>& records) {
        return each(records, [](const json& record) { return record.at("status"); });
    }
    static std::vector<std::string> classes(const std::vector<json>& records) {
        return each(records, [](const json& record) {
            return record.at("question").at("fact").get<std::string>() + " not " + record.at("question").at("foil").get<std::string>();
        });
    }

    const fs::path answers_ = folder_ / "answers.jsonl";

    void keep(const std::string& text) const { std::ofstream(answers_, std::ios::binary) << text; }

    /// Waits until there is something in the file of answers.
    void await_answers(size_t bytes = 1) const {
        for (int i = 0; i < 3000; ++i) {
            std::error_code error;
            if (fs::file_size(answers_, error) >= bytes && !error) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        FAIL() << "no answers came";
    }
};

TEST_F(CliStream, AnswersEachLineInOrder) {
    const Process& process = stream({"--lines"}, sentences(whole_batches));
    EXPECT_EQ(process.code, 0);
    EXPECT_EQ(process.err, "");
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), whole_batches);
    for (size_t i = 0; i < whole_batches; ++i) EXPECT_EQ(records[i].at("question").at("input"), point(i + 1));
    EXPECT_EQ(process.out.back(), '\n');
}

TEST_F(CliStream, AnswersManyLinesAsOneByOne) {
    const std::vector<std::string> questions{R"({"input": "1 0"})", R"({"input": "-1 0.5", "foil": "right"})", R"({"input": "rubbish"})",
                                             R"({"input": "1 0.25", "fact": "right", "foil": "left", "id": "mine"})", R"({"oops": 1})"};
    std::string together;
    for (const std::string& question : questions) together += question + '\n';
    const std::vector<json> records = timeless(stream({"--jsonl"}, together).out);
    ASSERT_EQ(records.size(), questions.size());
    for (size_t i = 0; i < questions.size(); ++i)
        EXPECT_EQ(timeless(stream({"--jsonl"}, questions[i]).out), std::vector<json>{records[i]}) << "a last line needs no end";

    json single = timeless(run({"explain", "--pack", "points", "--json", "1 0"}).out).at(0);
    EXPECT_EQ(single, records[0]) << "as the command does for an input";
    EXPECT_EQ(records[3].at("id"), "mine");
}

TEST_F(CliStream, RefusesABadLineAndGoesOn) {
    const std::string good = R"({"input": "1 0"})";
    const std::vector<std::pair<std::string, std::string>> bad{
        {"no JSON", "is not valid JSON"},
        {R"(["1 0"])", "found an array"},
        {"", "is not valid JSON"},
        {R"({"inputs": "1 0"})", "found 'inputs'"},
        {R"({"id": "7"})", "expected one of input, image_path and image_base64, found none"},
        {R"({"input": "1 0", "image_path": "x.png"})", "found input and image_path"},
        {R"({"input": ["1 0"]})", "expected 'input' to be a text, found an array"},
        {R"({"input": "1 0", "foil": true})", "expected 'foil' to be a text, found a boolean"},
        {R"({"input": "1 0", "foil": "bottom"})", "'bottom' is no class of the pack 'points'; it has left, right, top"},
        {R"({"input": "1 0", "fact": "bottom"})", "'bottom' is no class"},
        {R"({"input": "1 0", "fact": "left", "foil": "left"})", "the same class"},
        {R"({"image_base64": "!!!!"})", "expected 'image_base64' to be base64"},
        {R"({"image_base64": "MSAw"})", "explains points, and this is an image"},
        {"{\"input\": \"1 \xff\"}", "UTF-8"},
        {std::string("{\"input\": \"1 0\0\"}", 17), "is not valid JSON"},
        {R"({"input": ")" + std::string((size_t(1) << 24) + 10, 'x') + "\"}", "longer than 16 MB"},
    };
    std::string questions = good + '\n';
    for (const auto& each : bad) questions += each.first + '\n' + good + '\n';
    const Process& process = stream({"--jsonl"}, questions);
    EXPECT_EQ(process.code, 3);
    EXPECT_EQ(process.err, "");
    EXPECT_LT(process.out.size(), 100000u) << "a long line is not repeated";
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 2 * bad.size() + 1);
    for (size_t i = 0; i < bad.size(); ++i) {
        const json& record = records[2 * i + 1];
        EXPECT_EQ(record.at("status"), "refused") << bad[i].first.substr(0, 200);
        EXPECT_THAT(record.at("reason").get<std::string>(), HasSubstr(bad[i].second));
        EXPECT_EQ(records[2 * i].at("status"), "found");
    }
    EXPECT_EQ(records.back().at("status"), "found");
}

TEST_F(CliStream, AnswersWhileQuestionsAreStillToCome) {
    for (const char* form : {"--jsonl", "--lines", "--csv"}) {
        Arguments arguments = command({form});
        if (std::string(form) == "--csv") arguments.emplace_back("point");
        Process process(WHYNOT_PROGRAM, arguments, environment_);
        if (std::string(form) == "--csv") process.write("point\n");
        for (const char* input : {"1 0", "2 0"}) {
            process.write(std::string(form) == "--jsonl" ? R"({"input": ")" + std::string(input) + "\"}\n" : std::string(input) + '\n');
            EXPECT_EQ(json::parse(process.read_line()).at("question").at("input"), input) << form;  // while the pipe stays open
        }
        process.finish();
        EXPECT_EQ(process.code, 0);
    }
}

TEST_F(CliStream, AnswersABatchBeforeTheNextOnesHaveCome) {
    Process process(WHYNOT_PROGRAM, command({"--lines"}), environment_);
    process.write(sentences(100));
    for (size_t i = 1; i <= 100; ++i) EXPECT_EQ(json::parse(process.read_line()).at("question").at("input"), point(i));
    process.finish();
    EXPECT_EQ(process.code, 0);
}

TEST_F(CliStream, ReadsSentencesAsTheyAre) {
    const std::vector<json> records = lines(stream({"--lines"},
                                                   "\xef\xbb\xbf"
                                                   "1 0\r\n{\"input\": \"1 0\"}\n\n-1 0\n1 \xff\n2 0")
                                                .out);
    EXPECT_THAT(inputs(records), ElementsAre("1 0", R"({"input": "1 0"})", "", "-1 0", "1 \\xff", "2 0"));
    EXPECT_THAT(statuses(records), ElementsAre("found", "refused", "refused", "found", "refused", "found"));
    const Process& nothing = stream({"--lines"}, "");
    EXPECT_EQ(nothing.code, 0) << "no questions, nothing to answer";
    EXPECT_EQ(nothing.out, "");
}

TEST_F(CliStream, ReadsCsvFiles) {
    const std::string file =
        "id,\"the point\",foil,note\r\n"
        "a,1 0,left,\"a comma, and \"\"quotes\"\"\"\n"
        "b,\"1\n0.25\",,\"two\nlines\"\n"
        "\n"
        "c,-1 0,top,x\n"
        "d,1 0\n"
        "e,1 0,left,x,too many\n"
        ",2 0,,";
    const Process& process = stream({"--csv", "the point"}, file);
    EXPECT_EQ(process.code, 3);
    const std::vector<json> records = lines(process.out);
    EXPECT_THAT(inputs(records), ElementsAre("1 0", "1\n0.25", "-1 0", "1 0", "1 0", "2 0"));
    EXPECT_THAT(statuses(records), ElementsAre("found", "found", "found", "refused", "refused", "found"));
    ASSERT_EQ(records.size(), 6u);
    EXPECT_EQ(records[0].at("id"), "a");
    EXPECT_EQ(records[0].at("question").at("foil"), "left");
    EXPECT_EQ(records[1].at("question").at("foil"), "top") << "the runner-up, where none is named";
    EXPECT_THAT(records[3].at("reason").get<std::string>(), HasSubstr("expected 4 fields, as the heading has, found 2"));
    EXPECT_THAT(records[4].at("reason").get<std::string>(), HasSubstr("found 5"));
}

TEST_F(CliStream, RefusesCsvFilesThatAreNone) {
    const Process& without = stream({"--csv", "point"}, "points,foil\n1 0,left\n");
    EXPECT_EQ(without.code, 1);
    EXPECT_EQ(without.out, "");
    EXPECT_EQ(without.err, "whynot: the CSV file has no column 'point'; its first line names points, foil\n");

    const Process& open = stream({"--csv", "point"}, "point\n1 0\n\"2 0\n3 0\n");
    EXPECT_EQ(open.code, 1);
    EXPECT_THAT(open.err, HasSubstr("ends within a field in quotes that begins with '2 0"));
    EXPECT_THAT(inputs(lines(open.out)), ElementsAre("1 0")) << "what was read before is answered";

    EXPECT_EQ(stream({"--csv", "point"}, "").code, 0) << "a shard of a file may be empty";
    EXPECT_EQ(stream({"--csv", "point"}, "point\n").out, "");
}

TEST_F(CliStream, AsksAboutTheClassesOfTheCommandLineWhereALineNamesNone) {
    const std::string questions = R"({"input": "1 0.25"}
{"input": "1 0.25", "foil": "top"}
{"input": "0.1 2", "fact": "top", "foil": null}
)";
    EXPECT_THAT(classes(lines(stream({"--jsonl"}, questions).out)), ElementsAre("right not top", "right not top", "top not right"));
    EXPECT_THAT(classes(lines(stream({"--jsonl", "--foil", "left"}, questions).out)),
                ElementsAre("right not left", "right not top", "top not left"));
    EXPECT_THAT(classes(lines(stream({"--jsonl", "--fact", "right"}, questions).out)),
                ElementsAre("right not top", "right not top", "top not right"));
    EXPECT_THAT(classes(lines(stream({"--csv", "point", "--foil", "left"}, "point,foil\n1 0.25,\n1 0.25,top\n").out)),
                ElementsAre("right not left", "right not top"));
}

TEST_F(CliStream, RefusesWrongUsage) {
    const auto expect_refused = [this](const Arguments& more, const std::string& message) {
        expect_usage_error(command(more), message, "whynot explain");
    };
    expect_refused({"--lines", "--foil", "all"}, "in a stream each line asks about one foil; write a line for each");
    expect_refused({"--lines", "--foil", "bottom"}, "--foil 'bottom': no class of the pack 'points', which has left, right, top");
    expect_refused({"--lines", "--fact", "left", "--foil", "left"}, "--fact and --foil are both 'left'");
    expect_refused({"--lines", "--decode", "sideways"}, "--decode 'sideways'");
    expect_refused({"--lines", "1 0"}, "comes from standard input alone");
    expect_refused({"--lines", "--jsonl"}, "--jsonl");
    expect_refused({"--jsonl", "--csv", "point"}, "--jsonl");
    expect_refused({"--csv", ""}, "expected the heading of a column, found nothing");
    expect_refused({"1 0", "--resume", "x"}, "--resume needs --jsonl, --csv or --lines");
    expect_refused({"1 0", "--shard", "1/2"}, "--shard needs --jsonl, --csv or --lines");
    expect_refused({"--lines", "--resume", ""}, "expected a file, found nothing");
    for (const char* shard : {"0/2", "3/2", "1", "1/", "/2", "1/2x", "-1/2", "a/b", "1/0"})
        expect_refused({"--lines", "--shard", shard}, "expected I/N with I from 1 to N");
    const Process& homeless = run({"explain", "--lines", "--pack", "nowhere"}, "1 0\n");
    EXPECT_EQ(homeless.code, 1);
    EXPECT_THAT(homeless.err, HasSubstr("there is no pack 'nowhere'"));
}

TEST_F(CliStream, SaysTheSameToTheSame) {
    std::string questions = sentences(whole_batches) + "rubbish\n0 0\n";
    const std::vector<json> one = timeless(stream({"--lines", "--threads", "1", "--seed", "7"}, questions).out);
    EXPECT_EQ(one.size(), whole_batches + 2);
    for (const char* threads : {"1", "2", "5"})
        EXPECT_EQ(timeless(stream({"--lines", "--threads", threads, "--seed", "7"}, questions).out), one) << threads;
    EXPECT_EQ(one.at(0).at("solver").at("threads"), 1) << "of one explainer";
    EXPECT_EQ(one.at(0).at("solver").at("seed"), 7);
}

TEST_F(CliStream, DividesQuestionsAmongRuns) {
    // Without numbers: their last digits tell which questions shared a batch.
    const auto id = [](const json& record) { return record.at("id"); };
    const std::vector<std::string> all = each(lines(stream({"--lines"}, sentences(100)).out), id);
    std::vector<std::string> together(all.size());
    for (size_t shard = 0; shard < 3; ++shard) {
        const Process& process = stream({"--lines", "--shard", std::to_string(shard + 1) + "/3"}, sentences(100));
        EXPECT_EQ(process.code, 0);
        const std::vector<std::string> part = each(lines(process.out), id);
        EXPECT_EQ(part.size(), shard == 0 ? 34u : 33u);
        for (size_t i = 0; i < part.size(); ++i) together.at(3 * i + shard) = part[i];
    }
    EXPECT_EQ(together, all);

    // Rows of a CSV file are counted, not its lines.
    EXPECT_THAT(inputs(lines(stream({"--csv", "point", "--shard", "2/2"}, "point\n\"1\n0\"\n2 0\n3 0\n\"4\n0\"").out)),
                ElementsAre("2 0", "4\n0"));
}

TEST_F(CliStream, KeepsToTheBudgetOfAQuestion) {
    const std::tuple<Arguments, std::string, std::string> budgets[] = {
        {{"--lines", "--max-evaluations", "3"}, "best-effort", "the deadline or the evaluation budget ended the search"},
        {{"--lines", "--deadline", "1e-9"}, "refused", "The deadline passed before the input was read."}};
    for (const auto& [arguments, status, reason] : budgets) {
        const Process& process = stream(arguments, "1 0\n2 0\n");
        EXPECT_EQ(process.code, 3) << "cut short, there is no point that the classifier calls the foil";
        const std::vector<json> records = lines(process.out);
        EXPECT_THAT(statuses(records), ElementsAre(status, status));
        for (const json& record : records) EXPECT_THAT(record.at("reason").get<std::string>(), HasSubstr(reason));
    }
}

TEST_F(CliStream, KeepsToTheBudgetOfARun) {
    const std::string exhausted = "the deadline or the evaluations of the whole run were used up before this was asked";
    const Process& late = stream({"--lines", "--run-deadline", "1e-9"}, sentences(100));
    EXPECT_EQ(late.code, 3);
    const std::vector<json> refused = lines(late.out);
    EXPECT_EQ(refused.size(), 100u);
    for (const json& record : refused) {
        EXPECT_EQ(record.at("status"), "refused");
        EXPECT_EQ(record.at("reason"), exhausted);
    }

    // A bad line costs nothing. A batch shares out evenly what is left; what it does not need, later ones may have.
    const std::string questions = sentences(whole_batches) + "rubbish\n";
    const auto cost = [](const std::vector<json>& records) {
        int64_t evaluations = 0;
        for (const json& record : records) evaluations += record.at("cost").at("forward").get<int64_t>();
        return evaluations;
    };
    const std::vector<json> free = lines(stream({"--lines"}, questions).out);
    const int64_t needed = cost(free);
    for (const int64_t budget : {needed / 2, needed / 3}) {
        std::vector<json> first;
        for (const char* threads : {"1", "3"}) {
            const Process& process = stream({"--lines", "--run-evaluations", std::to_string(budget), "--threads", threads}, questions);
            EXPECT_EQ(process.code, 3);
            const std::vector<json> records = lines(process.out);
            EXPECT_EQ(inputs(records), inputs(free));
            EXPECT_LE(cost(records), budget);
            EXPECT_GT(cost(records), 0);
            if (first.empty()) first = timeless(process.out);
            EXPECT_EQ(timeless(process.out), first) << "however many threads there are";
        }
        EXPECT_EQ(first.back().at("reason"), exhausted) << "after the first that was not asked there is none";
    }
    EXPECT_EQ(
        stream({"--lines", "--run-evaluations", std::to_string(100 * needed), "--run-deadline", "1e9"}, sentences(whole_batches)).code, 0);
}

TEST_F(CliStream, GoesOnWhereItWasCutOff) {
    // Far away, where the last digits tell which questions shared a batch.
    std::string questions = "rubbish\n";
    for (size_t i = 1; i <= whole_batches; ++i) questions += std::to_string(i) + " 0\n";
    const Arguments arguments{"--lines", "--resume", answers_};
    const Process& whole = stream(arguments, questions);
    EXPECT_EQ(whole.code, 3);
    EXPECT_EQ(whole.out, "") << "answers go to the file";
    const std::string answers = content_of(answers_);
    const std::vector<json> records = timeless(answers);
    EXPECT_EQ(records, timeless(stream({"--lines"}, questions).out));

    const size_t end_of_first = answers.find('\n') + 1, last = answers.rfind('\n', answers.size() - 2) + 1;
    for (const size_t cut :
         {size_t(1), end_of_first - 1, end_of_first + 200, answers.size() / 2, last, answers.size() - 1, answers.size()}) {
        keep(answers.substr(0, cut));
        const Process& rest = stream(arguments, questions);
        EXPECT_THAT(rest.code, AnyOf(0, 3)) << "of what was asked now";
        EXPECT_EQ(rest.err, "");
        const std::string now = content_of(answers_);
        const size_t kept = answers.rfind('\n', cut - 1) + 1;  // npos + 1 is 0
        EXPECT_EQ(now.substr(0, kept), answers.substr(0, kept)) << "what was there stays, byte for byte";
        EXPECT_EQ(timeless(now), records) << "cut at " << cut;
    }
}

TEST_F(CliStream, RefusesAFileThatAnswersOtherQuestions) {
    const auto expect_refused = [this](const Arguments& form, const std::string& questions, const std::string& message) {
        SCOPED_TRACE(questions);
        const std::string before = content_of(answers_);
        Arguments arguments{"--resume", answers_};
        arguments.insert(arguments.end(), form.begin(), form.end());
        const Process& process = stream(arguments, questions);
        EXPECT_EQ(process.code, 1);
        EXPECT_THAT(process.err, AllOf(StartsWith("whynot: --resume "), HasSubstr(message)));
        EXPECT_EQ(content_of(answers_), before) << "it is left as it is";
    };
    ASSERT_EQ(stream({"--resume", answers_, "--jsonl"}, R"({"input": "1 0", "id": "a"})"
                                                        "\n"
                                                        R"({"input": "2 0", "foil": "left"})")
                  .code,
              0);
    expect_refused({"--lines"}, "2 0\n", "its line 1 answers '1 0'");
    expect_refused({"--lines"}, "1 0\n3 0\n4 0\n", "its line 2 answers '2 0'");
    expect_refused({"--lines"}, "1 0\n", "more answers than there are questions");
    expect_refused({"--jsonl"}, R"({"input": "1 0", "id": "b"})", "and question 1 is 'b'");
    expect_refused({"--lines", "--foil", "top"}, "1 0\n2 0\n", "its line 2 answers");
    EXPECT_EQ(stream({"--resume", answers_, "--lines"}, "1 0\n2 0\n").code, 0) << "these are the questions";
    EXPECT_EQ(lines(content_of(answers_)).size(), 2u);
}

TEST_F(CliStream, RefusesAFileThatIsNotOurs) {
    for (const char* other : {"my thesis", "my thesis\n", "{\"schema\":\"whynot.explanation/1\"}\n", "\n", "{}\nmore"}) {
        keep(other);
        const Process& process = stream({"--lines", "--resume", answers_}, "1 0\n");
        EXPECT_EQ(process.code, 1);
        EXPECT_THAT(process.err, HasSubstr("is no answer; name the file of answers that a run left behind, or a new one"));
        EXPECT_EQ(content_of(answers_), other);
    }
    for (const fs::path& path : {folder_, folder_ / "nowhere" / "file", fs::path("/dev/null")}) {
        const Process& process = stream({"--lines", "--resume", path}, "1 0\n");
        EXPECT_EQ(process.code, 1);
        EXPECT_THAT(process.err, StartsWith("whynot: --resume " + path.string()));
    }
}

TEST_F(CliStream, LetsOneRunWriteToAFile) {
    Process first(WHYNOT_PROGRAM, command({"--lines", "--resume", answers_}), environment_);
    first.write("1 0\n");
    await_answers();
    const Process& second = stream({"--lines", "--resume", answers_}, "1 0\n");
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.err, HasSubstr("another run is writing to it"));
    first.finish("2 0\n");
    EXPECT_EQ(first.code, 0);
    EXPECT_THAT(inputs(lines(content_of(answers_))), ElementsAre("1 0", "2 0"));
}

TEST_F(CliStream, LeavesToALaterRunWhatItsBudgetDoesNotReachFor) {
    const std::string questions = sentences(whole_batches);
    const Process& late = stream({"--lines", "--resume", answers_, "--run-deadline", "1e-9"}, questions);
    EXPECT_EQ(late.code, 3);
    EXPECT_EQ(content_of(answers_), "") << "a refusal here would stand for ever";
    const Process& some = stream({"--lines", "--resume", answers_, "--run-evaluations", "1000"}, questions);
    EXPECT_EQ(some.code, 3);
    const size_t answered = lines(content_of(answers_)).size();
    EXPECT_GT(answered, 0u);
    EXPECT_LT(answered, whole_batches);
    EXPECT_EQ(stream({"--lines", "--resume", answers_}, questions).code, 0);
    EXPECT_EQ(inputs(lines(content_of(answers_))), inputs(lines(stream({"--lines"}, questions).out)));
}

TEST_F(CliStream, LeavesWholeLinesWhenItIsStopped) {
    const std::string questions = sentences(2000);
    const Arguments slow = command({"--lines", "--resume", answers_, "--starts", "20"});
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        fs::remove(answers_);
        Process process(WHYNOT_PROGRAM, slow, environment_);
        std::thread writer([&] { process.write(questions); });
        await_answers();
        process.kill(signal);
        writer.join();
        process.finish();
        EXPECT_EQ(process.signal, signal);
        EXPECT_EQ(process.err, signal == SIGKILL ? "" : "whynot: interrupted\n");
        const std::string answers = content_of(answers_);
        ASSERT_FALSE(answers.empty());
        EXPECT_TRUE(signal == SIGKILL || answers.back() == '\n');
        EXPECT_LT(lines(answers.substr(0, answers.rfind('\n') + 1)).size(), 2000u) << "it was cut off";
    }
    EXPECT_EQ(run(slow, questions).code, 0);
    const std::vector<json> records = lines(content_of(answers_));
    ASSERT_EQ(records.size(), 2000u);
    for (size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].at("question").at("input"), point(i + 1));
}

TEST_F(CliStream, WaitsForWholeBatches) {
    std::string questions;  // far away, where the last digits tell which of them shared a batch
    for (int i = 1; i <= 100; ++i) questions += std::to_string(i) + " 0\n";
    const std::vector<json> expected = timeless(stream({"--lines"}, questions).out);
    for (const char* threads : {"1", "2"}) {
        Process process(WHYNOT_PROGRAM, command({"--lines", "--whole-batches", "--threads", threads}), environment_);
        process.write_slowly(questions, 17);  // and lines come in parts
        process.finish();
        EXPECT_EQ(process.code, 0) << process.err;
        expect_same(timeless(process.out), expected);
    }
}

TEST_F(CliStream, EndsQuietlyWhenNobodyReads) {
    Process process(WHYNOT_PROGRAM, command({"--lines"}), environment_);
    process.write("1 0\n");
    process.read_line();
    process.close_output();
    process.finish(sentences(whole_batches));
    EXPECT_EQ(process.signal, SIGPIPE);
    EXPECT_EQ(process.err, "");

    Process full(WHYNOT_PROGRAM, command({"--lines"}), environment_, "/dev/full");
    full.finish("1 0\n");
    EXPECT_EQ(full.code, 1);
    EXPECT_THAT(full.err, HasSubstr("whynot: cannot write to standard output"));
}

TEST_F(CliStream, WritesPicturesIntoAFolder) {
    const fs::path out = folder_ / "out";
    const std::vector<json> records = lines(stream({"--lines", "--out", out}, "1 0\n2 0\n").out);
    ASSERT_EQ(records.size(), 2u);
    size_t sheets = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(out)) sheets += entry.path().extension() == ".pgm";
    EXPECT_EQ(sheets, 2u) << "and no records, which the stream holds";
    EXPECT_EQ(std::distance(fs::directory_iterator(out), {}), 2);
}

/// Images, of the plugin dots: two numbers in a file.
class CliStreamOfImages : public CliStream {
protected:
    CliStreamOfImages() {
        environment_.push_back("WHYNOT_PLUGIN_PATH=" WHYNOT_CLI_PLUGINS "/images:" WHYNOT_TEST_PLUGINS);
        write_pack("mnist", "image", "dots");
        std::ofstream(folder_ / "point.png") << "1 0.25";
    }
    void write_pack(const std::string& id, const std::string& modality, const std::string& plugin) const {
        whynot::test::write_points_pack(folder_ / "packs" / id, [&](whynot::PackManifest& manifest) {
            manifest.id = id;
            manifest.modality = modality;
            manifest.plugin_id = plugin;
        });
    }
};

TEST_F(CliStreamOfImages, ReadsImagesAndSentences) {
    write_pack("yelp", "points", "points");
    const std::string file = folder_ / "point.png";
    const std::string questions = "{\"image_path\": \"" + file +
                                  "\"}\n"
                                  "{\"input\": \"1 0.25\"}\n"
                                  "{\"image_base64\": \"MSAwLjI1\"}\n"                      // "1 0.25"
                                  "{\"image_base64\": \"MSAwLjU=\", \"foil\": \"left\"}\n"  // "1 0.5"
                                  "{\"image_path\": \"nowhere.png\"}\n"
                                  "{\"image_path\": \"\"}\n"
                                  "{\"image_base64\": \"\"}\n"
                                  "{\"input\": \"-1 0\"}\n";
    const Process& process = run({"explain", "--jsonl", "--resume", answers_}, questions);
    EXPECT_EQ(process.code, 3) << process.err;
    const std::string answers = content_of(answers_);
    const std::vector<json> records = lines(answers);
    EXPECT_THAT(statuses(records), ElementsAre("found", "found", "found", "found", "refused", "refused", "refused", "found"));
    ASSERT_EQ(records.size(), 8u);
    EXPECT_EQ(records[0].at("question").at("input").at("path"), file);
    EXPECT_EQ(records[0].at("pack").at("id"), "mnist");
    EXPECT_EQ(records[1].at("pack").at("id"), "yelp");
    EXPECT_EQ(records[2].at("question").at("input").at("path"), "image_base64");
    EXPECT_EQ(records[2].at("probabilities"), records[0].at("probabilities"));
    EXPECT_EQ(records[3].at("question").at("foil"), "left");
    EXPECT_THAT(records[4].at("reason").get<std::string>(), HasSubstr("nowhere.png"));

    for (size_t cut = 0; cut < answers.size(); cut += answers.size() / 3) {
        keep(answers.substr(0, cut));
        EXPECT_EQ(run({"explain", "--jsonl", "--resume", answers_}, questions).err, "");
        EXPECT_EQ(timeless(content_of(answers_)), timeless(answers));
    }
    // The bytes of pictures without a name tell them apart.
    keep(answers.substr(0, answers.size() - 1));
    const Process& other =
        run({"explain", "--jsonl", "--resume", answers_}, std::string(questions).replace(questions.find("MSAwLjI1"), 8, "MSAwLjI2"));
    EXPECT_EQ(other.code, 1);
    EXPECT_THAT(other.err, HasSubstr("its line 3 answers"));
}

TEST_F(CliStream, RepeatsItselfToTheByteWithoutTimes) {
    std::string questions;
    for (int i = 1; i <= 150; ++i) questions += std::to_string(i) + (i % 50 == 0 ? " nonsense\n" : " 0\n");
    const Arguments arguments{"explain", "--lines", "--whole-batches", "--no-times", "--pack", "points"};
    const std::string first = run(arguments, questions).out;
    EXPECT_EQ(lines(first).size(), 150u);
    EXPECT_THAT(first, testing::Not(testing::HasSubstr("seconds")));
    EXPECT_EQ(run(arguments, questions).out, first);
}

}  // namespace
