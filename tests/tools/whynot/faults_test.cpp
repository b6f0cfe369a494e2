// What a shell, a system or a careless hand does to the program, and that one fault stays with its question.
#include <sys/resource.h>
#include <unistd.h>

#include "tools/whynot/fixture.h"

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using whynot::test::Arguments;
using whynot::test::Cli;
using whynot::test::json;
using whynot::test::Process;
namespace fs = whynot::test::fs;

class Faults : public Cli {
protected:
    /// Runs a line of shell in which `whynot` is the program and the folder of the test the current one.
    Process& shell(const std::string& line, const std::string& input = "") {
        const std::string script = "cd '" + folder_.string() + "' && whynot() { '" WHYNOT_PROGRAM "' \"$@\"; }\n" + line;
        process_ = std::make_unique<Process>("/bin/bash", Arguments{"-c", script}, environment_);
        process_->finish(input);
        return *process_;
    }

    static std::string sample(const std::string& name) { return WHYNOT_SAMPLES "/" + name; }

    void put(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name, std::ios::binary) << content; }
};

// --- descriptors, limits, signals ---------------------------------------------------------------------------------------------------

TEST_F(Faults, AClosedStandardInputIsAtItsEnd) {
    for (const char* const command :
         {"explain --jsonl", "explain --lines", "explain --jsonl --resume answers", "classify -", "explain -"}) {
        const Process& process = shell(std::string("whynot ") + command + " --pack points <&-");
        EXPECT_EQ(process.code, 0) << command << process.err;
        EXPECT_EQ(process.out, "") << command;
    }
}

TEST_F(Faults, AClosedOutputIsAFailure) {
    EXPECT_EQ(shell("whynot classify --pack points '1 0' >&-").code, 1);
    EXPECT_THAT(process_->err, HasSubstr("standard output"));
    EXPECT_EQ(shell("whynot classify --pack points '1 0' 2>&-").code, 0);
    EXPECT_EQ(shell("whynot explain --lines --pack points >&- 2>&-", "1 0\n").code, 1);
}

TEST_F(Faults, AFileThatMayNotGrowIsAFailureInWords) {
    std::string questions;
    for (int i = 0; i < 200; ++i) questions += "1 0\n";
    const Process& process = shell("ulimit -f 8; whynot explain --lines --pack points > answers", questions);
    EXPECT_EQ(process.code, 1);
    EXPECT_THAT(process.err, HasSubstr("File too large"));
}

TEST_F(Faults, ThreadsAreAsManyAsMakeSense) {
    const long most = 4 * sysconf(_SC_NPROCESSORS_ONLN);
    EXPECT_EQ(run({"classify", "--pack", "points", "1 0"}, "", {"OMP_NUM_THREADS=999999999"}).code, 0) << process_->err;
    EXPECT_EQ(run({"classify", "--pack", "points", "1 0"}, "", {"OMP_NUM_THREADS=99999999999999999999,2"}).code, 0) << process_->err;
    run({"explain", "--pack", "points", "1 0", "--json", "--threads", "1024"});
    EXPECT_LE(lines(process_->out).at(0).at("solver").at("threads").get<long>(), most);
}

TEST_F(Faults, ASignalEndsWhatDoesNotReturn) {
    for (const int number : {SIGTERM, SIGINT}) {
        Arguments environment = environment_;
        environment.insert(environment.end(), {"WHYNOT_PLUGIN_PATH=" WHYNOT_CLI_PLUGINS, "WHYNOT_CORPORA=" + folder_.string()});
        Process process(WHYNOT_PROGRAM, {"train", "toy", "--corpus", "stuck", "--out", (folder_ / "out").string()}, environment);
        while (process.err.find("corpus") == std::string::npos) process.read_error();
        process.kill(number);
        process.finish();
        EXPECT_EQ(process.signal, number);
    }
}

// --- one fault, one question --------------------------------------------------------------------------------------------------------

