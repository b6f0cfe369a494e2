// Models that people bring along: TorchScript written here, from C++, so that the way is tested where there is no Python.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "drawing/image_file.h"
#include "image/model/model.h"
#include "image/services/importer.h"
#include "image/services/trainer.h"
#include "plugins/image/toy.h"
#include "plugins/training/scripts.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::image;
using whynot::test::write_script;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const char* const lenet = R"(
def net(self, x: Tensor) -> Tensor:
    x = torch.relu(torch.max_pool2d(torch.conv2d(x, self.first_weight, self.first_bias), [2, 2]))
    x = torch.relu(torch.max_pool2d(torch.conv2d(x, self.second_weight, self.second_bias), [2, 2]))
    x = torch.relu(torch.matmul(x.flatten(1), self.hidden_weight.t()) + self.hidden_bias)
    return torch.matmul(x, self.output_weight.t()) + self.output_bias
)";

std::string lenet_with(const std::string& forward) { return std::string(lenet) + "\ndef forward(self, x: Tensor):\n" + forward; }

const char* const encoder = R"(
def forward(self, x: Tensor):
    x = torch.elu(torch.conv2d(x, self.encoder_layer0_weight, self.encoder_layer0_bias, [2, 2], [1, 1]))
    x = torch.elu(torch.conv2d(x, self.encoder_layer1_weight, self.encoder_layer1_bias, [2, 2], [1, 1]))
    x = torch.elu(torch.matmul(x.flatten(1), self.encoder_hidden_weight.t()) + self.encoder_hidden_bias)
    mean = torch.matmul(x, self.encoder_mean_weight.t()) + self.encoder_mean_bias
    return mean, torch.matmul(x, self.encoder_log_variance_weight.t()) + self.encoder_log_variance_bias
)";

std::string decoder_with(const std::string& result) {
    return R"(
def forward(self, z: Tensor):
    x = torch.elu(torch.matmul(z, self.decoder_hidden_weight.t()) + self.decoder_hidden_bias)
    x = torch.elu(torch.matmul(x, self.decoder_spread_weight.t()) + self.decoder_spread_bias).view(-1, 12, 4, 4)
    x = torch.elu(torch.conv_transpose2d(x, self.decoder_layer1_weight, self.decoder_layer1_bias, [2, 2], [1, 1]))
    x = torch.conv_transpose2d(x, self.decoder_layer0_weight, self.decoder_layer0_bias, [2, 2], [1, 1])
    return )" +
           result + "\n";
}

/// A pack trained on rings and bars, and its networks as somebody else's TorchScript. Once for all tests of this program.
struct Theirs {
    TemporaryFolder folder;
    std::unique_ptr<ImageModel> ours;
    std::map<std::string, at::Tensor> classifier, generator;

    Theirs() {
        toy::write_corpus(folder.path());
        TrainRequest request;
        request.corpus = "toy";
        request.corpora = folder.path();
        request.out = folder / "ours";
        Json recipe = Json::parse(toy::recipe());
        recipe["evaluation"] = {{"images", 1}, {"oracle_images", 1}, {"batch", 1}};
        request.recipe = recipe.dump();
        ImageTrainer().train(request, {});
        ours = std::make_unique<ImageModel>(open_pack(folder / "ours"));
        classifier = ours->networks().classifier->tensors();
        generator = ours->networks().generator->tensors();

        std::mt19937 random(7);
        fs::create_directories(folder / "pictures" / "more");
        for (int i = 0; i < 300; ++i) {
            Picture picture;
            picture.width = picture.height = toy::side;
            const std::string pixels = toy::image(random, i % 3);
            picture.bytes.assign(pixels.begin(), pixels.end());
            std::ofstream(folder / (i % 2 ? "pictures" : "pictures/more") / (std::to_string(i) + ".png"), std::ios::binary)
                << drawing::to_png(picture);
        }
        std::ofstream(folder / "pictures" / "broken.png") << "no picture";
        std::ofstream(folder / "pictures" / "notes.txt") << "passed over without a word";
    }
    static Theirs& get() {
        static Theirs theirs;
        return theirs;
    }

    fs::path classifier_file(const std::string& forward = "    return self.net(x)\n") {
        return write_script(folder / "classifier.pt", lenet_with(forward), classifier);
    }

