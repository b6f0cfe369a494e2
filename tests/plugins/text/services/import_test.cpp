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

        const Tokenizer& tokenizer = ours->networks().generator->tokenizer;
        const at::Tensor& embedding = ours->networks().classifier().embedding;
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
        const Classifier& classifier = ours->networks().classifier();
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

/// Sentences of several lengths at a time get what they get alone.
void expect_the_same_alone(Asked& asked) {
    const at::Tensor rows = at::tensor({3l, 0l, 1l, 0l});
    const at::Tensor z = asked.problem.start.index_select(0, rows) + 0.1;
    const at::Tensor together = asked.batch->log_likelihood(z, rows);
    for (int64_t i = 0; i < 4; ++i)
        EXPECT_TRUE(at::allclose(together[i], asked.batch->log_likelihood(z.slice(0, i, i + 1), rows.slice(0, i, i + 1))[0], 1e-3, 1e-4));
}

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
    EXPECT_FALSE(model.networks().classifier().additive());
    Asked asked(model), original(*theirs.ours);
    EXPECT_TRUE(at::allclose(asked.batch->classify(), original.batch->classify(), 1e-3, 1e-3));
    const auto records = expect_explanations(model, asked);
    EXPECT_EQ(records[0]["edits"][0]["from"], "gross");
    // For a sum, a word's part is what it adds; so the parts and the bias give the whole.
    const at::Tensor logits =
        theirs.ours->networks().classifier().logits(static_cast<TextBatch&>(*original.batch).relaxation().sentences());
    const at::Tensor& bias = theirs.ours->networks().classifier().bias;
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
    expect_the_same_alone(asked);
    EXPECT_EQ(expect_explanations(model, asked)[0]["edits"][0]["from"], "gross");
}

TEST(TextImport, APackWithoutAGeneratorSaysHowToGetOne) {
    const ImportRequest request = Theirs::get().request(additive, "alone");
    const Json findings = Json::parse(TextImporter().import_model(request, {}));
    EXPECT_EQ(findings["emits"], "logits");
    EXPECT_FALSE(findings.contains("unknown words"));
    const size_t given = Theirs::get().words.size();
    EXPECT_EQ(findings["words"], std::to_string(given - 3) + " of " + std::to_string(given) + " can occur in a text");
    const std::unique_ptr<Model> model = TextModality().open(open_pack(request.out), "cpu");
    std::vector<ReadNotes> notes;
    const std::unique_ptr<Batch> batch = model->read({{texts_asked[0], ""}}, notes);
    const std::unique_ptr<Batch> ours = Theirs::get().ours->read({{texts_asked[0], ""}}, notes);
    EXPECT_TRUE(at::allclose(batch->classify(), ours->classify(), 1e-3, 1e-3)) << "it classifies";
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { batch->start(at::zeros({1}, at::kLong), 1); }),
                HasSubstr("whynot train text --generator-only"));
}

/// The toy classifier over pieces of words, as BERT cuts them: of a word of more than four letters the second piece has the word's row, the first
/// says nothing.
struct TheirPieces {
    std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "##zz"};
    std::vector<at::Tensor> rows;

    TheirPieces() {
        Theirs& theirs = Theirs::get();
        const Tokenizer& tokenizer = theirs.ours->networks().generator->tokenizer;
        const at::Tensor& embedding = theirs.ours->networks().classifier().embedding;
        for (size_t i = 0; i < pieces.size(); ++i) rows.push_back(at::zeros_like(embedding[0]));
        rows[1] = embedding[unk_id];
        const auto add = [&](const std::string& piece, const at::Tensor& row) {
            if (std::find(pieces.begin(), pieces.end(), piece) != pieces.end()) return;
            pieces.push_back(piece);
            rows.push_back(row);
        };
        for (int64_t id = first_word_id; id < tokenizer.size(); ++id) {
            const std::string word = tokenizer.piece(id);
            if (word.size() > 4) {
                add(word.substr(0, 3), at::zeros_like(embedding[0]));
                add("##" + word.substr(3), embedding[id]);
            } else {
                add(word, embedding[id]);
            }
        }
        write_lines(theirs.folder / "vocab.txt", pieces);
        write_tensor(theirs.folder / "pieces.pt", at::stack(rows));
    }

    ImportRequest request(const std::string& methods, const std::string& out) const {
        Theirs& theirs = Theirs::get();
        ImportRequest request = theirs.request(methods, out);
        request.files.erase("vocabulary");
        request.files["tokenizer"] = theirs.folder / "vocab.txt";
        request.files["embedding"] = theirs.folder / "pieces.pt";
        request.generator = (theirs.folder / "ours").string();
        return request;
    }
};

