#include "text/services/importer.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "base/json.h"
#include "base/sha256.h"
#include "corpora/files.h"
#include "text/model/model.h"
#include "text/model/networks.h"
#include "text/networks/autoencoder_training.h"
#include "text/reading/corpus.h"
#include "text/services/generator.h"
#include "text/services/recipe.h"
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

std::vector<std::string> lines_of(const fs::path& file) {
    if (fs::is_directory(file)) bad(file, "expected a file of text, found a folder");
    std::istringstream content(corpora::read_content(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(content, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(line);
    }
    return lines;
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
struct Vocabulary {
    std::string tokenizer_model;
    at::Tensor embedding;  // [V, e]
    size_t kept = 0, given = 0;
    bool has_unknown = false;
};

Vocabulary vocabulary_of(const fs::path& words_file, const fs::path& embedding_file) {
    const std::vector<std::string> words = lines_of(words_file);
    const at::Tensor theirs = embedding_of(embedding_file);
    if (static_cast<int64_t>(words.size()) != theirs.size(0))
        bad(words_file, "expected a word a line for each of the " + std::to_string(theirs.size(0)) + " rows of " +
                            embedding_file.filename().string() + ", found " + std::to_string(words.size()));
    Vocabulary result;
    result.given = words.size();
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
        bad(words_file,
            "of its " + std::to_string(words.size()) + " entries only " + std::to_string(kept.size()) +
                " are words as texts are split here: lower case, punctuation apart, \"did n't\"; a model of pieces of words or of "
                "words with capitals cannot be brought along yet");
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
    for (const char* role : {"classifier", "embedding", "vocabulary"})
        if (request.files.count(role) == 0) refuse(std::string("expected the file of a ") + role + ", found none");
    if (request.files.size() > 3)
        refuse(
            "a model of text has a classifier, an embedding and a vocabulary; its generator is trained by 'whynot train text "
            "--generator-only'");
    if (request.classes.size() < 2) refuse("expected the names of at least two classes, found " + std::to_string(request.classes.size()));
    training::merge_recipe("{}", request.input, "input");  // there is nothing to be said of it
}

/// Embedded sentences of words drawn from the vocabulary, [sentences, words, e].
at::Tensor drawn_sentences(const Classifier& classifier, int64_t sentences, int64_t words, const at::Generator& random) {
    const at::Tensor ids = at::empty({sentences * words}, at::kLong).random_(first_word_id, classifier.vocabulary(), random);
    return classifier.embedding.index_select(0, ids).view({sentences, words, -1});
}

/// What is found of a classifier on sentences of drawn words, of which some have to be far apart.
struct Probed {
    int64_t samples = 16;
    at::Tensor outputs;        // [samples, C]
    int64_t gradients_ok = 0;  // samples
};

/// Sets what the classifier emits.
Probed probe(Classifier& classifier, const std::string& name, const ImportRequest& request) {
    constexpr int64_t length = 8;
    const at::Generator random = training::make_generator(request.seed);
    const training::Forward outputs = [&](const at::Tensor& embedded) { return classifier.logits(embedded); };
    for (const int64_t words : {1, 2, 30}) {  // names shape and length where one cannot be
        const at::NoGradGuard no_grad;
        try {
            outputs(drawn_sentences(classifier, 2, words, random));
        } catch (const Error& error) {
            throw Error(error.code(), std::string(error.what()) + "; expected a classifier of embedded words [b, words, " +
                                          std::to_string(classifier.embedding.size(1)) +
                                          "], for sentences of one word too: export what comes behind the embedding");
        }
    }
    Probed probed;
    const at::Tensor samples = drawn_sentences(classifier, probed.samples, length, random);
    probed.outputs = training::probe_network(name, outputs, samples);
    classifier.emits = training::probe_emits(name, probed.outputs, request.emits);
    probed.gradients_ok = training::probe_gradients(name, outputs, samples);
    return probed;
}

Json findings_of(const Probed& probed, const Vocabulary& vocabulary, Emits emits, const std::vector<std::string>& classes) {
    const std::string samples = std::to_string(probed.samples);
    Json findings{{"samples", samples + " sentences of drawn words"},
                  {"emits", to_string(emits)},
                  {"gradients", "agree with central differences in " + std::to_string(probed.gradients_ok) + " of " + samples + " samples"},
                  {"words", std::to_string(vocabulary.kept) + " of " + std::to_string(vocabulary.given) + " can occur in a text"},
                  {"classes", Json::object()}};
    if (!vocabulary.has_unknown) findings["unknown words"] = "a row of zeros: the vocabulary has no <unk>";
    const at::Tensor called = probed.outputs.argmax(1);
    for (size_t c = 0; c < classes.size(); ++c) findings["classes"][classes[c]] = called.eq(static_cast<int64_t>(c)).sum().item<int64_t>();
    return findings;
}

/// The sentences of a file as a generator learns from them.
struct GivenSentences {
    GeneratorData data;
    std::string sha256;  // of the file's lines
    int64_t words = 0, unknown = 0, refused = 0;
};

GivenSentences read_sentences(const fs::path& file, const Tokenizer& tokenizer, int64_t longest) {
    GivenSentences given;
    std::vector<LabelledSentence> sentences;
    std::unordered_set<uint64_t> seen;
    base::Sha256 hash;
    for (const std::string& line : lines_of(file)) {
        hash.update(line + '\n');
        if (line.find_first_not_of(" \t") == std::string::npos) continue;
        std::vector<std::string> split;
        try {
            split = texts(split_words(line));
        } catch (const Error&) {
            ++given.refused;
            continue;
        }
        const Ids ids = tokenizer.encode(split).ids;
        if (ids.size() > static_cast<size_t>(longest)) {
            ++given.refused;
            continue;
        }
        if (!seen.insert(sentence_hash(split)).second) continue;
        given.words += static_cast<int64_t>(ids.size());
        given.unknown += std::count(ids.begin(), ids.end(), unk_id);
        if (sentence_hash(split) % 50 == 0) {  // every fiftieth by its hash is kept for measuring
            given.data.development.push_back(ids);
        } else {
            given.data.train.push_back(ids);
            sentences.push_back({std::move(split), 0});
        }
    }
    for (const auto& half : language_model_halves(sentences).search) given.data.search.push_back(tokenizer.encode(half).ids);
    given.sha256 = hash.hex();
    return given;
}

void expect_enough(const GivenSentences& given, const fs::path& file, int64_t longest) {
    if (given.data.development.empty() || given.data.search.size() < 2)
        bad(file, "expected sentences, one a line, a hundred at the least and better a hundred thousand, found " +
                      std::to_string(given.data.train.size()) + " different ones of up to " + std::to_string(longest) + " words");
}

std::string quality_of(const Networks& networks, const Sentences& development) {
    const Reconstruction back = reconstruction(networks.autoencoder, development, networks.autoencoder.encode(development));
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
    const Vocabulary vocabulary = vocabulary_of(request.files.at("vocabulary"), request.files.at("embedding"));
    const fs::path& file = request.files.at("classifier");
    const auto classes = static_cast<int64_t>(request.classes.size());
    Classifier classifier{vocabulary.embedding, {}, at::zeros({classes}), std::make_shared<training::ScriptNetwork>(file), Emits::logits};
    const Probed probed = probe(classifier, file.filename().string(), request);

    PackManifest manifest = training::manifest_for(request.out, "text", request.classes, request.seed);
    manifest.description = "Sentences: a model that was brought along";
    manifest.licence = request.licence;
    manifest.input = Json{{"tokenizer", to_string(TokenizerKind::word)}}.dump();
    Networks::save_classifier(classifier, writer, manifest);
    writer.add("tokenizer.model", vocabulary.tokenizer_model);
    writer.finish(manifest);
    return findings_of(probed, vocabulary, classifier.emits, request.classes).dump();
}

void TextImporter::train_generator(const GeneratorRequest& request, const Observer& observer) {
    const Recipe recipe = Recipe::from_json(request.recipe);
    training::check_folder(request.out);
    PackWriter writer(request.out, {autoencoder_checkpoint, masked_checkpoint});
    const PackManifest& given = request.pack.manifest();
    Tokenizer tokenizer = Networks::load_tokenizer(request.pack);
    Classifier classifier = Networks::has_generator(request.pack) ? Networks::load(request.pack).classifier
                                                                  : Networks::load_classifier(request.pack, tokenizer.size());

    const GivenSentences sentences = read_sentences(request.data, tokenizer, recipe.autoencoder.longest);
    const GeneratorData& data = sentences.data;
    expect_enough(sentences, request.data, recipe.autoencoder.longest);
    training::say(observer,
                  std::to_string(data.train.size()) + " sentences to learn from, " + std::to_string(data.development.size()) +
                      " to measure with, " + std::to_string(sentences.refused) + " passed over (too long, or no words); of their words " +
                      std::to_string(100 * sentences.unknown / std::max<int64_t>(1, sentences.words)) + " % are unknown to the classifier");
    if (2 * sentences.unknown > sentences.words)
        bad(request.data, "the classifier does not know most of its words; is the vocabulary the right one, and of this language?");

    const Json run{{"recipe", base::parse_own_json(recipe.to_json())},
                   {"seed", request.seed},
                   {"data", sentences.sha256},
                   {"pack", request.pack.sha256()}};
    const std::string tokenizer_model = corpora::read_content(request.pack.file("tokenizer.model"));
    Networks networks = text::train_generator({std::move(tokenizer), std::move(classifier), given.classes}, data, recipe, request.seed,
                                              {request.out, run.dump()}, observer);

    PackManifest manifest = training::manifest_for(request.out, "text", given.classes, request.seed);
    manifest.description = given.description + ", and a generator trained for it";
    manifest.emits = given.emits;
    manifest.recipe = recipe.to_json();
    manifest.corpus = request.data.filename().string();
    manifest.corpus_sha256 = sentences.sha256;
    manifest.licence = given.licence;
    manifest.quality = quality_of(networks, data.development);
    networks.save(writer, manifest, tokenizer_model);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::text
