// Text classifiers that people bring along: TorchScript over embedded words, written here from C++.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/text/toy.h"
#include "plugins/training/scripts.h"
#include "support/temporary_folder.h"
#include "text/model/modality.h"
#include "text/model/model.h"
#include "text/services/importer.h"
#include "text/services/trainer.h"
#include "whynot/error.h"
#include "whynot/gradient_check.h"
#include "whynot/solver.h"

namespace {

using namespace whynot;
using namespace whynot::text;
using whynot::test::write_script;
using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const char* const additive = R"(
def forward(self, x: Tensor):
    return torch.matmul(x.sum(1), self.weight.t()) + self.bias
)";

/// The strongest word counts twice: no sum of words any more.
const char* const with_maximum = R"(
def forward(self, x: Tensor):
    y = torch.matmul(x, self.weight.t())
    return y.sum(1) + torch.relu(y).max(1)[0] + self.bias
)";

void write_lines(const fs::path& file, const std::vector<std::string>& lines) {
    std::ofstream out(file);
    for (const std::string& line : lines) out << line << '\n';
}

void write_tensor(const fs::path& file, const at::Tensor& tensor) {
    const std::vector<char> bytes = torch::jit::pickle_save(tensor);
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A pack of the toy language, and its classifier as somebody else's: a vocabulary in another order, with entries of its own.
struct Theirs {
    TemporaryFolder folder;
    std::unique_ptr<TextModel> ours;
    std::vector<std::string> words;

    Theirs() {
        toy::write_corpus(folder.path(), 600, 60);
        TrainRequest request;
        request.corpus = "toy";
        request.corpora = folder.path();
        request.out = folder / "ours";
        request.recipe = toy::recipe();
        TextTrainer().train(request, {});
        ours = std::make_unique<TextModel>(open_pack(request.out));

        const Tokenizer& tokenizer = ours->networks().tokenizer;
        const at::Tensor& embedding = ours->networks().classifier.embedding;
        std::vector<at::Tensor> rows;
        const auto add = [&](const std::string& word, const at::Tensor& row) {
            words.push_back(word);
            rows.push_back(row);
        };
        add("[PAD]", at::ones_like(embedding[0]));
        for (int64_t id = tokenizer.size() - 1; id >= first_word_id; --id) add(tokenizer.piece(id), embedding[id]);
        add("[UNK]", embedding[unk_id]);
        add("Capital", at::ones_like(embedding[0]));
        write_lines(folder / "words.txt", words);
        write_tensor(folder / "embedding.pt", at::stack(rows));

        std::mt19937 random(9);
        std::ofstream sentences(folder / "sentences.txt");
        for (int i = 0; i < 600; ++i) sentences << toy::sentence(random, i % 2 == 0) << '\n';
        sentences << "\n\xff\n";
    }
    static Theirs& get() {
        static Theirs theirs;
        return theirs;
    }

    ImportRequest request(const std::string& methods, const std::string& out) {
        const Classifier& classifier = ours->networks().classifier;
        ImportRequest request;
        request.files["classifier"] =
            write_script(folder / "classifier.pt", methods, {{"weight", classifier.weight}, {"bias", classifier.bias}});
        request.files["embedding"] = folder / "embedding.pt";
        request.files["vocabulary"] = folder / "words.txt";
        request.classes = {"negative", "positive"};
        request.out = folder / out;
        fs::remove_all(request.out);
        return request;
    }

    std::string refusal(const std::string& methods, const std::function<void(ImportRequest&)>& change = {}) {
        ImportRequest asked = request(methods, "refused");
        if (change) change(asked);
        try {
            TextImporter().import_model(asked, {});
        } catch (const Error& error) {
            EXPECT_FALSE(fs::exists(asked.out)) << "a refused model leaves nothing behind";
            return error.what();
        }
        return "it was taken";
    }

    Pack whole(const std::string& methods, const std::string& out) {
        const ImportRequest asked = request(methods, out + "-classifier");
        TextImporter().import_model(asked, {});
        GeneratorRequest generator;
        generator.pack = open_pack(asked.out);
        generator.data = folder / "sentences.txt";
        generator.out = folder / out;
        generator.recipe = toy::recipe();
        TextImporter().train_generator(generator, {});
        return open_pack(generator.out);
    }
};

const std::vector<std::string> texts_asked{"The food was GROSS!", "the waiter is superb today .", "Soup is really lovely here",
                                           "food zorky bad"};

struct Asked {
    std::unique_ptr<Batch> batch;
    Problem problem;

    explicit Asked(TextModel& model) {
        std::vector<Input> inputs;
        for (const std::string& text : texts_asked) inputs.push_back({text, ""});
        std::vector<ReadNotes> notes;
        batch = model.read(inputs, notes);
        problem.fact = batch->classify().argmax(1);
        problem.foil = 1 - problem.fact;
        problem.start = batch->start(problem.fact, 1);
        problem.log_likelihood = [this](const at::Tensor& z, const at::Tensor& rows) { return batch->log_likelihood(z, rows); };
    }
};

/// What an explanation promises, whatever the classifier: @returns the records
std::vector<Json> expect_explanations(TextModel& model, Asked& asked) {
    const Summary summary = solve(asked.problem);
    std::vector<RenderRequest> requests;
    for (int64_t i = 0; i < asked.batch->size(); ++i) {
        EXPECT_TRUE(summary.solutions[i].feasible) << summary.solutions[i].reason;
        requests.push_back(
            {i, asked.problem.fact[i].item<int64_t>(), asked.problem.foil[i].item<int64_t>(), summary.solutions[i].z, "", "", ""});
    }
    std::vector<Json> records;
    for (const Rendering& rendering : asked.batch->render(requests, 1)) {
        const size_t i = records.size();
        EXPECT_EQ(rendering.failure, "");
        records.push_back(Json::parse(rendering.record));
        std::vector<ReadNotes> notes;
        const auto again = model.read({{records.back()["answer"].get<std::string>(), ""}}, notes);
        EXPECT_EQ(again->classify().argmax(1).item<int64_t>(), requests[i].foil) << records.back().dump();
    }
    return records;
}

TEST(TextImport, ASumOfWordsInTorchscriptIsTheClassifierThatItWasMadeFrom) {
    Theirs& theirs = Theirs::get();
    const Pack pack = theirs.whole(additive, "sum");
    TextModel model(pack);
    EXPECT_FALSE(model.networks().classifier.additive());
    Asked asked(model), original(*theirs.ours);
    EXPECT_TRUE(at::allclose(asked.batch->classify(), original.batch->classify(), 1e-3, 1e-3));
    const auto records = expect_explanations(model, asked);
    EXPECT_EQ(records[0]["edits"][0]["from"], "gross");
    // For a sum, a word's part is what it adds; so the parts and the bias give the whole.
    const at::Tensor logits = theirs.ours->networks().classifier.logits(static_cast<TextBatch&>(*original.batch).relaxation().sentences());
    const at::Tensor& bias = theirs.ours->networks().classifier.bias;
    for (size_t i = 0; i < records.size(); ++i) {
        const int64_t fact = asked.problem.fact[static_cast<int64_t>(i)].item<int64_t>();
        double sum = (bias[fact] - bias[1 - fact]).item<double>();
        for (const Json& contribution : records[i]["contributions"]) sum += contribution["before"].get<double>();
        const at::Tensor row = logits[static_cast<int64_t>(i)];
        EXPECT_NEAR(sum, (row[fact] - row[1 - fact]).item<double>(), 1e-2);
    }
}

TEST(TextImport, AClassifierThatIsNoSumOfWordsIsExplained) {
    Theirs& theirs = Theirs::get();
    TextModel model(theirs.whole(with_maximum, "maximum"));
    Asked asked(model);
    const GradientCheck check = check_gradients(asked.problem);
    EXPECT_TRUE(check.ok) << check.log;
    // Sentences of several lengths at a time get what they get alone.
    const at::Tensor rows = at::tensor({3l, 0l, 1l, 0l});
    const at::Tensor z = asked.problem.start.index_select(0, rows) + 0.1;
    const at::Tensor together = asked.batch->log_likelihood(z, rows);
    for (int64_t i = 0; i < 4; ++i)
        EXPECT_TRUE(at::allclose(together[i], asked.batch->log_likelihood(z.slice(0, i, i + 1), rows.slice(0, i, i + 1))[0], 1e-3, 1e-4));
    EXPECT_EQ(expect_explanations(model, asked)[0]["edits"][0]["from"], "gross");
}

TEST(TextImport, APackWithoutAGeneratorSaysHowToGetOne) {
    const ImportRequest request = Theirs::get().request(additive, "alone");
    const Json findings = Json::parse(TextImporter().import_model(request, {}));
    EXPECT_EQ(findings["emits"], "logits");
    EXPECT_FALSE(findings.contains("unknown words"));
    const size_t given = Theirs::get().words.size();
    EXPECT_EQ(findings["words"], std::to_string(given - 3) + " of " + std::to_string(given) + " can occur in a text");
    try {
        TextModality().open(open_pack(request.out), "cpu");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_pack);
        EXPECT_THAT(error.what(), HasSubstr("whynot train text --generator-only"));
    }
}

