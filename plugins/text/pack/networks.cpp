#include "text/pack/networks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "base/file.h"
#include "base/format.h"
#include "base/json.h"
#include "training/checkpoint.h"
#include "training/pack_contents.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

constexpr const char* tokenizer_file = "tokenizer.model";
constexpr const char* weights_file = "weights.safetensors";
constexpr const char* classifier_file = "classifier.pt";
constexpr const char* embedding_file = "embedding.safetensors";
constexpr const char* torchscript = "torchscript";
constexpr const char* embedding_sum = "embedding-sum";
constexpr const char* own_words = "words";
constexpr const char* ngram_file = "ngram.bin";
constexpr const char* associations_file = "associations.bin";
constexpr const char* words_file = "words.safetensors";
constexpr const char* opinion_file = "opinion.safetensors";

/// One of the pack's files; `open_pack` has checked its size.
std::string bytes_of(const Pack& pack, const char* name) {
    return base::read_file(pack.file(name), std::numeric_limits<uint64_t>::max(), ErrorCode::bad_pack);
}

/// A classifier's network of ours.
std::shared_ptr<SentenceNetwork> stored_network(base::Members& declared, const std::string& kind, int64_t dimension, int64_t classes,
                                                training::StoredTensors& stored, const Pack& pack) {
    SentenceNetworkSizes sizes;
    sizes.kind = kind;
    sizes.hidden = declared.whole("hidden", 1, 4096);
    sizes.layers = declared.whole("layers", 1, 24, 1);
    sizes.heads = declared.whole("heads", 1, 4096, 1);
    try {
        const std::shared_ptr<SentenceNetwork> network = make_sentence_network(sizes, dimension, classes);
        for (const auto& [name, tensor] : network->tensors()) stored.take("classifier." + name, tensor);
        network->require_gradients(false);
        return network;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::bad_pack) throw;
        throw training::bad_pack(pack, error.what());
    }
}

/// A classifier of ours.
Classifier stored_classifier(base::Members& declared, const std::string& kind, int64_t vocabulary, training::StoredTensors& stored,
                             const Pack& pack) {
    const int64_t dimension = declared.whole("dimension", 1, 4096);
    const auto classes = static_cast<int64_t>(pack.manifest().classes.size());
    Classifier classifier{training::declared({vocabulary, dimension}), {}, training::declared({classes})};
    stored.take("classifier.embedding", classifier.embedding);
    if (kind == embedding_sum) {
        classifier.weight = training::declared({classes, dimension});
        stored.take("classifier.weight", classifier.weight);
        stored.take("classifier.bias", classifier.bias);
    } else {
        classifier.bias = at::zeros({classes});
        classifier.own_network = stored_network(declared, kind, dimension, classes, stored, pack);
    }
    return classifier;
}

/// A classifier that was brought along.
Classifier brought_classifier(base::Members& declared, int64_t vocabulary, const Pack& pack) {
    const PackManifest& manifest = pack.manifest();
    const int64_t dimension = declared.whole("dimension", 1, 4096);
    const auto classes = static_cast<int64_t>(manifest.classes.size());
    Classifier classifier{training::declared({vocabulary, dimension}), {}, at::zeros({classes})};
    training::StoredTensors stored(pack, embedding_file);
    stored.take("embedding", classifier.embedding);
    stored.finish();
    try {
        classifier.network = std::make_shared<training::ScriptNetwork>(pack.file(classifier_file));
        const at::NoGradGuard no_grad;
        const at::Tensor outputs = classifier.logits(classifier.embedding.slice(0, 0, 8).unsqueeze(0));
        if (const Emits found = training::recognise_emits(outputs); !training::may_be_declared(manifest.emits, found))
            throw training::bad_pack(pack, std::string("its classifier is declared to emit ") + to_string(manifest.emits) +
                                               ", but on a sample it emits " + to_string(found));
    } catch (const Error& error) {
        if (error.code() == ErrorCode::bad_pack) throw;
        throw training::bad_pack(pack, error.what());
    }
    classifier.emits = manifest.emits;
    classifier.longest = declared.whole("longest", 0, 1'000'000, 0);
    return classifier;
}

/// The reading of its own that a pack says its classifier has.
PieceSource stored_source(const Pack& pack, base::Members& input) {
    base::Members declared = input.object("pieces");
    PieceSource source;
    source.kind = declared.text("kind");
    if (declared.has("case")) source.lower_case = declared.text("case") == "lower";
    if (declared.has("before")) source.before = declared.texts("before");
    if (declared.has("after")) source.after = declared.texts("after");
    for (const std::string& name : files_of_kind(source.kind)) source.files[name] = bytes_of(pack, name.c_str());
    return source;
}