TEST_F(Faults, ABadArgumentLeavesTheOthersAlone) {
    put("cut.png", "\x89PNG\r\n\x1a\n");
    const std::string four = sample("four.png");
    const Process& process = run({"explain", four, "nothere.png", folder_ / "cut.png", four, folder_, "--foil", "9", "--json"});
    EXPECT_EQ(process.code, 3);
    const std::vector<json> records = lines(process.out);
    ASSERT_EQ(records.size(), 5u);
    for (const size_t i : {0, 3}) EXPECT_EQ(records[i].at("status"), "found");
    for (const size_t i : {1, 2, 4}) EXPECT_EQ(records[i].at("status"), "refused");
    EXPECT_THAT(records[1].at("reason").get<std::string>(), HasSubstr("there is no file nothere.png"));
    EXPECT_THAT(records[2].at("reason").get<std::string>(), HasSubstr("damaged"));
    EXPECT_THAT(records[4].at("reason").get<std::string>(), HasSubstr("is a folder"));

    EXPECT_EQ(run({"classify", "nothere.png", four, "--json"}).code, 3);
    ASSERT_EQ(lines(process_->out).size(), 2u);
    EXPECT_THAT(lines(process_->out)[0].at("reason").get<std::string>(), HasSubstr("there is no file"));
    EXPECT_EQ(lines(process_->out)[1].at("class"), "4");

    EXPECT_EQ(run({"explain", "nothere.png"}).code, 1) << "alone it is the failure of the program";
    EXPECT_EQ(run({"explain", "nothere.png", "nor-this.png"}).code, 1) << "and so are all together";
}

TEST_F(Faults, AFileIsNoSentence) {
    put("IMG_1234.HEIC", std::string("\0\0\0\x18", 4) + "ftypheic" + std::string(100, '\0'));
    put("notes.txt", "the food was gross .\n");
    EXPECT_EQ(shell("whynot explain IMG_1234.HEIC --json").code, 3);
    EXPECT_THAT(process_->out, AllOf(HasSubstr("a HEIC picture"), HasSubstr("heif-convert")));
    EXPECT_EQ(shell("whynot explain ./notes.txt").code, 1);
    EXPECT_THAT(process_->err, HasSubstr("no picture"));
    EXPECT_EQ(shell("whynot classify missing.webp").code, 1);
    EXPECT_THAT(process_->err, HasSubstr("there is no file"));
    EXPECT_EQ(shell("whynot classify https://example.org/four.png").code, 1);
    EXPECT_THAT(process_->err, HasSubstr("is an address"));
}

TEST_F(Faults, APictureWithoutBytesReadsNoFile) {
    fs::copy_file(sample("four.png"), folder_ / "image_base64");
    const Process& process =
        shell("whynot explain --jsonl", "{\"image_base64\":\"    \"}\n{\"image_base64\":\"====\"}\n{\"image_base64\":\"\"}\n");
    EXPECT_EQ(process.code, 3);
    for (const json& record : lines(process.out)) EXPECT_EQ(record.at("status"), "refused") << record;
    EXPECT_EQ(lines(process.out).size(), 3u);
}

TEST_F(Faults, ABlankPictureHasNothingInIt) {
    const std::string black = "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAEElEQVR42mNgGAWjYBQQAwADLAAB1wvpfAAAAABJRU5ErkJggg==";
    const Process& process = shell("whynot explain --jsonl", "{\"image_base64\": \"" + black + "\"}\n");
    EXPECT_EQ(process.code, 3);
    EXPECT_THAT(process.out, HasSubstr("there is nothing in this picture"));
}

TEST_F(Faults, AResumedRunEndsLikeAnUndisturbedOne) {
    const std::string questions = "1 0\nno point\n1 0\n";
    const std::string file = folder_ / "answers";
    const Arguments command{"explain", "--lines", "--pack", "points", "--resume", file};
    EXPECT_EQ(run(command, questions).code, 3);
    EXPECT_EQ(run(command, questions).code, 3) << "nothing was left to ask, and one question has no answer all the same";
    EXPECT_EQ(run(command, questions + "1 0\n").code, 3);
    EXPECT_EQ(run({"explain", "--lines", "--pack", "points", "--resume", folder_ / "others"}, "1 0\n").code, 0);
    EXPECT_EQ(run({"explain", "--lines", "--pack", "points", "--resume", folder_ / "others"}, "1 0\n").code, 0);
}

TEST_F(Faults, ALineCostsAFewTimesItsBytes) {
    const int64_t bare = shell("whynot explain --jsonl --pack points", "{\"input\": \"1 0\"}\n").peak_bytes;
    for (const std::string piece : {"[", "{\"\":", "{},", "1,", "\"\",", "\\"}) {
        std::string line = piece == "{}," || piece == "1," || piece == "\"\"," ? "[" : "";
        while (line.size() < 15'000'000) line += piece;
        const Process& process = shell("whynot explain --jsonl --pack points", line + '\n');
        EXPECT_EQ(process.code, 3);
        EXPECT_LT(process.peak_bytes - bare, 8 * static_cast<int64_t>(line.size())) << piece;
    }
}

}  // namespace
