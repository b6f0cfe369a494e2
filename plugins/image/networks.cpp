#include "networks.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "pack_contents.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* weights_file = "weights.safetensors";

Json part(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_object() ? *found : Json::object();
}

std::string text_at(const Pack& pack, const Json& object, const std::string& group, const char* key) {
    const Json value = part(object, group.c_str()).value(key, Json());
    if (!value.is_string()) throw bad_pack(pack, "expected '" + group + "." + key + "' to be a text, found " + value.dump());
    return value;
}

double number_at(const Pack& pack, const Json& object, const std::string& group, const char* key, double least, double most) {
    const Json value = part(object, group.c_str()).value(key, Json());
    if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most))
        throw bad_pack(pack, "expected '" + group + "." + key + "' to be a number from " + std::to_string(least) + " to " +
                                 std::to_string(most) + ", found " + value.dump());
    return value;
}

}  // namespace

Networks Networks::make(const ImageShape& shape, const ClassifierSizes& classifier, const GeneratorSizes& generator, int64_t classes) {
    Networks networks;
    networks.shape = shape;
    networks.classifier_sizes = classifier;
    networks.classifier = make_classifier(classifier, shape, classes);
    networks.generator = std::make_shared<Generator>(generator, shape);
    networks.codes = at::empty({0, generator.latent}, at::kFloat);
    networks.code_classes = at::empty({0}, at::kLong);
    return networks;
}

Networks Networks::load(const Pack& pack) {
    const PackManifest& manifest = pack.manifest();
    const Json network = Json::parse(manifest.network);
    const Json input{{"input", Json::parse(manifest.input)}};

    ImageShape shape;
    shape.channels = size_at(pack, input, "input", "channels", 1, 3);
    shape.height = size_at(pack, input, "input", "height", 4, 1024);
    shape.width = size_at(pack, input, "input", "width", 4, 1024);
    shape.framing = text_at(pack, input, "input", "framing");
    const Json light = input["input"].value("light_on_dark", Json());
    if (shape.channels == 2) throw bad_pack(pack, "expected 'input.channels' to be 1 (grey) or 3 (red, green, blue), found 2");
    if (shape.framing != "plain" && shape.framing != "digit")
        throw bad_pack(pack, "expected 'input.framing' to be \"plain\" or \"digit\", found \"" + shape.framing + "\"");
    if (!light.is_boolean()) throw bad_pack(pack, "expected 'input.light_on_dark' to be true or false, found " + light.dump());
    shape.light_on_dark = light;

    ClassifierSizes classifier;
    classifier.kind = text_at(pack, network, "classifier", "kind");
    classifier.depth = size_at(pack, network, "classifier", "depth", 0, 1000);
    classifier.width = number_at(pack, network, "classifier", "width", 0, 4);
    classifier.dropout = 0;  // matters to training only
    GeneratorSizes generator;
    generator.kind = text_at(pack, network, "generator", "kind");
    generator.latent = size_at(pack, network, "generator", "latent", 1, 65536);
    generator.hidden = size_at(pack, network, "generator", "hidden", 0, 65536);
    generator.channels.clear();
    for (const Json& channels : part(network, "generator").value("channels", Json::array())) {
        if (!channels.is_number_integer())
            throw bad_pack(pack, "expected 'generator.channels' to be whole numbers, found " + channels.dump());
        generator.channels.push_back(channels);
    }

    Networks networks;
    try {
        networks = make(shape, classifier, generator, static_cast<int64_t>(manifest.classes.size()));
    } catch (const Error& error) {
        throw bad_pack(pack, error.what());
    }
    StoredTensors stored(pack, weights_file);
    for (const auto& [name, tensor] : networks.classifier->tensors()) stored.take("classifier." + name, tensor);
    for (const auto& [name, tensor] : networks.generator->tensors()) stored.take("generator." + name, tensor);
    const int64_t codes = size_at(pack, Json{{"network", network}}, "network", "codes", 0, 1000000);
    if (codes > 0) {
        networks.codes = stored.take_rows("codes", {generator.latent});
        networks.code_classes = stored.take_rows("code_classes", {}).to(at::kLong);
        if (networks.codes.size(0) != codes || networks.code_classes.size(0) != codes)
            throw bad_pack(pack, std::string(weights_file) + ": expected " + std::to_string(codes) + " codes and their classes, found " +
                                     std::to_string(networks.codes.size(0)) + " and " + std::to_string(networks.code_classes.size(0)));
        if (networks.code_classes.min().item<int64_t>() < 0 ||
            networks.code_classes.max().item<int64_t>() >= static_cast<int64_t>(manifest.classes.size()))
            throw bad_pack(pack, std::string(weights_file) + ": a code is of a class that the pack has not");
    }
    stored.finish();
    const Json measures{{"network", network}};
    networks.typical_distance = number_at(pack, measures, "network", "typical_distance", 1e-6, 1e6);
    networks.usual_residual = number_at(pack, measures, "network", "usual_residual", 0, 1e6);
    return networks;
}

void Networks::save(PackWriter& writer, PackManifest& manifest) const {
    NamedTensors tensors;
    put_group(tensors, "classifier", classifier->tensors());
    put_group(tensors, "generator", generator->tensors());
    if (codes.size(0) > 0) {
        tensors["codes"] = codes;
        tensors["code_classes"] = code_classes.to(at::kFloat);  // small whole numbers: exact in 16 bits
    }
    write_tensors(writer.path(weights_file), tensors, true);

    const GeneratorSizes& sizes = generator->sizes();
    Json network;
    network["classifier"] = {{"kind", classifier_sizes.kind}, {"depth", classifier_sizes.depth}, {"width", classifier_sizes.width}};
    network["generator"] = {{"kind", sizes.kind}, {"latent", sizes.latent}, {"channels", sizes.channels}, {"hidden", sizes.hidden}};
    network["codes"] = codes.size(0);
    network["typical_distance"] = typical_distance;
    network["usual_residual"] = usual_residual;
    manifest.network = network.dump();
    manifest.input = Json{{"channels", shape.channels},
                          {"height", shape.height},
                          {"width", shape.width},
                          {"framing", shape.framing},
                          {"light_on_dark", shape.light_on_dark}}
                         .dump();
}

}  // namespace whynot::image
