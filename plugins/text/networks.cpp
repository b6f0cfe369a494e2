#include "networks.h"

#include <torch/torch.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "checkpoint.h"
#include "pack_contents.h"
#include "random.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* tokenizer_file = "tokenizer.model";
constexpr const char* weights_file = "weights.safetensors";
constexpr const char* ngram_file = "ngram.bin";
constexpr const char* associations_file = "associations.bin";

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file && !file.eof()) throw Error(ErrorCode::io, "cannot read " + path.string());
    return bytes;
}

}  // namespace

Networks Networks::load(const Pack& pack) {
    const PackManifest& manifest = pack.manifest();
    const Json network = Json::parse(manifest.network), input = Json::parse(manifest.input);
    const auto tokenizer_kind_name = input.value("tokenizer", std::string());
    const std::string classifier_kind = network.contains("classifier") ? network["classifier"].value("kind", std::string()) : "";
    if (classifier_kind != "embedding-sum")
        throw bad_pack(pack,
                       "expected a classifier of the kind 'embedding-sum', found '" + classifier_kind + "'; this version knows no other");

    Tokenizer tokenizer(tokenizer_kind(tokenizer_kind_name), bytes_of(pack.file(tokenizer_file)));
    const int64_t vocabulary = tokenizer.size();
    StoredTensors stored(pack, weights_file);

    const int64_t dimension = size_at(pack, network, "classifier", "dimension", 1, 4096);
    const auto classes = static_cast<int64_t>(manifest.classes.size());
    Classifier classifier{at::zeros({vocabulary, dimension}), at::zeros({classes, dimension}), at::zeros({classes})};
    stored.take("classifier.embedding", classifier.embedding);
    stored.take("classifier.weight", classifier.weight);
    stored.take("classifier.bias", classifier.bias);

    AutoencoderSizes sizes;
    sizes.latent = size_at(pack, network, "autoencoder", "latent", 2, 4096);
    sizes.encoder = size_at(pack, network, "autoencoder", "encoder", 1, 4096);
    sizes.decoder = size_at(pack, network, "autoencoder", "decoder", 1, 4096);
    sizes.output_extra = size_at(pack, network, "autoencoder", "output_extra", 0, 4096);
    if (sizes.latent % 2 != 0) throw bad_pack(pack, "expected 'autoencoder.latent' to be even, found " + std::to_string(sizes.latent));
    Autoencoder autoencoder(classifier.embedding, sizes);
    autoencoder.initialise(make_generator(0));
    for (auto& [name, tensor] : autoencoder.dense()) stored.take("autoencoder." + name, *tensor);
    for (auto& [name, tensor] : autoencoder.tables()) stored.take("autoencoder." + name, *tensor);
    autoencoder.freeze();

    MaskedModelSizes masked_sizes;
    masked_sizes.vocabulary = vocabulary;
    masked_sizes.embedding = size_at(pack, network, "masked_model", "embedding", 1, 4096);
    masked_sizes.hidden = size_at(pack, network, "masked_model", "hidden", 1, 4096);
    masked_sizes.head = size_at(pack, network, "masked_model", "head", 1, 4096);
    MaskedModel masked(masked_sizes, 0);
    for (auto& item : masked->named_parameters()) {
        at::Tensor tensor = item.value();
        stored.take("masked_model." + item.key(), tensor);
        tensor.set_requires_grad(false);
    }
    stored.finish();
    FluencyModel fluency(masked, NGram::deserialise(bytes_of(pack.file(ngram_file)), vocabulary));

    Networks networks{std::move(tokenizer), std::move(classifier), std::move(autoencoder), std::move(fluency),
                      WordAssociations::deserialise(bytes_of(pack.file(associations_file)), vocabulary)};
    networks.longest = size_at(pack, Json{{"input", input}}, "input", "longest", 1, 1000);
    networks.typical_distance = network.value("typical_distance", 1.0);
    if (!(networks.typical_distance > 0 && networks.typical_distance < 1e6))
        throw bad_pack(pack, "expected 'typical_distance' to be a positive number, found " + std::to_string(networks.typical_distance));
    return networks;
}

void Networks::save(PackWriter& writer, PackManifest& manifest, const std::string& tokenizer_model) {
    NamedTensors tensors{
        {"classifier.embedding", classifier.embedding}, {"classifier.weight", classifier.weight}, {"classifier.bias", classifier.bias}};
    for (auto& [name, tensor] : autoencoder.dense()) tensors["autoencoder." + name] = *tensor;
    for (auto& [name, tensor] : autoencoder.tables()) tensors["autoencoder." + name] = *tensor;
    for (const auto& item : fluency.network()->named_parameters()) tensors["masked_model." + item.key()] = item.value();
    write_tensors(writer.path(weights_file), tensors, true);
    writer.add(tokenizer_file, tokenizer_model);
    writer.add(ngram_file, fluency.ngram().serialise());
    writer.add(associations_file, associations.serialise());

    const AutoencoderSizes& sizes = autoencoder.sizes();
    const MaskedModelSizes& masked = fluency.network()->sizes();
    Json network;
    network["classifier"] = {{"kind", "embedding-sum"}, {"vocabulary", classifier.vocabulary()}, {"dimension", classifier.dimension()}};
    network["autoencoder"] = {
        {"latent", sizes.latent}, {"encoder", sizes.encoder}, {"decoder", sizes.decoder}, {"output_extra", sizes.output_extra}};
    network["masked_model"] = {{"embedding", masked.embedding}, {"hidden", masked.hidden}, {"head", masked.head}};
    network["ngram"] = {{"order", fluency.ngram().order()}};
    network["typical_distance"] = typical_distance;
    manifest.network = network.dump();
    manifest.input = Json{{"tokenizer", to_string(tokenizer.kind())}, {"longest", longest}}.dump();
}

}  // namespace whynot::text