/// How a pack's classifier reads; nothing where it takes the words of its generator.
PieceSource source_of(const Pack& pack, base::Members& input, bool with_generator) {
    if (input.has("pieces")) return stored_source(pack, input);
    if (with_generator) return {};
    return {own_words, {{"words.model", bytes_of(pack, tokenizer_file)}}, {}, {}, {}};  // brought along, by version 0.1.0
}

Tokenizer stored_tokenizer(const Pack& pack, base::Members& input) {
    return Tokenizer(tokenizer_kind(input.text("tokenizer", "")), bytes_of(pack, tokenizer_file));
}

/// A masked word model. @param embedding its own where that was read already
MaskedModel stored_words(base::Members& declared, int64_t vocabulary, training::StoredTensors& stored, const at::Tensor& embedding) {
    MaskedModelSizes sizes;
    sizes.vocabulary = vocabulary;
    sizes.embedding = declared.whole("embedding", 1, 4096);
    sizes.hidden = declared.whole("hidden", 1, 4096);
    sizes.head = declared.whole("head", 1, 4096);
    MaskedModel masked(sizes);
    for (auto& item : masked->named_parameters()) {
        at::Tensor tensor = item.value();
        if (embedding.defined() && item.key() == "embedding")
            tensor.set_data(embedding);
        else
            stored.take("masked_model." + item.key(), tensor);
        tensor.set_requires_grad(false);
    }
    return masked;
}

/// @param shared the embedding of the classifier beside it, undefined where the generator has to have its own
Generator stored_generator(const Pack& pack, training::Declared& declared, Tokenizer tokenizer, training::StoredTensors& stored,
                           const at::Tensor& shared) {
    const int64_t vocabulary = tokenizer.size();
    AutoencoderSizes sizes;
    base::Members declared_autoencoder = declared.network.object("autoencoder");
    sizes.latent = declared_autoencoder.whole("latent", 2, 4096);
    sizes.encoder = declared_autoencoder.whole("encoder", 1, 4096);
    sizes.decoder = declared_autoencoder.whole("decoder", 1, 4096);
    sizes.output_extra = declared_autoencoder.whole("output_extra", 0, 4096);
    if (sizes.latent % 2 != 0) declared_autoencoder.refuse("latent", "even");
    const bool of_masked_model = declared_autoencoder.flag("embedding_of_masked_model", false);
    at::Tensor embedding;
    if (of_masked_model) {
        embedding = training::declared({vocabulary, declared.network.object("masked_model").whole("embedding", 1, 4096)});
        stored.take("masked_model.embedding", embedding);
    } else if (declared_autoencoder.has("dimension")) {
        embedding = training::declared({vocabulary, declared_autoencoder.whole("dimension", 1, 4096)});
        stored.take("autoencoder.embedding", embedding);
    } else if (!shared.defined()) {
        declared_autoencoder.refuse("dimension", "there, since its classifier has a reading of its own");
    }
    Autoencoder autoencoder(embedding.defined() ? embedding : shared, sizes);
    autoencoder.declare();
    for (auto& [name, tensor] : autoencoder.dense()) stored.take("autoencoder." + name, *tensor);
    for (auto& [name, tensor] : autoencoder.tables()) stored.take("autoencoder." + name, *tensor);
    autoencoder.freeze();

    base::Members declared_masked = declared.network.object("masked_model");
    const MaskedModel masked = stored_words(declared_masked, vocabulary, stored, of_masked_model ? embedding : at::Tensor());
    FluencyModel fluency(masked, NGram::deserialise(bytes_of(pack, ngram_file), vocabulary));

    Generator generator{std::move(tokenizer), std::move(autoencoder), std::move(fluency),
                        WordAssociations::deserialise(bytes_of(pack, associations_file), vocabulary)};
    generator.embedding = embedding;
    generator.longest = declared.input.whole("longest", 1, 1000);
    if (declared.network.has("usual")) {  // packs of version 0.1.0 have none
        base::Members usual = declared.network.object("usual");
        generator.usual_unknown = {usual.number("unknown_mean", 0, 1), usual.number("unknown_excess", 1e-6, 1e6)};
        generator.usual_surprise = {usual.number("surprise_mean", 0, 1e6), usual.number("surprise_excess", 1e-6, 1e6)};
    }
    return generator;
}

