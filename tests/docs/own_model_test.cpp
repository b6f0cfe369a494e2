// A model of one's own, the whole way through the program: packs new, classify, train --generator-only, explain.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "drawing/image_file.h"
#include "plugins/image/toy.h"
#include "plugins/training/scripts.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace {

using namespace whynot;
using whynot::test::Process;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;
namespace fs = std::filesystem;

const Arguments environment{"OMP_NUM_THREADS=1"};
const std::vector<const char*> judgements{"good", "great", "lovely", "superb", "bad", "gross", "rude", "awful"};  // the first four are kind

class OwnModel : public ::testing::Test {
protected:
    OwnModel() {
        fs::create_directories(folder / "pictures");
        std::mt19937 random(7);
        for (int i = 0; i < 240; ++i) {
            Picture picture;
            picture.width = picture.height = toy::side;
            const std::string pixels = toy::image(random, i % 3);
            picture.bytes.assign(pixels.begin(), pixels.end());
            std::ofstream(folder / "pictures" / (std::to_string(i) + ".png"), std::ios::binary) << drawing::to_png(picture);
        }
        std::ofstream(folder / "image.json") << toy::recipe();
        std::ofstream(folder / "text.json")
            << R"({"autoencoder": {"latent": 32, "encoder": 12, "decoder": 32, "output_extra": 4, "epochs": 8,
            "negatives": 10, "noise": 0.3, "hide_encoder": 0.3, "code_weight": 0.05, "learning_rate": 0.01, "longest": 20},
            "masked_model": {"embedding": 12, "hidden": 16, "head": 12, "epochs": 6, "negatives": 10, "learning_rate": 0.01}})";
    }

    std::string at(const char* name) const { return (folder / name).string(); }

    Process& run(const Arguments& arguments, int code = 0) {
        process_ = std::make_unique<Process>(WHYNOT_PROGRAM, arguments, environment);
        process_->finish();
        EXPECT_EQ(process_->code, code) << testing::PrintToString(arguments) << '\n' << process_->err;
        return *process_;
    }

    /// Sentences of the toy restaurant, and their words.
    std::vector<std::string> write_sentences() const {
        std::set<std::string> words;
        std::ofstream sentences(folder / "sentences.txt"), vocabulary(folder / "words.txt");
        for (const char* subject : {"food", "service", "pizza", "waiter", "place", "soup"})
            for (const char* verb : {" was ", " is ", " seemed "})
                for (const char* how : {"", "really ", "quite "})
                    for (const char* judgement : judgements) {
                        const std::string sentence = std::string("the ") + subject + verb + how + judgement + " .";
                        sentences << sentence << '\n';
                        std::istringstream split(sentence);
                        for (std::string word; split >> word;) words.insert(word);
                    }
        for (const std::string& word : words) vocabulary << word << '\n';
        return {words.begin(), words.end()};
    }

    /// The same model over pieces, as the page has it: every word a piece of its own.
    void write_pieces(const std::vector<std::string>& words, const at::Tensor& embedding) const {
        std::ofstream vocabulary(folder / "vocab.txt");
        for (const char* piece : {"[UNK]", "[CLS]", "[SEP]", "##s"}) vocabulary << piece << '\n';
        for (const std::string& word : words) vocabulary << word << '\n';
        const std::vector<char> bytes = torch::jit::pickle_save(at::cat({at::zeros({4, embedding.size(1)}), embedding}));
        std::ofstream(folder / "pieces.pt", std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        fs::copy_file(folder / "text-classifier.pt", folder / "head.pt");
        std::vector<std::string> judged{"gross"};
        const auto word = std::find(words.begin(), words.end(), judged[0]) - words.begin();
        const double kind = embedding[word][0].item<double>();
        const double negative = 1 / (1 + std::exp(2 * kind));
        std::ofstream(folder / "said.jsonl") << Json({{"text", "Gross!"}, {"probabilities", {negative, 1 - negative}}}).dump() << '\n';
    }

    Arguments packs_new(const std::string& classifier) const {
        return {"packs",
                "new",
                "image",
                "--from-torchscript",
                classifier,
                "--classes",
                "ring, standing,lying",
                "--shape",
                "1x16x16",
                "--mean",
                "0",
                "--std",
                "1",
                "--out",
                at("theirs")};
    }

    /// From a classifier's file to an explanation.
    void expect_the_whole_way(const std::string& classifier) {
        const Process& made = run(packs_new(classifier));
        EXPECT_THAT(made.err, AllOf(HasSubstr("is a program"), HasSubstr("--generator-only")));
        EXPECT_THAT(made.out, AllOf(HasSubstr("theirs"), HasSubstr("logits"), HasSubstr("of 16 samples")));
        const Json said = Json::parse(run({"classify", "--json", "--pack", at("theirs"), at("pictures/1.png")}).out);
        EXPECT_EQ(said["probabilities"].size(), 3u);
        EXPECT_THAT(run({"explain", "--pack", at("theirs"), at("pictures/1.png")}, 1).err, HasSubstr("no generator yet"));
        EXPECT_THAT(run({"train", "text", "--generator-only", "--pack", at("theirs"), "--data", "x", "--out", at("mine")}, 2).err,
                    HasSubstr("expected a pack of the modality text, and 'theirs' is of image"));
        run({"train", "image", "--generator-only", "--pack", at("theirs"), "--data", at("pictures"), "--recipe", at("image.json"), "--out",
             at("mine")});
        const Json record = Json::parse(run({"explain", "--json", "--pack", at("mine"), at("pictures/1.png")}).out);
        EXPECT_EQ(record["status"], "found");
        EXPECT_EQ(record["question"]["fact"], said["class"]);
    }

    TemporaryFolder folder;
    std::unique_ptr<Process> process_;
};

