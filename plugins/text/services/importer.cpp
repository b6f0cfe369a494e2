#include "text/services/importer.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "corpora/files.h"
#include "text/model/model.h"
#include "text/networks/autoencoder_training.h"
#include "text/pack/networks.h"
#include "text/reading/corpus.h"
#include "text/services/generator.h"
#include "text/services/given_sentences.h"
#include "text/services/recipe.h"
#include "text/services/verification.h"
#include "text/services/word_model.h"
#include "training/checkpoint.h"
#include "training/pack_contents.h"
#include "training/probe.h"
#include "training/random.h"
#include "training/recipe.h"
#include "training/run.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;
namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::invalid_argument, what); }
[[noreturn]] void bad(const fs::path& file, const std::string& what) {
    throw Error(ErrorCode::invalid_input, file.filename().string() + ": " + what);
}

/// A tensor [V, e] that torch.save wrote.
at::Tensor embedding_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw Error(ErrorCode::not_found, "there is no file " + file.string());
    const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    c10::IValue value;
    try {
        value = torch::jit::pickle_load(bytes);
    } catch (const std::exception&) {
        bad(file, "expected the embedding as torch.save(model.embedding.weight.detach(), FILE) writes it");
    }
    if (!value.isTensor() || value.toTensor().dim() != 2 || !value.toTensor().is_floating_point())
        bad(file, "expected a tensor [words, dimension] of floats, found " +
                      (value.isTensor() ? "one of shape " + training::shape_text(value.toTensor().sizes()) : value.tagKind()));
    const at::Tensor embedding = value.toTensor().detach().to(at::kCPU, at::kFloat).contiguous();
    if (!embedding.isfinite().all().item<bool>()) bad(file, "it has numbers that are not finite");
    if (embedding.size(1) < 1 || embedding.size(1) > 4096)
        bad(file, "expected a dimension from 1 to 4096, found " + std::to_string(embedding.size(1)));
    return embedding;
}

bool means_unknown(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    return word == "<unk>" || word == "[unk]" || word == "_unk_" || word == "unk";
}

/// Their words as a vocabulary of ours.
struct WordVocabulary {
    std::string tokenizer_model;
    at::Tensor embedding;  // [V, e]
    size_t kept = 0, given = 0;
    bool has_unknown = false;
};

WordVocabulary vocabulary_of(const fs::path& words_file, const fs::path& embedding_file) {
    const std::vector<std::string> words = lines_of(words_file);
    const at::Tensor theirs = embedding_of(embedding_file);
    if (static_cast<int64_t>(words.size()) != theirs.size(0))
        bad(words_file, "expected a word a line for each of the " + std::to_string(theirs.size(0)) + " rows of " +
                            embedding_file.filename().string() + ", found " + std::to_string(words.size()));
    WordVocabulary result;
    result.given = words.size();
    const auto of_pieces = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return (word.size() > 2 && word.compare(0, 2, "##") == 0) || word.compare(0, 2, "\xC4\xA0") == 0 ||
               word.compare(0, 3, "\xE2\x96\x81") == 0;
    });
    if (of_pieces != words.end())
        bad(words_file,
            "its entry " + base::in_quotes(*of_pieces) +
                " is a piece of a word; a model of pieces is brought along with its tokenizer (--tokenizer), not with a vocabulary");
    std::vector<std::vector<std::string>> kept;
    std::unordered_map<std::string, int64_t> row_of;
    int64_t unknown = -1;
    for (size_t i = 0; i < words.size(); ++i) {
        if (means_unknown(words[i]))
            unknown = static_cast<int64_t>(i);
        else if (!words[i].empty() && writable(words[i]) && row_of.emplace(words[i], i).second)
            kept.push_back({words[i]});
    }
    result.kept = kept.size();
    result.has_unknown = unknown >= 0;
    if (2 * kept.size() < words.size())
        bad(words_file, "of its " + std::to_string(words.size()) + " entries only " + std::to_string(kept.size()) +
                            " are words as texts are split here: lower case, punctuation apart, \"did n't\"; a model of pieces of words, "
                            "or one that tells capitals apart, is brought along with its tokenizer (--tokenizer)");
    TokenizerOptions options;
    options.kind = TokenizerKind::word;
    options.min_count = 1;
    result.tokenizer_model = train_tokenizer(options, kept.size(), [&](size_t i) { return &kept[i]; });
    const Tokenizer tokenizer(options.kind, result.tokenizer_model);
    result.embedding = at::zeros({tokenizer.size(), theirs.size(1)});
    if (unknown >= 0) result.embedding[unk_id].copy_(theirs[unknown]);
    for (int64_t id = first_word_id; id < tokenizer.size(); ++id) result.embedding[id].copy_(theirs[row_of.at(tokenizer.piece(id))]);
    return result;
}

