#include "text/model/networks.h"

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
constexpr const char* ngram_file = "ngram.bin";
constexpr const char* associations_file = "associations.bin";

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

}  // namespace

Tokenizer Networks::load_tokenizer(const Pack& pack) {
    training::Declared declared(pack);
    return Tokenizer(tokenizer_kind(declared.input.text("tokenizer", "")), bytes_of(pack, tokenizer_file));
}

bool Networks::has_generator(const Pack& pack) { return training::Declared(pack).network.has("autoencoder"); }

Classifier Networks::load_classifier(const Pack& pack, int64_t vocabulary) {
    const PackManifest& manifest = pack.manifest();
    training::Declared declared(pack);
    base::Members declared_classifier = declared.network.object("classifier");
    if (declared_classifier.text("kind") != torchscript) declared_classifier.refuse("kind", "torchscript");
    const int64_t dimension = declared_classifier.whole("dimension", 1, 4096);
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
    return classifier;
}

void Networks::save_classifier(const Classifier& classifier, PackWriter& writer, PackManifest& manifest) {
    std::filesystem::copy_file(classifier.network->file(), writer.path(classifier_file));
    training::write_tensors(writer.path(embedding_file), {{"embedding", classifier.embedding}}, false);
    manifest.network =
        Json{{"classifier", {{"kind", torchscript}, {"vocabulary", classifier.vocabulary()}, {"dimension", classifier.dimension()}}}}
            .dump();
    manifest.emits = classifier.emits;
}

Networks Networks::load(const Pack& pack) {
    training::Declared declared(pack);
    base::Members declared_classifier = declared.network.object("classifier");
    const std::string classifier_kind = declared_classifier.text("kind");
    const bool brought = classifier_kind == torchscript, sum = classifier_kind == embedding_sum;
    const std::vector<std::string>& kinds = sentence_network_kinds();
    if (!brought && !sum && std::find(kinds.begin(), kinds.end(), classifier_kind) == kinds.end())
        declared_classifier.refuse("kind", "embedding-sum, " + base::joined(kinds) + " or torchscript (this version knows no other)");
    if (brought && !has_generator(pack))
        throw training::bad_pack(
            pack,
            "it has a classifier but no generator yet; 'whynot train text --generator-only --pack PACK --data FILE --out DIR' makes a "
            "pack with one, from a file of sentences like those to be explained");

    Tokenizer tokenizer = load_tokenizer(pack);
    const int64_t vocabulary = tokenizer.size();
    training::StoredTensors stored(pack, weights_file);

    Classifier classifier =
        brought ? load_classifier(pack, vocabulary) : stored_classifier(declared_classifier, classifier_kind, vocabulary, stored, pack);

    AutoencoderSizes sizes;
    base::Members declared_autoencoder = declared.network.object("autoencoder");
    sizes.latent = declared_autoencoder.whole("latent", 2, 4096);
    sizes.encoder = declared_autoencoder.whole("encoder", 1, 4096);
    sizes.decoder = declared_autoencoder.whole("decoder", 1, 4096);
    sizes.output_extra = declared_autoencoder.whole("output_extra", 0, 4096);
    if (sizes.latent % 2 != 0) declared_autoencoder.refuse("latent", "even");
    at::Tensor own_embedding;
    if (declared_autoencoder.has("dimension")) {
        own_embedding = training::declared({vocabulary, declared_autoencoder.whole("dimension", 1, 4096)});
        stored.take("autoencoder.embedding", own_embedding);
    }
    Autoencoder autoencoder(own_embedding.defined() ? own_embedding : classifier.embedding, sizes);
    autoencoder.declare();
    for (auto& [name, tensor] : autoencoder.dense()) stored.take("autoencoder." + name, *tensor);
    for (auto& [name, tensor] : autoencoder.tables()) stored.take("autoencoder." + name, *tensor);
    autoencoder.freeze();

    MaskedModelSizes masked_sizes;
    masked_sizes.vocabulary = vocabulary;
    base::Members declared_masked = declared.network.object("masked_model");
    masked_sizes.embedding = declared_masked.whole("embedding", 1, 4096);
    masked_sizes.hidden = declared_masked.whole("hidden", 1, 4096);
    masked_sizes.head = declared_masked.whole("head", 1, 4096);
    MaskedModel masked(masked_sizes);
    for (auto& item : masked->named_parameters()) {
        at::Tensor tensor = item.value();
        stored.take("masked_model." + item.key(), tensor);
        tensor.set_requires_grad(false);
    }
    stored.finish();
    FluencyModel fluency(masked, NGram::deserialise(bytes_of(pack, ngram_file), vocabulary));

    Networks networks{std::move(tokenizer), std::move(classifier), std::move(autoencoder), std::move(fluency),
                      WordAssociations::deserialise(bytes_of(pack, associations_file), vocabulary)};
    networks.generator_embedding = own_embedding;
    networks.longest = declared.input.whole("longest", 1, 1000);
    networks.typical_distance = declared.network.number("typical_distance", 1e-6, 1e6, 1);
    if (declared.network.has("usual")) {  // packs of version 0.1.0 have none
        base::Members usual = declared.network.object("usual");
        networks.usual_unknown = {usual.number("unknown_mean", 0, 1), usual.number("unknown_excess", 1e-6, 1e6)};
        networks.usual_surprise = {usual.number("surprise_mean", 0, 1e6), usual.number("surprise_excess", 1e-6, 1e6)};
    }
    return networks;
}