TEST(TextImport, AModelThatDoesNotFitIsNamedWithWhatToDo) {
    Theirs& theirs = Theirs::get();
    const auto with = [&](const char* role, const std::string& name) {
        return theirs.refusal(additive, [&](ImportRequest& r) { r.files[role] = theirs.folder / name; });
    };
    write_lines(theirs.folder / "few.txt", {"the", "food"});
    EXPECT_THAT(with("vocabulary", "few.txt"),
                AllOf(HasSubstr("a word a line for each of the " + std::to_string(theirs.words.size())), HasSubstr("found 2")));
    write_lines(theirs.folder / "pieces.txt", std::vector<std::string>(theirs.words.size(), "##ing"));
    EXPECT_THAT(with("vocabulary", ""), HasSubstr("expected a file of text, found a folder"));
    EXPECT_THAT(with("vocabulary", "pieces.txt"), HasSubstr("only 0 are words"));
    EXPECT_THAT(with("embedding", "words.txt"), HasSubstr("torch.save"));
    write_tensor(theirs.folder / "flat.pt", at::zeros({5}));
    EXPECT_THAT(with("embedding", "flat.pt"), HasSubstr("[5]"));
    EXPECT_THAT(theirs.refusal(additive, [](ImportRequest& r) { r.files.erase("vocabulary"); }), HasSubstr("vocabulary"));
    EXPECT_THAT(theirs.refusal(additive,
                               [](ImportRequest& r) {
                                   r.classes = {"a", "b", "c"};
                               }),
                AllOf(HasSubstr("[2, 3]"), HasSubstr("[2, 2]")));
    EXPECT_THAT(theirs.refusal(additive, [](ImportRequest& r) { r.emits = Emits::probabilities; }),
                HasSubstr("declared to emit probabilities"));
    EXPECT_THAT(theirs.refusal("def forward(self, x: Tensor):\n    return torch.matmul(x[:, 4], self.weight.t())\n"),
                AllOf(HasSubstr("fails on an input of [2, 1, 16]"), HasSubstr("export what comes behind the embedding")));
    EXPECT_THAT(theirs.refusal("def forward(self, x: Tensor):\n    return torch.matmul(x.detach().sum(1), self.weight.t())\n"),
                HasSubstr("no gradient"));
}

}  // namespace