    ImportRequest request(const fs::path& file, const std::string& out) {
        ImportRequest request;
        request.files["classifier"] = file;
        request.classes = {"ring", "standing", "lying"};
        request.input = R"({"channels": 1, "height": 16, "width": 16})";
        request.out = folder / out;
        fs::remove_all(request.out);
        return request;
    }

    /// What an import of that classifier is refused with.
    std::string refusal(const fs::path& file, const std::function<void(ImportRequest&)>& change = {}) {
        ImportRequest asked = request(file, "refused");
        if (change) change(asked);
        try {
            ImageImporter().import_model(asked, {});
        } catch (const Error& error) {
            EXPECT_FALSE(fs::exists(asked.out)) << "a refused model leaves nothing behind";
            return error.what();
        }
        return "it was taken";
    }
    std::string refusal_of_forward(const std::string& forward) { return refusal(classifier_file(forward)); }
};

at::Tensor pictures(int64_t count) {
    std::mt19937 random(11);
    std::vector<at::Tensor> images;
    for (int64_t i = 0; i < count; ++i) {
        const std::string pixels = toy::image(random, static_cast<int>(i % 3));
        images.push_back(
            at::from_blob(const_cast<char*>(pixels.data()), {1, toy::side, toy::side}, at::TensorOptions(at::kByte)).to(at::kFloat) / 255);
    }
    return at::stack(images);
}

Summary explain(const ImageModel& model, ImageBatch& batch) {
    Problem problem;
    problem.fact = batch.classify().argmax(1);
    problem.foil = (problem.fact + 1).remainder(3);
    problem.start = batch.start(problem.fact, 1);
    problem.log_likelihood = [&](const at::Tensor& z, const at::Tensor& rows) { return batch.log_likelihood(z, rows); };
    problem.extra_starts = batch.extra_starts(at::arange(batch.size()), problem.fact, problem.foil, 2, 1);
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    return solve(problem, options);
}

TEST(ImageImport, AModelInTorchscriptExplainsAsTheNetworksThatItWasMadeFrom) {
    Theirs& theirs = Theirs::get();
    ImportRequest request = theirs.request(theirs.classifier_file(), "whole");
    request.files["encoder"] = write_script(theirs.folder / "encoder.pt", encoder, theirs.generator);
    request.files["decoder"] = write_script(theirs.folder / "decoder.pt", decoder_with("torch.sigmoid(x)"), theirs.generator);
    request.data = theirs.folder / "pictures";
    request.licence = "ours";
    std::vector<std::string> lines;
    Observer observer;
    observer.log = [&](const std::string& line) { lines.push_back(line); };
    const Json findings = Json::parse(ImageImporter().import_model(request, observer));
    EXPECT_EQ(findings["emits"], "logits");
    EXPECT_EQ(findings["latent size"], 6);
    EXPECT_FALSE(findings.contains("warning"));
    EXPECT_THAT(lines, ::testing::ElementsAre(HasSubstr("broken.png")));

    const Pack pack = open_pack(request.out);
    EXPECT_EQ(pack.manifest().emits, Emits::logits);
    const ImageModel model(pack);
    EXPECT_EQ(model.info().latent_size, 6 + 1) << "the code, and how much of the residual is given up";
    ImageBatch imported(model, pictures(6)), original(*theirs.ours, pictures(6));
    EXPECT_TRUE(at::allclose(imported.classify(), original.classify(), 1e-3, 1e-4));
    const at::Tensor fact = original.classify().argmax(1), z = imported.start(fact, 1);
    EXPECT_TRUE(at::allclose(z, original.start(fact, 1), 1e-3, 1e-4));
    const at::Tensor rows = at::arange(6);
    at::Tensor moved = z + 0.3;
    moved.select(1, 6).zero_();  // what giving up the residual costs goes by the typical distance, which is measured anew
    EXPECT_TRUE(at::allclose(imported.log_likelihood(moved, rows), original.log_likelihood(moved, rows), 1e-3, 1e-3));
    EXPECT_GT(model.networks().codes.size(0), 0);
    const Summary summary = explain(model, imported), again = explain(model, imported);
    EXPECT_EQ(summary.feasible, 6);
    for (size_t i = 0; i < 6; ++i)  // TorchScript's profiling would change the bytes of later calls
        EXPECT_TRUE(at::equal(summary.solutions[i].z, again.solutions[i].z));
}