void expect_complete(const ImportRequest& request) {
    for (const char* role : {"classifier", "embedding"})
        if (request.files.count(role) == 0)
            refuse(std::string("expected the file of ") + (role[0] == 'c' ? "a " : "an ") + role + ", found none");
    const size_t readings = request.files.count("vocabulary") + request.files.count("tokenizer");
    if (readings != 1)
        refuse(std::string(
                   "expected the file of a vocabulary, for a model of whole words, or of a tokenizer, for one of pieces of words; found ") +
               (readings == 0 ? "none" : "both"));
    if (request.files.size() > 3)
        refuse(
            "a model of text has a classifier, an embedding, and a vocabulary or a tokenizer; its generator is another pack's, or trained "
            "by 'whynot train text --generator-only'");
    if (request.classes.size() < 2) refuse("expected the names of at least two classes, found " + std::to_string(request.classes.size()));
}

/// A model as it was brought along.
struct Brought {
    Reader reader;
    Json findings = Json::object();  // of its vocabulary
};

/// What somebody says of how a tokenizer reads.
void add_said(PieceSource& source, const std::string& input) {
    const Json json = base::parse_json_object(input.empty() ? "{}" : input, ErrorCode::invalid_argument, "input");
    base::Members said(json, ErrorCode::invalid_argument, "input");
    if (said.has("case")) {
        if (source.kind != "wordpiece") said.refuse("case", "given for a vocab.txt only: other tokenizers say it themselves");
        const std::string letter_case = said.text("case");
        if (letter_case != "lower" && letter_case != "keep") said.refuse("case", "lower or keep");
        source.lower_case = letter_case == "lower";
    }
    if (said.has("before")) source.before = said.texts("before");
    if (said.has("after")) source.after = said.texts("after");
    said.finish();
}

Brought brought_with_words(const ImportRequest& request) {
    training::merge_recipe("{}", request.input, "input");  // there is nothing to be said of it
    const WordVocabulary vocabulary = vocabulary_of(request.files.at("vocabulary"), request.files.at("embedding"));
    Brought brought;
    brought.reader.source = {"words", {{"words.model", vocabulary.tokenizer_model}}, {}, {}, {}};
    brought.reader.pieces = make_piece_reader(brought.reader.source);
    brought.reader.classifier.embedding = vocabulary.embedding;
    brought.findings["words"] = std::to_string(vocabulary.kept) + " of " + std::to_string(vocabulary.given) + " can occur in a text";
    if (!vocabulary.has_unknown) brought.findings["unknown words"] = "a row of zeros: the vocabulary has no <unk>";
    return brought;
}

std::string spelt(const PieceReader& reader, const Ids& ids) {
    std::vector<std::string> pieces;
    for (const int64_t id : ids) pieces.push_back(reader.spelling(id));
    return base::joined(pieces, " ");
}

Brought brought_with_pieces(const ImportRequest& request) {
    const fs::path& file = request.files.at("embedding");
    Brought brought;
    Reader& reader = brought.reader;
    reader.source = find_tokenizer(request.files.at("tokenizer"));
    add_said(reader.source, request.input);
    reader.pieces = make_piece_reader(reader.source);
    reader.classifier.embedding = embedding_of(file);
    const int64_t rows = reader.classifier.embedding.size(0), pieces = reader.pieces->size();
    if (rows < pieces)
        bad(file, "expected a row for each of the " + std::to_string(pieces) + " pieces of the tokenizer, found " + std::to_string(rows) +
                      ": the tokenizer is not the model's own, or the embedding is not");
    brought.findings["tokenizer"] =
        reader.source.kind + (reader.source.lower_case ? *reader.source.lower_case ? ", lower case" : ", case kept" : "");
    brought.findings["pieces"] =
        std::to_string(pieces) + (rows == pieces ? "" : ", and the embedding has " + std::to_string(rows - pieces) + " rows more");
    if (!reader.pieces->before.empty()) brought.findings["before every text"] = spelt(*reader.pieces, reader.pieces->before);
    if (!reader.pieces->after.empty()) brought.findings["after every text"] = spelt(*reader.pieces, reader.pieces->after);
    return brought;
}

/// Embedded texts of pieces drawn from the vocabulary, [texts, before + pieces + after, e].
at::Tensor drawn_texts(const Reader& reader, int64_t texts, int64_t pieces, const at::Generator& random) {
    const int64_t first = reader.source.kind == "words" ? first_word_id : 0;
    const auto repeated = [&](const Ids& ids) { return at::tensor(ids, at::kLong).repeat({texts, 1}); };
    const at::Tensor drawn = at::empty({texts, pieces}, at::kLong).random_(first, reader.pieces->size(), random);
    const at::Tensor ids = at::cat({repeated(reader.pieces->before), drawn, repeated(reader.pieces->after)}, 1);
    return reader.classifier.embedding.index_select(0, ids.flatten()).view({texts, ids.size(1), -1});
}