std::optional<Networks::Named> named_generator(training::Declared& declared) {
    if (!declared.network.has("generator")) return std::nullopt;
    base::Members named = declared.network.object("generator");
    return Networks::Named{named.text("id"), named.text("sha256")};
}

/// The pack that another names: beside it, or among those there are.
Pack find_named(const Pack& pack, const Networks::Named& named) {
    if (!is_pack_id(named.id)) throw training::bad_pack(pack, "it names a generator that no pack can be called");
    const std::filesystem::path beside = pack.directory().parent_path() / named.id;
    std::optional<Pack> found;
    try {
        found = std::filesystem::exists(beside / "pack.json") ? open_pack(beside)
                                                              : find_pack(named.id, default_pack_search({pack.directory().parent_path()}));
    } catch (const Error& error) {
        throw Error(error.code(),
                    "the pack '" + pack.manifest().id + "' explains with the generator of the pack '" + named.id + "': " + error.what());
    }
    if (found->sha256() != named.sha256)
        throw training::bad_pack(pack, "it explains with the generator of the pack '" + named.id + "' whose SHA-256 is " + named.sha256 +
                                           ", found another one, " + found->sha256() + ", in " + found->directory().string());
    if (found->manifest().modality != "text" || !Networks::has_generator(*found) || training::Declared(*found).network.has("generator"))
        throw training::bad_pack(pack, "the pack '" + named.id + "' that it names holds no generator of sentences");
    return *std::move(found);
}

std::optional<NGramClassifier> stored_opinion(const Pack& pack, training::Declared& declared, const std::optional<Generator>& generator) {
    if (!declared.network.has("opinion")) return std::nullopt;
    base::Members opinion = declared.network.object("opinion");
    const auto classes = static_cast<int64_t>(pack.manifest().classes.size());
    at::Tensor table = training::declared({opinion.whole("rows", 1, int64_t{1} << 24), classes}), bias = training::declared({classes});
    if (!generator || generator->tokenizer.kind() != TokenizerKind::word)
        throw training::bad_pack(pack, "it has a second opinion, which reads whole words, and no generator of whole words");
    training::StoredTensors stored(pack, opinion_file);
    stored.take("table", table);
    stored.take("bias", bias);
    stored.finish();
    try {
        return NGramClassifier(table, bias, generator->tokenizer.pieces());
    } catch (const Error& error) {
        throw training::bad_pack(pack, error.what());
    }
}

/// Puts the word model that a pack has of its own in the place of the one that came with its generator. @returns whether it has one
bool take_own_words(const Pack& pack, training::Declared& declared, std::optional<Generator>& generator) {
    if (!declared.network.has("word_model")) return false;
    base::Members words = declared.network.object("word_model");
    if (!generator) throw training::bad_pack(pack, "it has a word model, which searches answers, and no generator");
    training::StoredTensors stored(pack, words_file);
    const MaskedModel masked = stored_words(words, generator->tokenizer.size(), stored, {});
    stored.finish();
    generator->fluency = FluencyModel(masked, generator->fluency.ngram());
    return true;
}

Json sizes_of(const MaskedModel& masked) {
    const MaskedModelSizes& sizes = masked->sizes();
    return {{"embedding", sizes.embedding}, {"hidden", sizes.hidden}, {"head", sizes.head}};
}

void add_words(const MaskedModel& masked, training::NamedTensors& tensors) {
    for (const auto& item : masked->named_parameters()) tensors["masked_model." + item.key()] = item.value();
}

void add_usual(const Generator& generator, Json& network) {
    if (generator.usual_surprise.excess <= 0) return;
    network["usual"] = {{"unknown_mean", generator.usual_unknown.mean},
                        {"unknown_excess", generator.usual_unknown.excess},
                        {"surprise_mean", generator.usual_surprise.mean},
                        {"surprise_excess", generator.usual_surprise.excess}};
}