TEST(ImageImport, AClassifierAloneClassifiesAndSaysHowToGetAGenerator) {
    Theirs& theirs = Theirs::get();
    const ImportRequest request = theirs.request(theirs.classifier_file(), "alone");
    ImageImporter().import_model(request, {});
    const ImageModel model(open_pack(request.out));
    ImageBatch batch(model, pictures(3)), original(*theirs.ours, pictures(3));
    EXPECT_TRUE(at::allclose(batch.classify(), original.classify(), 1e-3, 1e-4));
    try {
        batch.start(at::zeros({3}, at::kLong), 1);
        FAIL() << "there is no generator to start with";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_pack);
        EXPECT_THAT(error.what(), HasSubstr("whynot train image --generator-only"));
    }
}

TEST(ImageImport, AGeneratorIsTrainedForAClassifierThatWasBroughtAlong) {
    Theirs& theirs = Theirs::get();
    const ImportRequest request = theirs.request(theirs.classifier_file(), "classifier");
    ImageImporter().import_model(request, {});
    GeneratorRequest asked;
    asked.pack = open_pack(request.out);
    asked.data = theirs.folder / "pictures";
    asked.out = theirs.folder / "trained";
    asked.recipe = toy::recipe();
    std::vector<std::string> lines;
    Observer observer;
    observer.log = [&](const std::string& line) { lines.push_back(line); };
    ImageImporter().train_generator(asked, observer);
    EXPECT_THAT(lines,
                ::testing::Contains(HasSubstr(
                    "294 images to learn from, 6 to measure with; what the classifier calls them: ring 100, standing 100, lying 100")));

    const Pack pack = open_pack(asked.out);
    EXPECT_EQ(pack.manifest().corpus, "pictures");
    EXPECT_EQ(pack.manifest().classes, request.classes);
    const Json figures = Json::parse(pack.manifest().quality)["figures"];
    EXPECT_LT(figures[0]["value"], figures[1]["value"]) << "the generator learns more than the mean image";
    const ImageModel model(pack);
    ImageBatch batch(model, pictures(12));
    EXPECT_EQ(explain(model, batch).feasible, 12);
}

TEST(ImageImport, WhatTheClassifierEmitsIsFoundOutAndMeansTheSame) {
    Theirs& theirs = Theirs::get();
    const at::Tensor expected = ImageBatch(*theirs.ours, pictures(6)).classify();
    const std::pair<Emits, const char*> kinds[] = {{Emits::logits, "    return self.net(x) + 3\n"},
                                                   {Emits::log_probabilities, "    return torch.log_softmax(self.net(x), 1)\n"},
                                                   {Emits::probabilities, "    return torch.softmax(self.net(x), 1)\n"}};
    for (const auto& [emits, forward] : kinds) {
        SCOPED_TRACE(to_string(emits));
        ImportRequest request = theirs.request(theirs.classifier_file(forward), "kind");
        EXPECT_EQ(Json::parse(ImageImporter().import_model(request, {}))["emits"], to_string(emits));
        const ImageModel model(open_pack(request.out));
        EXPECT_TRUE(at::allclose(ImageBatch(model, pictures(6)).classify(), expected, 1e-3, 1e-3));
        for (const Emits declared : {Emits::logits, Emits::log_probabilities, Emits::probabilities}) {
            const std::string answer = theirs.refusal(request.files["classifier"], [&](ImportRequest& r) { r.emits = declared; });
            if (declared == emits || (declared == Emits::logits && emits == Emits::log_probabilities)) {
                EXPECT_EQ(answer, "it was taken");
                continue;
            }
            EXPECT_THAT(answer, AllOf(HasSubstr(std::string("declared to emit ") + to_string(declared)),
                                      HasSubstr(std::string("emits ") + to_string(emits)), HasSubstr("rows sum to")));
        }
    }
}