TEST(TextImport, AClassifierOfPiecesIsExplainedByTheGeneratorOfAnotherPack) {
    Theirs& theirs = Theirs::get();
    const TheirPieces pieces;
    const ImportRequest request = pieces.request(with_maximum, "pieces");
    const Json findings = Json::parse(TextImporter().import_model(request, {}));
    EXPECT_EQ(findings["before every text"], "[CLS]");
    EXPECT_EQ(findings["generator"], "ours");
    const Pack pack = open_pack(request.out);
    EXPECT_FALSE(pack.has("ngram.bin")) << "the generator is named, not copied";
    TextModel model(pack), words(theirs.whole(with_maximum, "maximum-of-words"));
    EXPECT_FALSE(model.networks().shared());
    Asked asked(model), original(words);
    EXPECT_TRUE(at::allclose(asked.batch->classify(), original.batch->classify(), 1e-3, 1e-3)) << "the same classifier";

    const GradientCheck check = check_gradients(asked.problem);
    EXPECT_TRUE(check.ok) << check.log;
    expect_the_same_alone(asked);
    const std::vector<Json> records = expect_explanations(model, asked);
    EXPECT_EQ(records[0]["edits"][0]["from"], "gross");
    EXPECT_THAT(records[0]["answer"].get<std::string>(), AllOf(HasSubstr("The food was"), HasSubstr("!"))) << "in the person's spelling";
}

TEST(TextImport, WhereTheGeneratorIsSureTheClassifierIsGivenTheTextItself) {
    Theirs& theirs = Theirs::get();
    const ImportRequest request = TheirPieces().request(with_maximum, "sure");
    TextImporter().import_model(request, {});
    TextModel model(open_pack(request.out));
    const Ids sentence = theirs.ours->networks().generator->tokenizer.encode({"the", "waiter", "was", "superb", "zorky"}).ids;
    PieceSentence read = model.networks().reader.read("the WAITER was superb zorky", split_words("the WAITER was superb zorky"));
    EXPECT_EQ(read.words[1].size(), 2u);
    EXPECT_EQ(model.entrance().asked(sentence, read, sentence), read.all());
    Ids edited = sentence;
    edited.erase(edited.begin() + 3);
    PieceSentence without = read;
    without.words.erase(without.words.begin() + 3);
    EXPECT_EQ(model.entrance().asked(sentence, read, edited), without.all()) << "each word that stays keeps its pieces, unknown ones too";
    edited.insert(edited.begin(), sentence[3]);
    without.words.insert(without.words.begin(), read.words[3]);
    EXPECT_EQ(model.entrance().asked(sentence, read, edited), without.all());

    const Relaxation relaxation = model.relax({sentence}, {read});
    const at::Tensor z = model.networks().generator->autoencoder.encode(Sentences{sentence});
    const at::Tensor d = relaxation.log_distributions(z, 0)[0].exp();
    const Entrance& entrance = model.entrance();
    std::vector<at::Tensor> blocks;
    for (const int64_t piece : read.before) blocks.push_back(entrance.pieces()[piece]);
    for (size_t t = 0; t < sentence.size(); ++t)
        for (const int64_t piece : read.words[t]) {
            const auto row = static_cast<int64_t>(t);
            blocks.push_back(at::mv(entrance.words().t(), d[row]) +
                             d[row][sentence[t]] * (entrance.pieces()[piece] - entrance.words()[sentence[t]]));
        }
    for (const int64_t piece : read.after) blocks.push_back(entrance.pieces()[piece]);
    const at::Tensor expected = model.networks().classifier().logits(at::stack(blocks).unsqueeze(0));
    EXPECT_TRUE(at::allclose(relaxation.logits(z, at::zeros({1}, at::kLong)), expected, 1e-3, 1e-4)) << "as entrance.h says";
}

TEST(TextImport, WhatItsOwnCodeSaysIsComparedFirst) {
    Theirs& theirs = Theirs::get();
    const TheirPieces pieces;
    std::vector<ReadNotes> notes;
    const at::Tensor said = theirs.ours->read({{texts_asked[2], ""}}, notes)->classify().exp();
    const auto verified = [&](double first, double second) {
        ImportRequest request = pieces.request(additive, "verified");
        request.verify = theirs.folder / "said.jsonl";
        write_lines(request.verify, {"", Json({{"text", texts_asked[2]}, {"probabilities", {first, second}}}).dump()});
        return Json::parse(TextImporter().import_model(request, {}))["verified"].get<std::string>();
    };
    const double first = said[0][0].item<double>();
    EXPECT_THAT(verified(first, 1 - first), HasSubstr("1 texts as its own code says"));
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { verified(first + 0.01, 0.99 - first); }),
                AllOf(HasSubstr("said.jsonl, line 2"), HasSubstr("'negative'"), HasSubstr("[CLS] soup is rea ##lly lov ##ely here [SEP]")));
    write_lines(theirs.folder / "said.jsonl", {R"({"text": "a"})"});
    ImportRequest request = pieces.request(additive, "verified-not");
    request.verify = theirs.folder / "said.jsonl";
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { TextImporter().import_model(request, {}); }), HasSubstr("probabilities"));
    EXPECT_FALSE(fs::exists(request.out)) << "a refused model leaves nothing behind";
}