/// What a pack writes of a generator.
void add_generator(const Generator& generator, PackWriter& writer, training::NamedTensors& tensors, Json& network, Json& input,
                   const std::string& tokenizer_model) {
    Autoencoder autoencoder = generator.autoencoder;
    for (auto& [name, tensor] : autoencoder.dense()) tensors["autoencoder." + name] = *tensor;
    for (auto& [name, tensor] : autoencoder.tables()) tensors["autoencoder." + name] = *tensor;
    add_words(generator.fluency.network(), tensors);
    const bool of_masked_model =
        generator.embedding.defined() && at::equal(generator.embedding, generator.fluency.network()->weights().embedding);
    if (generator.embedding.defined() && !of_masked_model) tensors["autoencoder.embedding"] = generator.embedding;
    writer.add(tokenizer_file, tokenizer_model);
    writer.add(ngram_file, generator.fluency.ngram().serialise());
    writer.add(associations_file, generator.associations.serialise());
    const AutoencoderSizes& sizes = autoencoder.sizes();
    network["autoencoder"] = {
        {"latent", sizes.latent}, {"encoder", sizes.encoder}, {"decoder", sizes.decoder}, {"output_extra", sizes.output_extra}};
    if (of_masked_model)
        network["autoencoder"]["embedding_of_masked_model"] = true;
    else if (generator.embedding.defined())
        network["autoencoder"]["dimension"] = generator.embedding.size(1);
    network["masked_model"] = sizes_of(generator.fluency.network());
    network["ngram"] = {{"order", generator.fluency.ngram().order()}};
    add_usual(generator, network);
    input["tokenizer"] = to_string(generator.tokenizer.kind());
    input["longest"] = generator.longest;
}

/// What a pack writes of a classifier and how it reads.
void add_reader(const Reader& reader, PackWriter& writer, PackManifest& manifest, training::NamedTensors& tensors, Json& network,
                Json& input) {
    const Classifier& classifier = reader.classifier;
    Json& declared = network["classifier"];
    declared = {{"kind", torchscript}, {"vocabulary", classifier.vocabulary()}, {"dimension", classifier.dimension()}};
    if (classifier.longest > 0) declared["longest"] = classifier.longest;
    if (classifier.network) {
        std::filesystem::copy_file(classifier.network->file(), writer.path(classifier_file));
        training::write_tensors(writer.path(embedding_file), {{"embedding", classifier.embedding}}, false);
        manifest.emits = classifier.emits;
    } else {
        tensors["classifier.embedding"] = classifier.embedding;
    }
    if (classifier.additive()) {
        declared["kind"] = embedding_sum;
        tensors["classifier.weight"] = classifier.weight;
        tensors["classifier.bias"] = classifier.bias;
    } else if (classifier.own_network) {
        const SentenceNetworkSizes& sizes = classifier.own_network->sizes();
        declared["kind"] = sizes.kind;
        declared["hidden"] = sizes.hidden;
        declared["layers"] = sizes.layers;
        declared["heads"] = sizes.heads;
        for (const auto& [name, tensor] : classifier.own_network->tensors()) tensors["classifier." + name] = tensor;
    }
    if (!reader.pieces) return;
    input["pieces"] = base::parse_own_json(to_json(reader.source));
    for (const auto& [name, bytes] : reader.source.files) writer.add(name, bytes);
}

}  // namespace

bool Networks::has_generator(const Pack& pack) {
    training::Declared declared(pack);
    return declared.network.has("autoencoder") || declared.network.has("generator");
}

bool Networks::is_generator(const Pack& pack) {
    training::Declared declared(pack);
    return declared.network.has("autoencoder") && !declared.network.has("classifier");
}

Ids Networks::read(const std::vector<std::string>& words) const {
    if (shared()) return generator->tokenizer.encode(words).ids;
    const std::string text = base::joined(words, " ");
    return reader.read(text, split_words(text)).all();
}

Pack generator_pack(const Pack& pack) {
    training::Declared declared(pack);
    if (const auto named = named_generator(declared)) return find_named(pack, *named);
    if (!declared.network.has("autoencoder")) throw training::bad_pack(pack, "it has no generator of sentences");
    return pack;
}

Generator load_generator(const Pack& pack) {
    training::Declared declared(pack);
    Tokenizer tokenizer = stored_tokenizer(pack, declared.input);
    training::StoredTensors stored(pack, weights_file);
    at::Tensor shared;
    base::Members declared_autoencoder = declared.network.object("autoencoder");
    if (!declared_autoencoder.has("dimension") &&
        !declared_autoencoder.has("embedding_of_masked_model")) {  // it was trained on the embedding of the classifier beside it
        base::Members classifier = declared.network.object("classifier");
        shared = classifier.text("kind") == torchscript
                     ? brought_classifier(classifier, tokenizer.size(), pack).embedding
                     : stored.take_rows("classifier.embedding", {classifier.whole("dimension", 1, 4096)});
        if (shared.size(0) != tokenizer.size()) throw training::bad_pack(pack, "its generator and its classifier have not the same words");
    }
    Generator generator = stored_generator(pack, declared, std::move(tokenizer), stored, shared);
    if (!generator.embedding.defined()) generator.embedding = shared;
    return generator;
}