TEST(ImageImport, TheNormalisationIsWhatTheClassifierIsGiven) {
    Theirs& theirs = Theirs::get();
    ImportRequest request = theirs.request(theirs.classifier_file("    return self.net(x * 0.5 + 0.25)\n"), "normalised");
    request.input = R"({"channels": 1, "height": 16, "width": 16, "mean": [0.25], "std": [0.5]})";
    ImageImporter().import_model(request, {});
    const ImageModel model(open_pack(request.out));
    EXPECT_TRUE(at::allclose(ImageBatch(model, pictures(6)).classify(), ImageBatch(*theirs.ours, pictures(6)).classify(), 1e-3, 1e-3));
    EXPECT_THAT(theirs.refusal(theirs.classifier_file(),
                               [](ImportRequest& r) { r.input = R"({"channels": 1, "height": 16, "width": 16, "mean": [1, 2, 3]})"; }),
                HasSubstr("one number, found 3"));
    EXPECT_THAT(theirs.refusal(theirs.classifier_file(),
                               [](ImportRequest& r) { r.input = R"({"channels": 1, "height": 16, "width": 16, "std": [0]})"; }),
                HasSubstr("positive"));
}

TEST(ImageImport, AModelThatDoesNotFitIsNamedWithWhatToDo) {
    Theirs& theirs = Theirs::get();
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x)[:, :2]\n"),
                AllOf(HasSubstr("[16, 3]"), HasSubstr("[16, 2]"), HasSubstr("name as many classes")));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.sigmoid(self.net(x)[:, :1])\n"), HasSubstr("torch.stack"));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.sigmoid(self.net(x))\n"), HasSubstr("sigmoid for each class"));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x).detach()\n"), HasSubstr("no gradient"));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(torch.floor(x * 4) / 4)\n"), HasSubstr("gradients are 0"));
    EXPECT_THAT(theirs.refusal_of_forward("    y = self.net(x)\n    return 0.3 * y + 0.7 * y.detach()\n"),
                AllOf(HasSubstr("not the derivatives"), HasSubstr("16 of 16")));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.log(self.net(x))\n"), HasSubstr("not finite"));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x * 0)\n"), HasSubstr("same answer"));
    EXPECT_THAT(
        theirs.refusal_of_forward("    y = self.net(x)\n    return torch.batch_norm(y, None, None, None, None, True, 0.1, 1e-5, False)\n"),
        AllOf(HasSubstr("model.eval()"), HasSubstr("batch normalisation")));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.softmax(self.net(x), 0)\n"), HasSubstr("softmax over them"));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.dropout(self.net(x), 0.5, True)\n"),
                AllOf(HasSubstr("dropout"), HasSubstr("model.eval()")));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x.view(16, 1, 16, 16))\n"), HasSubstr("no single input"));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x.to(7))\n"),
                AllOf(HasSubstr("classifier.pt fails on an input of [16, 1, 16, 16]"), HasSubstr("double")));
    EXPECT_THAT(theirs.refusal_of_forward("    return torch.argmax(self.net(x), 1)\n"),
                AllOf(HasSubstr("a tensor of 32-bit floats"), HasSubstr("one of type Long"), HasSubstr("before any argmax")));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x).to(5)\n"),
                AllOf(HasSubstr("one of type Half"), HasSubstr("model.float()")));
    EXPECT_THAT(theirs.refusal_of_forward("    return self.net(x.view(1, 1, 16, 16))\n"),
                AllOf(HasSubstr("a single input, but no batch of 16"), HasSubstr("batch size must be free")));
    // What is in training mode only because nobody called eval() is put right instead.
    EXPECT_EQ(theirs.refusal_of_forward("    return torch.dropout(self.net(x), 0.5, self.training)\n"), "it was taken");

    const fs::path text = theirs.folder / "weights.pt";
    std::ofstream(text) << "no network";
    EXPECT_THAT(theirs.refusal(text), HasSubstr("weights.pt: expected a TorchScript file"));
    EXPECT_THAT(theirs.refusal(theirs.folder / "missing.pt"), HasSubstr("there is no file"));
    EXPECT_THAT(
        theirs.refusal(theirs.classifier_file(), [](ImportRequest& r) { r.input = R"({"channels": 3, "height": 16, "width": 16})"; }),
        HasSubstr("[16, 3, 16, 16]"));
    EXPECT_THAT(theirs.refusal(theirs.classifier_file(), [](ImportRequest& r) { r.input = R"({"channels": 1, "height": 16})"; }),
                HasSubstr("the width of images"));
}