/// What is found of a classifier on texts of drawn pieces, of which some have to be far apart.
struct Probed {
    int64_t samples = 16;
    at::Tensor outputs;        // [samples, C]
    int64_t gradients_ok = 0;  // samples
};

/// Sets what the classifier emits.
Probed probe(Reader& reader, const std::string& name, const ImportRequest& request) {
    constexpr int64_t length = 8;
    const at::Generator random = training::make_generator(request.seed);
    const training::Forward outputs = [&](const at::Tensor& embedded) { return reader.classifier.logits(embedded); };
    for (const int64_t words : {1, 2, 30}) {  // names shape and length where one cannot be
        const at::NoGradGuard no_grad;
        try {
            outputs(drawn_texts(reader, 2, words, random));
        } catch (const Error& error) {
            throw Error(error.code(), std::string(error.what()) + "; expected a classifier of embedded words [b, words, " +
                                          std::to_string(reader.classifier.dimension()) +
                                          "], for sentences of one word too: export what comes behind the embedding");
        }
    }
    Probed probed;
    const at::Tensor samples = drawn_texts(reader, probed.samples, length, random);
    probed.outputs = training::probe_network(name, outputs, samples);
    reader.classifier.emits = training::probe_emits(name, probed.outputs, request.emits);
    probed.gradients_ok = training::probe_gradients(name, outputs, samples);
    return probed;
}

/// The most pieces that a classifier takes, up to 4096: networks that know positions have no more of them.
int64_t most_pieces(const Reader& reader) {
    const at::NoGradGuard no_grad;
    const auto takes = [&](int64_t length) {
        try {
            reader.classifier.logits(reader.classifier.embedding[0].expand({1, length, -1}));
            return true;
        } catch (const Error&) {
            return false;
        }
    };
    constexpr int64_t most = 4096;
    int64_t taken = 30, refused = 60;  // `probe` has tried 30
    for (; taken < most && takes(refused); refused *= 2) taken = refused;
    while (taken < most && refused - taken > 1) {
        const int64_t middle = (taken + refused) / 2;
        (takes(middle) ? taken : refused) = middle;
    }
    return taken;
}

void add_findings(Json& findings, const Probed& probed, const Classifier& classifier, const std::vector<std::string>& classes) {
    const std::string samples = std::to_string(probed.samples);
    findings["samples"] = samples + " texts of drawn words or pieces";
    findings["emits"] = to_string(classifier.emits);
    findings["gradients"] = "agree with central differences in " + std::to_string(probed.gradients_ok) + " of " + samples + " samples";
    findings["longest text"] = std::to_string(classifier.longest) + " words or pieces";
    findings["classes"] = Json::object();
    const at::Tensor called = probed.outputs.argmax(1);
    for (size_t c = 0; c < classes.size(); ++c) findings["classes"][classes[c]] = called.eq(static_cast<int64_t>(c)).sum().item<int64_t>();
}

void expect_enough(const GivenSentences& given, int64_t longest) {
    if (given.development.empty() || given.train.size() < 4)
        throw Error(ErrorCode::invalid_input,
                    given.name + ": expected sentences, one a line, a hundred at the least and better a hundred thousand, found " +
                        std::to_string(given.train.size()) + " different ones of up to " + std::to_string(longest) + " words");
}

/// How many of all words a tokenizer does not know.
double unknown_share(const Sentences& sentences) {
    double words = 0, unknown = 0;
    for (const Ids& ids : sentences) {
        words += static_cast<double>(ids.size());
        unknown += static_cast<double>(std::count(ids.begin(), ids.end(), unk_id));
    }
    return unknown / std::max(1.0, words);
}

GeneratorData encoded(const GivenSentences& given, const Tokenizer& tokenizer) {
    GeneratorData data;
    for (const LabelledSentence& sentence : given.train) data.train.push_back(tokenizer.encode(sentence.words).ids);
    for (const auto& words : given.development) data.development.push_back(tokenizer.encode(words).ids);
    for (const auto& half : language_model_halves(given.train).search) data.search.push_back(tokenizer.encode(half).ids);
    return data;
}

std::string quality_of(const Autoencoder& autoencoder, const Sentences& development) {
    const Reconstruction back = reconstruction(autoencoder, development, autoencoder.encode(development));
    const auto n = static_cast<int64_t>(development.size());
    training::Figures figures;
    figures.add("autoencoder, encoding alone: sentences back exactly", back.exact, n, "share");
    figures.add("autoencoder, encoding alone: words back", back.tokens, n, "share");
    return Json{{"figures", figures.json()}}.dump();
}

}  // namespace