Networks Networks::load(const Pack& pack) {
    training::Declared declared(pack);
    if (is_generator(pack))
        throw training::bad_pack(
            pack, "it holds a generator and no classifier: other packs explain with it, as 'whynot packs new text --generator " +
                      pack.manifest().id + "' makes them");
    base::Members declared_classifier = declared.network.object("classifier");
    const std::string kind = declared_classifier.text("kind");
    const std::vector<std::string>& kinds = sentence_network_kinds();
    if (kind != torchscript && kind != embedding_sum && std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
        declared_classifier.refuse("kind", "embedding-sum, " + base::joined(kinds) + " or torchscript (this version knows no other)");
    const auto named = named_generator(declared);
    const bool held = declared.network.has("autoencoder");

    Reader reader;
    reader.source = source_of(pack, declared.input, held || named);
    std::optional<Generator> generator;
    if (named) generator = load_generator(generator_pack(pack));
    std::optional<Tokenizer> tokenizer;
    if (held) tokenizer = stored_tokenizer(pack, declared.input);
    int64_t vocabulary = tokenizer ? tokenizer->size() : generator ? generator->tokenizer.size() : 0;
    if (!reader.source.kind.empty()) {
        try {
            reader.pieces = make_piece_reader(reader.source);
        } catch (const Error& error) {
            throw training::bad_pack(pack, error.what());
        }
        vocabulary = declared_classifier.whole("vocabulary", reader.pieces->size(), 10'000'000);
    }
    std::optional<training::StoredTensors> stored;
    if (held || kind != torchscript) stored.emplace(pack, weights_file);
    reader.classifier = kind == torchscript ? brought_classifier(declared_classifier, vocabulary, pack)
                                            : stored_classifier(declared_classifier, kind, vocabulary, *stored, pack);
    if (held) {
        const at::Tensor shared = reader.pieces ? at::Tensor() : reader.classifier.embedding;
        generator = stored_generator(pack, declared, *std::move(tokenizer), *stored, shared);
    }
    if (stored) stored->finish();
    if (reader.pieces && generator && generator->tokenizer.kind() != TokenizerKind::word)
        throw training::bad_pack(
            pack, "its classifier has a reading of its own, and a generator of pieces of words; expected one of whole words");
    const bool own_words = take_own_words(pack, declared, generator);
    std::optional<NGramClassifier> opinion = stored_opinion(pack, declared, generator);
    return {std::move(reader), std::move(generator), declared.network.number("typical_distance", 1e-6, 1e6, 1), named, std::move(opinion),
            own_words};
}

void Networks::save(PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model) const {
    training::NamedTensors tensors;
    Json network, input = Json::object();
    add_reader(reader, writer, manifest, tensors, network, input);
    if (named) {
        network["generator"] = {{"id", named->id}, {"sha256", named->sha256}};
    } else if (generator) {
        add_generator(*generator, writer, tensors, network, input, tokenizer_model);
    }
    if (generator) network["typical_distance"] = typical_distance;
    if (named && own_words) {  // a generator of the pack's own has it already
        network["word_model"] = sizes_of(generator->fluency.network());
        training::NamedTensors words;
        add_words(generator->fluency.network(), words);
        training::write_tensors(writer.path(words_file), words, true);
    }
    if (opinion) {
        network["opinion"] = {{"rows", opinion->table().size(0)}};
        training::write_tensors(writer.path(opinion_file), {{"table", opinion->table()}, {"bias", opinion->bias()}}, true);
    }
    if (!tensors.empty()) training::write_tensors(writer.path(weights_file), tensors, true);
    manifest.network = network.dump();
    manifest.input = input.dump();
}

void save_generator(const Generator& generator, PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model) {
    training::NamedTensors tensors;
    Json network, input = Json::object();
    add_generator(generator, writer, tensors, network, input, tokenizer_model);
    training::write_tensors(writer.path(weights_file), tensors, true);
    manifest.network = network.dump();
    manifest.input = input.dump();
}

}  // namespace whynot::text