TEST(ImageImport, AGeneratorThatDoesNotFitIsNamedToo) {
    Theirs& theirs = Theirs::get();
    const fs::path good_encoder = write_script(theirs.folder / "encoder.pt", encoder, theirs.generator);
    const auto refusal = [&](const fs::path& encoder_file, const fs::path& decoder_file, const std::string& data = "pictures") {
        return theirs.refusal(theirs.classifier_file(), [&](ImportRequest& r) {
            r.files["encoder"] = encoder_file;
            r.files["decoder"] = decoder_file;
            r.data = data.empty() ? fs::path() : theirs.folder / data;
        });
    };
    const auto decoder = [&](const std::string& result) {
        return write_script(theirs.folder / "decoder.pt", decoder_with(result), theirs.generator);
    };
    EXPECT_THAT(refusal(good_encoder, decoder("torch.tanh(x)")), AllOf(HasSubstr("pixels from 0 to 1"), HasSubstr("(x + 1) / 2")));
    EXPECT_THAT(refusal(good_encoder, decoder("x")), HasSubstr("sigmoid"));
    EXPECT_THAT(refusal(good_encoder, decoder("torch.sigmoid(x)[:, :, :8]")),
                AllOf(HasSubstr("[16, 1, 16, 16]"), HasSubstr("[16, 1, 8, 16]")));
    EXPECT_THAT(refusal(good_encoder, decoder("torch.sigmoid(x).detach()")), AllOf(HasSubstr("decoder.pt"), HasSubstr("no gradient")));
    EXPECT_THAT(refusal(good_encoder, decoder("torch.sigmoid(x)"), ""), HasSubstr("a folder of images"));
    EXPECT_THAT(
        refusal(decoder("torch.sigmoid(x)"), good_encoder),
        AllOf(HasSubstr("as the encoder, from images [b, 1, 16, 16] to codes [b, k]: decoder.pt fails on an input of [16, 1, 16, 16]")));
    EXPECT_THAT(refusal(good_encoder, good_encoder), AllOf(HasSubstr("as the decoder, from codes [b, "), HasSubstr("encoder.pt fails")));
    EXPECT_THAT(refusal(good_encoder, decoder("torch.sigmoid(x) / 0 * 0")), AllOf(HasSubstr("as the decoder"), HasSubstr("not finite")));
    EXPECT_THAT(refusal(good_encoder, decoder("torch.sigmoid(x)"), "nowhere"), HasSubstr("expected a folder of images"));
    EXPECT_THAT(refusal(write_script(theirs.folder / "flat.pt", "def forward(self, x: Tensor):\n    return x.mean()\n"),
                        decoder("torch.sigmoid(x)")),
                HasSubstr("flat.pt"));
    EXPECT_THAT(theirs.refusal(theirs.classifier_file(), [&](ImportRequest& r) { r.files["encoder"] = good_encoder; }),
                HasSubstr("go together"));
}

TEST(ImageImport, APackThatSaysSomethingElseOfItsClassifierIsRefused) {
    Theirs& theirs = Theirs::get();
    const ImportRequest request = theirs.request(theirs.classifier_file("    return torch.softmax(self.net(x), 1)\n"), "altered");
    ImageImporter().import_model(request, {});
    const auto refusal = [&](const std::function<void(PackManifest&)>& change) {
        PackManifest manifest = read_manifest(request.out);
        change(manifest);
        const fs::path out = theirs.folder / "altered-again";
        fs::remove_all(out);
        PackWriter writer(out);
        fs::copy_file(request.out / "classifier.pt", writer.path("classifier.pt"));
        const Pack pack = writer.finish(manifest);
        try {
            ImageModality().open(pack, "cpu");
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::bad_pack);
            return std::string(error.what());
        }
        return std::string("it was taken");
    };
    EXPECT_EQ(refusal([](PackManifest&) {}), "it was taken");
    EXPECT_THAT(refusal([](PackManifest& m) { m.emits = Emits::log_probabilities; }), HasSubstr("on a sample it emits probabilities"));
    EXPECT_THAT(refusal([](PackManifest& m) { m.emits = Emits::logits; }), HasSubstr("on a sample it emits probabilities"));
    EXPECT_THAT(refusal([](PackManifest& m) { m.classes.push_back("fourth"); }), HasSubstr("[2, 4]"));
    EXPECT_THAT(refusal([](PackManifest& m) { m.network = R"({"classifier": {"kind": "torchscript", "mean": [0]}})"; }),
                HasSubstr("classifier.std"));
}

}  // namespace