std::string TextImporter::import_model(const ImportRequest& request, const Observer&) {
    expect_complete(request);
    training::check_folder(request.out);
    PackWriter writer(request.out);
    Brought brought = request.files.count("tokenizer") != 0 ? brought_with_pieces(request) : brought_with_words(request);
    const fs::path& file = request.files.at("classifier");
    Networks networks;
    networks.reader = std::move(brought.reader);
    Classifier& classifier = networks.reader.classifier;
    classifier.bias = at::zeros({static_cast<int64_t>(request.classes.size())});
    classifier.network = std::make_shared<training::ScriptNetwork>(file);
    if (!request.verify.empty()) brought.findings["verified"] = verify(networks.reader, request);
    const Probed probed = probe(networks.reader, file.filename().string(), request);
    classifier.longest = most_pieces(networks.reader);
    add_findings(brought.findings, probed, classifier, request.classes);
    if (!request.generator.empty()) {
        const Pack generator = generator_pack(find_pack(request.generator, default_pack_search()));
        networks.named = Networks::Named{generator.manifest().id, generator.sha256()};
        networks.generator = load_generator(generator);
        networks.typical_distance = 3;
        brought.findings["generator"] = generator.manifest().id;
    }

    PackManifest manifest = training::manifest_for(request.out, "text", request.classes, request.seed);
    manifest.description = "Sentences: a model that was brought along";
    manifest.licence = request.licence;
    networks.save(writer, manifest, "");
    writer.finish(manifest);
    return brought.findings.dump();
}

void TextImporter::train_generator(const GeneratorRequest& request, const Observer& observer) {
    if (request.words_only) return train_word_model(request, observer);
    const Recipe recipe = Recipe::from_json(request.recipe);
    training::check_folder(request.out);
    PackWriter writer(request.out, {autoencoder_checkpoint, masked_checkpoint});
    std::optional<Networks> networks;
    if (request.pack) networks = Networks::load(*request.pack);
    // The words of a classifier of whole words are its generator's too; any other leaves it words of its own.
    const bool shared = networks && (networks->shared() || networks->reader.source.kind == "words");

    const GivenSentences given = read_sentences(request, recipe.autoencoder.longest);
    expect_enough(given, recipe.autoencoder.longest);
    std::string words;
    if (!shared)
        words = train_tokenizer({TokenizerKind::word, recipe.tokenizer.min_count}, given.train.size(),
                                [&](size_t i) { return &given.train[i].words; });
    else
        words = networks->reader.pieces ? networks->reader.source.files.at("words.model")
                                        : corpora::read_content(generator_pack(*request.pack).file("tokenizer.model"));
    Tokenizer tokenizer(shared && networks->shared() ? networks->generator->tokenizer.kind() : TokenizerKind::word, words);
    const GeneratorData data = encoded(given, tokenizer);
    const double unknown = unknown_share(data.train);
    training::say(observer, std::to_string(data.train.size()) + " sentences to learn from, " + std::to_string(data.development.size()) +
                                " to measure with, " + std::to_string(given.refused) +
                                " passed over (too long, or no words); of their words " + base::percent(unknown) +
                                " are not in the vocabulary of " + std::to_string(tokenizer.size()));
    if (2 * unknown > 1)
        throw Error(
            ErrorCode::invalid_input,
            given.name + ": the classifier does not know most of its words; is the vocabulary the right one, and of this language?");

    Json run{{"recipe", base::parse_own_json(recipe.to_json())}, {"seed", request.seed}, {"data", given.sha256}};
    if (request.pack) run["pack"] = request.pack->sha256();
    Generator generator = text::train_generator(std::move(tokenizer), shared ? networks->classifier().embedding : at::Tensor(), data,
                                                recipe, request.seed, {request.out, run.dump()}, observer);

    const std::vector<std::string> classes = request.pack ? request.pack->manifest().classes : std::vector<std::string>();
    PackManifest manifest = training::manifest_for(request.out, "text", classes, request.seed);
    manifest.recipe = recipe.to_json();
    manifest.corpus = given.name;
    manifest.corpus_sha256 = given.sha256;
    manifest.quality = quality_of(generator.autoencoder, data.development);
    if (!request.pack) {
        manifest.description = "A generator of sentences that other packs explain with: " + given.name;
        manifest.licence = given.licence;
        save_generator(generator, writer, manifest, words);
    } else {
        const PackManifest& of_pack = request.pack->manifest();
        manifest.description = of_pack.description + ", and a generator trained for it";
        manifest.licence = of_pack.licence;
        networks->generator = std::move(generator);
        networks->named.reset();
        networks->own_words = false;
        if (shared) networks->reader.pieces = nullptr;
        networks->typical_distance = 3;
        TextModel model(classes, *std::move(networks));
        model.networks().typical_distance = typical_distance(model, data.development);
        model.networks().save(writer, manifest, words);
    }
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