TEST_F(OwnModel, FromTorchscriptToAnExplanationOfAnImage) {
    torch::manual_seed(1);
    const fs::path classifier = test::write_script(folder / "classifier.pt", R"(
def forward(self, x: Tensor):
    x = torch.relu(torch.max_pool2d(torch.conv2d(x, self.first), [4, 4])).flatten(1)
    return torch.matmul(x, self.second)
)",
                                                   {{"first", torch::randn({8, 1, 5, 5}) / 3}, {"second", torch::randn({72, 3}) / 3}});
    expect_the_whole_way(classifier.string());
}

TEST_F(OwnModel, WhatIsMissingOnTheCommandLineIsNamed) {
    EXPECT_THAT(run({"packs", "new", "image", "--from-torchscript", "x.pt", "--std", "1"}, 2).err,
                HasSubstr("expected also --classes, --shape, --mean, --out"));
    EXPECT_THAT(run({"packs", "new", "text", "--from-torchscript", "x.pt", "--classes", "a,b", "--out", "y"}, 2).err,
                HasSubstr("expected also --embedding, --vocabulary"));
    Arguments bad = packs_new("missing.pt");
    EXPECT_THAT(run(bad, 1).err, HasSubstr("there is no file missing.pt"));
    bad[8] = "16x16";
    EXPECT_THAT(run(bad, 2).err, HasSubstr("as in 3x64x64"));
    EXPECT_THAT(run({"train", "image", "--generator-only", "--out", "x"}, 2).err, HasSubstr("--data is required"));
    EXPECT_THAT(run({"train", "image", "--corpus", "mnist", "--data", "y", "--out", "x"}, 2).err, HasSubstr("--pack and --data"));
    EXPECT_THAT(run({"packs", "new", "text", "--from-torchscript", "x.pt", "--shape", "3x4x4"}, 2).err,
                HasSubstr("--shape is for image, and this is a model of text"));
    EXPECT_THAT(run({"packs", "new", "image", "--from-torchscript", "x.pt", "--embedding", "y"}, 2).err,
                HasSubstr("--embedding is for text, and this is a model of image"));
    EXPECT_FALSE(fs::exists(folder / "theirs"));
}

/// Whether the upper or the lower half of a picture is the lighter one.
std::string half_lit(std::mt19937& random, bool upper) {
    Picture picture;
    picture.width = picture.height = 64;
    picture.channels = 3;
    const int light = 150 + static_cast<int>(random() % 100), dark = static_cast<int>(random() % 100);
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64 * 3; ++x) picture.bytes.push_back(static_cast<uint8_t>((y < 32) == upper ? light : dark));
    return drawing::to_png(picture);
}