void Networks::save(PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model) {
    training::NamedTensors tensors;
    if (!classifier.network) tensors["classifier.embedding"] = classifier.embedding;
    if (classifier.additive()) {
        tensors["classifier.weight"] = classifier.weight;
        tensors["classifier.bias"] = classifier.bias;
    } else if (classifier.own_network) {
        for (const auto& [name, tensor] : classifier.own_network->tensors()) tensors["classifier." + name] = tensor;
    }
    for (auto& [name, tensor] : autoencoder.dense()) tensors["autoencoder." + name] = *tensor;
    for (auto& [name, tensor] : autoencoder.tables()) tensors["autoencoder." + name] = *tensor;
    for (const auto& item : fluency.network()->named_parameters()) tensors["masked_model." + item.key()] = item.value();
    if (generator_embedding.defined()) tensors["autoencoder.embedding"] = generator_embedding;
    training::write_tensors(writer.path(weights_file), tensors, true);
    writer.add(tokenizer_file, tokenizer_model);
    writer.add(ngram_file, fluency.ngram().serialise());
    writer.add(associations_file, associations.serialise());

    const AutoencoderSizes& sizes = autoencoder.sizes();
    const MaskedModelSizes& masked = fluency.network()->sizes();
    Json network;
    if (classifier.additive()) {
        network["classifier"] = {{"kind", embedding_sum}, {"vocabulary", classifier.vocabulary()}, {"dimension", classifier.dimension()}};
    } else if (classifier.own_network) {
        const SentenceNetworkSizes& of_classifier = classifier.own_network->sizes();
        network["classifier"] = {{"kind", of_classifier.kind},          {"vocabulary", classifier.vocabulary()},
                                 {"dimension", classifier.dimension()}, {"hidden", of_classifier.hidden},
                                 {"layers", of_classifier.layers},      {"heads", of_classifier.heads}};
    } else {
        save_classifier(classifier, writer, manifest);
        network = base::parse_own_json(manifest.network);
    }
    network["autoencoder"] = {
        {"latent", sizes.latent}, {"encoder", sizes.encoder}, {"decoder", sizes.decoder}, {"output_extra", sizes.output_extra}};
    if (generator_embedding.defined()) network["autoencoder"]["dimension"] = generator_embedding.size(1);
    network["masked_model"] = {{"embedding", masked.embedding}, {"hidden", masked.hidden}, {"head", masked.head}};
    network["ngram"] = {{"order", fluency.ngram().order()}};
    network["typical_distance"] = typical_distance;
    if (usual_surprise.excess > 0)
        network["usual"] = {{"unknown_mean", usual_unknown.mean},
                            {"unknown_excess", usual_unknown.excess},
                            {"surprise_mean", usual_surprise.mean},
                            {"surprise_excess", usual_surprise.excess}};
    manifest.network = network.dump();
    manifest.input = Json{{"tokenizer", to_string(tokenizer.kind())}, {"longest", longest}}.dump();
}

}  // namespace whynot::text
