// Networks over pieces of words that somebody trained elsewhere: each kind of tokenizer, the whole way through the program, explained
// by the generator that ships, without training anything.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "plugins/text/toy.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace {

using whynot::test::Process;
using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;
namespace fs = std::filesystem;

const Arguments environment{"OMP_NUM_THREADS=1"};

/// A Python that has what the script needs; empty: there is none.
std::string python() {
    for (const char* found : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
        if (!fs::exists(found)) continue;
        Process probe(found, {"-c", "import torch, sentencepiece"});
        probe.finish();
        if (probe.code == 0) return found;
    }
    return "";
}

struct Kind {
    const char *name, *tokenizer;
};

class Brought : public ::testing::TestWithParam<Kind> {
protected:
    /// What the script trained, once.
    static const TemporaryFolder& trained() {
        static const TemporaryFolder folder;
        static bool done = false;
        if (done) return folder;
        done = true;
        std::mt19937 random(3);
        std::ofstream labelled(folder / "labelled.tsv");
        for (int i = 0; i < 1200; ++i) {
            std::string sentence = toy::sentence(random, i % 2 == 0);
            sentence[0] = 'T';  // "The food was good ."
            labelled << (i % 2 == 0 ? 1 : 0) << '\t' << sentence << '\n';
        }
        labelled.close();
        Process script(python(), {WHYNOT_BROUGHT_SCRIPT, folder.path().string(), (folder / "labelled.tsv").string()}, environment);
        script.finish();
        EXPECT_EQ(script.code, 0) << script.err;
        return folder;
    }
};

TEST_P(Brought, IsWhatItWasAndIsExplainedAtOnce) {
    if (python().empty())
        GTEST_SKIP()
            << "no python3 here can 'import torch, sentencepiece'; Debian's packages python3-torch and python3-sentencepiece bring them";
    const fs::path folder = trained().path() / GetParam().name;
    const std::string out = (folder / "pack").string();
    Process made(WHYNOT_PROGRAM,
                 {"packs", "new", "text", "--from-torchscript", (folder / "head.pt").string(), "--embedding",
                  (folder / "embedding.pt").string(), "--tokenizer", (folder / GetParam().tokenizer).string(), "--classes",
                  "negative,positive", "--verify", (folder / "said.jsonl").string(), "--out", out, "--json"},
                 environment);
    made.finish();
    ASSERT_EQ(made.code, 0) << made.err;
    const Json findings = Json::parse(made.out)["findings"];
    EXPECT_THAT(findings["verified"].get<std::string>(), HasSubstr("40 texts as its own code says"));
    EXPECT_EQ(findings["generator"], "english");

    std::ifstream said(folder / "said.jsonl");
    std::string questions, line;
    for (int i = 0; i < 12 && std::getline(said, line); ++i) questions += Json::parse(line)["text"].get<std::string>() + "\n";
    Process explained(WHYNOT_PROGRAM, {"explain", "--json", "--pack", out, "-"}, environment);
    explained.finish(questions);
    EXPECT_THAT(explained.code, testing::AnyOf(0, 3)) << explained.err;
    std::istringstream lines(explained.out);
    int records = 0, called = 0;
    for (; std::getline(lines, line); ++records) {
        const Json record = Json::parse(line);
        if (!record["text"].contains("answer")) continue;
        const std::string foil = record["question"]["foil"];
        called += record["probabilities"]["answer"][foil].get<double>() > 0.5;
        EXPECT_TRUE(record["read_again"]["answer"].get<bool>()) << "the figures are those of what is written";
    }
    EXPECT_EQ(records, 12);
    EXPECT_GE(called, 11);

    // What another tokenizer would read is not what its own code says.
    std::ofstream(folder / "wrong.jsonl") << Json({{"text", "The food was good ."}, {"probabilities", {0.25, 0.75}}}).dump() << '\n';
    Process refused(WHYNOT_PROGRAM,
                    {"packs", "new", "text", "--from-torchscript", (folder / "head.pt").string(), "--embedding",
                     (folder / "embedding.pt").string(), "--tokenizer", (folder / GetParam().tokenizer).string(), "--classes",
                     "negative,positive", "--verify", (folder / "wrong.jsonl").string(), "--out", out + "-wrong"},
                    environment);
    refused.finish();
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("as its own code says, found"));
    EXPECT_FALSE(fs::exists(out + "-wrong"));
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Brought,
                         ::testing::Values(Kind{"sentencepiece", "pieces.model"}, Kind{"wordpiece", "vocab.txt"},
                                           Kind{"byte-pairs", "vocab.json"}, Kind{"unigram", "tokenizer.json"}),
                         [](const auto& kind) { return std::string("Of") + static_cast<char>(std::toupper(kind.param.name[0])); });

}  // namespace