// With the files that the page speaks of, and a small recipe for training.
TEST_F(OwnModel, EveryCommandOfThePageWorks) {
    fs::create_directories(folder / "photos/holiday");
    std::mt19937 random(5);
    for (int i = 0; i < 60; ++i)
        std::ofstream(folder / (i % 3 == 0 ? "photos/holiday" : "photos") / (std::to_string(i) + ".png"), std::ios::binary)
            << half_lit(random, i % 2 == 0);
    std::ofstream(folder / "some.jpg", std::ios::binary) << half_lit(random, true);  // what a file holds counts, not its name
    test::write_script(folder / "classifier.pt", R"(
def forward(self, x: Tensor):
    halves = torch.avg_pool2d(x, [32, 64]).mean([1]).flatten(1)
    return 4 * (halves - halves.flip([1]))
)");
    test::write_script(folder / "encoder.pt", "def forward(self, x: Tensor):\n    return torch.avg_pool2d(x, [32, 64]).flatten(1)\n");
    test::write_script(folder / "decoder.pt", R"(
def forward(self, x: Tensor):
    return x.view([-1, 3, 2, 1]).repeat_interleave(32, 2).repeat_interleave(64, 3)
)");
    const std::vector<std::string> words = write_sentences();
    torch::manual_seed(1);
    at::Tensor embedding = at::randn({static_cast<int64_t>(words.size()), 16}) / 4;
    for (size_t i = 0; i < words.size(); ++i) {
        const auto judgement = std::find(judgements.begin(), judgements.end(), words[i]);
        embedding[static_cast<int64_t>(i)][0] = judgement == judgements.end() ? 0 : judgement < judgements.begin() + 4 ? 3 : -3;
    }
    const std::vector<char> bytes = torch::jit::pickle_save(embedding);
    std::ofstream(folder / "embedding.pt", std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    test::write_script(folder / "text-classifier.pt", R"(
def forward(self, x: Tensor):
    kind = x.sum([1])[:, 0]
    return torch.stack([-kind, kind], 1)
)");
    write_pieces(words, embedding);
    std::ofstream(folder / "image-64.json")
        << R"({"codes": 20, "generator": {"latent": 6, "channels": [8, 8, 8, 8], "hidden": 40, "epochs": 40, "batch": 5,
               "learning_rate": 0.005}})";

    // Each block of commands stands for itself: those before it leave packs of the same names.
    std::ifstream page(WHYNOT_OWN_MODEL_PAGE);
    std::vector<std::string> blocks;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line == "```sh") blocks.emplace_back();
        inside = line == "```sh" || (inside && line != "```");
        if (inside && line != "```sh") blocks.back() += line + '\n';
    }
    ASSERT_EQ(blocks.size(), 5u);
    for (const std::string& block : blocks) {
        const std::string script = R"sh(set -eu
program=$1
cd "$2"
rm -rf theirs mine answer sayings
whynot() {
  case $1-$2 in
    train-image) set -- "$@" --recipe image-64.json ;;
    train-text) set -- "$@" --recipe text.json ;;
  esac
  "$program" "$@"
}
)sh" + block;
        Process page_commands("/bin/bash", {"-c", script, "page", WHYNOT_PROGRAM, folder.path().string()}, environment);
        page_commands.finish();
        EXPECT_EQ(page_commands.code, 0) << block << page_commands.err;
        EXPECT_TRUE(fs::exists(folder / "mine/pack.json") || fs::exists(folder / "theirs/pack.json")) << block;
        if (block.find("classify") != std::string::npos) {
            EXPECT_THAT(page_commands.out, HasSubstr("some.jpg"));
            EXPECT_FALSE(fs::is_empty(folder / "answer"));
        }
        if (block.find("gross") != std::string::npos) {
            EXPECT_THAT(page_commands.out, HasSubstr("-[gross]-"));
        }
    }
}

TEST_F(OwnModel, FromPytorchToExplanationsOfAnImageAndASentence) {
    std::string python;
    for (const char* found : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
        if (!fs::exists(found)) continue;
        Process probe(found, {"-c", "import torch"});
        probe.finish();
        if (probe.code == 0) python = found;
    }
    if (python.empty())
        GTEST_SKIP() << "no python3 here can 'import torch', so docs/export_model.py cannot run; Debian's package python3-torch brings it";
    write_sentences();
    Process exported(python, {WHYNOT_EXPORT_SCRIPT, folder.path().string(), at("words.txt")});
    exported.finish();
    ASSERT_EQ(exported.code, 0) << exported.err;
    expect_the_whole_way(at("image-classifier.pt"));

    run({"packs", "new", "text", "--from-torchscript", at("text-classifier.pt"), "--embedding", at("embedding.pt"), "--vocabulary",
         at("words.txt"), "--classes", "negative,positive", "--out", at("theirs-text")});
    run({"train", "text", "--generator-only", "--pack", at("theirs-text"), "--data", at("sentences.txt"), "--recipe", at("text.json"),
         "--out", at("mine-text")});
    // That classifier has learned nothing: where its weights are drawn, some sentences have no answer near them.
    std::string questions;
    std::ifstream file(folder / "sentences.txt");
    std::string line;
    for (int i = 0; i < 24 && std::getline(file, line); ++i) questions += line + '\n';
    Process explained(WHYNOT_PROGRAM, {"explain", "--json", "--pack", at("mine-text"), "-"}, environment);
    explained.finish(questions);
    EXPECT_THAT(explained.code, testing::AnyOf(0, 3)) << explained.err;
    std::istringstream lines(explained.out);
    int records = 0, found = 0;
    for (; std::getline(lines, line); ++records) {
        const Json record = Json::parse(line);
        if (record["status"] != "found") continue;
        ++found;
        EXPECT_GE(record["text"]["edits"].size(), 1u) << line;
    }
    EXPECT_EQ(records, 24);
    EXPECT_GE(found, 8);
}

}  // namespace