TEST(TextImport, PiecesThatDoNotFitAreNamed) {
    Theirs& theirs = Theirs::get();
    const TheirPieces pieces;
    const auto refused = [&](const std::function<void(ImportRequest&)>& change, ErrorCode code = ErrorCode::invalid_input) {
        ImportRequest request = pieces.request(additive, "unfit");
        change(request);
        return message_of(code, [&] { TextImporter().import_model(request, {}); });
    };
    write_tensor(theirs.folder / "short.pt", at::stack(pieces.rows).slice(0, 0, 9));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.files["embedding"] = theirs.folder / "short.pt"; }),
                AllOf(HasSubstr("a row for each of the " + std::to_string(pieces.pieces.size())), HasSubstr("found 9")));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.files["tokenizer"] = theirs.folder / "words.txt"; }), HasSubstr("whole words"));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.input = R"({"before": ["[GO]"]})"; }), HasSubstr("'[GO]'"));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.input = R"({"cas": "lower"})"; }, ErrorCode::invalid_argument), HasSubstr("cas"));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.files["vocabulary"] = theirs.folder / "words.txt"; }, ErrorCode::invalid_argument),
                HasSubstr("found both"));
    EXPECT_THAT(refused([&](ImportRequest& r) { r.generator = "no-such-pack"; }, ErrorCode::not_found), HasSubstr("no-such-pack"));
}

TEST(TextImport, APackWhoseGeneratorIsAnotherOneNowIsRefused) {
    Theirs& theirs = Theirs::get();
    const ImportRequest request = TheirPieces().request(additive, "follows");
    TextImporter().import_model(request, {});
    const fs::path manifest = theirs.folder / "ours" / "pack.json";
    const std::string before = contents(manifest);
    put(manifest, before + " ");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { TextModel model(open_pack(request.out)); }),
                AllOf(HasSubstr("the generator of the pack 'ours'"), HasSubstr("found another one")));
    put(manifest, before);
    EXPECT_TRUE(TextModel(open_pack(request.out)).networks().generator);
    fs::create_directory(theirs.folder / "elsewhere");
    fs::rename(theirs.folder / "ours", theirs.folder / "elsewhere" / "ours");
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { TextModel model(open_pack(request.out)); }), HasSubstr("'ours'"));
    fs::rename(theirs.folder / "elsewhere" / "ours", theirs.folder / "ours");
}

TEST(TextImport, AGeneratorAloneServesClassifiersOfAnyReading) {
    Theirs& theirs = Theirs::get();
    GeneratorRequest generator;
    generator.data = theirs.folder / "sentences.txt";
    generator.out = theirs.folder / "sayings";
    generator.recipe = toy::recipe();
    TextImporter().train_generator(generator, {});
    const Pack alone = open_pack(generator.out);
    EXPECT_TRUE(Networks::is_generator(alone));
    EXPECT_THAT(alone.manifest().classes, ::testing::IsEmpty());
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { TextModality().open(alone, "cpu"); }), HasSubstr("--generator sayings"));

    ImportRequest request = TheirPieces().request(with_maximum, "by-sayings");
    request.generator = generator.out.string();
    TextImporter().import_model(request, {});
    TextModel model(open_pack(request.out));
    Asked asked(model);
    expect_explanations(model, asked);

    // A corpus of other words: its classifier reads these, and is explained all the same.
    TrainRequest training;
    training.corpus = "toy";
    training.corpora = theirs.folder.path();
    training.out = theirs.folder / "trained-by-sayings";
    training.recipe = toy::recipe();
    training.generator = generator.out.string();
    TextTrainer().train(training, {});
    TextModel trained(open_pack(training.out));
    Asked again(trained);
    const GradientCheck check = check_gradients(again.problem);
    EXPECT_TRUE(check.ok) << check.log;
    expect_explanations(trained, again);
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
    EXPECT_THAT(with("vocabulary", "pieces.txt"), AllOf(HasSubstr("'##ing' is a piece of a word"), HasSubstr("--tokenizer")));
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
