// A model of one's own, the whole way through the program: packs new, classify, train --generator-only, explain.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/process.h"
#include "image_file.h"
#include "image_model/toy.h"
#include "pack/temporary_folder.h"
#include "training/scripts.h"

namespace {

using namespace whynot;
using whynot::test::Process;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;
namespace fs = std::filesystem;

const Arguments environment{"OMP_NUM_THREADS=1"};

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
            std::ofstream(folder / "pictures" / (std::to_string(i) + ".png"), std::ios::binary) << image::to_png(picture);
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
        run({"train", "image", "--generator-only", "--pack", at("theirs"), "--data", at("pictures"), "--recipe", at("image.json"), "--out",
             at("mine")});
        const Json record = Json::parse(run({"explain", "--json", "--pack", at("mine"), at("pictures/1.png")}).out);
        EXPECT_EQ(record["status"], "found");
        EXPECT_EQ(record["question"]["fact"], said["class"]);
    }

    TemporaryFolder folder;
    std::unique_ptr<Process> process_;
};

TEST_F(OwnModel, from_torchscript_to_an_explanation_of_an_image) {
    torch::manual_seed(1);
    const fs::path classifier = test::write_script(folder / "classifier.pt", R"(
def forward(self, x: Tensor):
    x = torch.relu(torch.max_pool2d(torch.conv2d(x, self.first), [4, 4])).flatten(1)
    return torch.matmul(x, self.second)
)",
                                                   {{"first", torch::randn({8, 1, 5, 5}) / 3}, {"second", torch::randn({72, 3}) / 3}});
    expect_the_whole_way(classifier.string());
}

TEST_F(OwnModel, what_is_missing_on_the_command_line_is_named) {
    EXPECT_THAT(run({"packs", "new", "image", "--from-torchscript", "x.pt", "--std", "1"}, 2).err,
                HasSubstr("expected also --classes, --shape, --mean, --out"));
    EXPECT_THAT(run({"packs", "new", "text", "--from-torchscript", "x.pt", "--classes", "a,b", "--out", "y"}, 2).err,
                HasSubstr("expected also --embedding, --vocabulary"));
    Arguments bad = packs_new("missing.pt");
    EXPECT_THAT(run(bad, 1).err, HasSubstr("there is no file missing.pt"));
    bad[8] = "16x16";
    EXPECT_THAT(run(bad, 2).err, HasSubstr("as in 3x64x64"));
    EXPECT_THAT(run({"train", "image", "--generator-only", "--out", "x"}, 2).err, HasSubstr("--pack and --data"));
    EXPECT_THAT(run({"train", "image", "--corpus", "mnist", "--data", "y", "--out", "x"}, 2).err, HasSubstr("--pack and --data"));
    EXPECT_FALSE(fs::exists(folder / "theirs"));
}

TEST_F(OwnModel, from_pytorch_to_explanations_of_an_image_and_a_sentence) {
    std::string python;
    for (const char* found : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
        if (!fs::exists(found)) continue;
        Process probe(found, {"-c", "import torch"});
        probe.finish();
        if (probe.code == 0) python = found;
    }
    if (python.empty())
        GTEST_SKIP() << "no python3 here can 'import torch', so docs/export_model.py cannot run; Debian's package python3-torch brings it";
    std::set<std::string> words;
    {
        std::ofstream sentences(folder / "sentences.txt"), vocabulary(folder / "words.txt");
        for (const char* subject : {"food", "service", "pizza", "waiter", "place", "soup"})
            for (const char* verb : {" was ", " is ", " seemed "})
                for (const char* how : {"", "really ", "quite "})
                    for (const char* judgement : {"good", "great", "lovely", "superb", "bad", "gross", "rude", "awful"}) {
                        const std::string sentence = std::string("the ") + subject + verb + how + judgement + " .";
                        sentences << sentence << '\n';
                        std::istringstream split(sentence);
                        for (std::string word; split >> word;) words.insert(word);
                    }
        for (const std::string& word : words) vocabulary << word << '\n';
    }
    Process exported(python, {WHYNOT_EXPORT_SCRIPT, folder.path().string(), at("words.txt")});
    exported.finish();
    ASSERT_EQ(exported.code, 0) << exported.err;
    expect_the_whole_way(at("image-classifier.pt"));

    run({"packs", "new", "text", "--from-torchscript", at("text-classifier.pt"), "--embedding", at("embedding.pt"), "--vocabulary",
         at("words.txt"), "--classes", "negative,positive", "--out", at("theirs-text")});
    run({"train", "text", "--generator-only", "--pack", at("theirs-text"), "--data", at("sentences.txt"), "--recipe", at("text.json"),
         "--out", at("mine-text")});
    const Json record = Json::parse(run({"explain", "--json", "--pack", at("mine-text"), "the soup was really gross ."}).out);
    EXPECT_EQ(record["status"], "found");
    EXPECT_GE(record["text"]["edits"].size(), 1u);
}

}  // namespace
