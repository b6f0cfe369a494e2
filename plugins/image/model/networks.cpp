#include "image/model/networks.h"

#include <cmath>

#include "base/json.h"
#include "image/networks/script_networks.h"
#include "training/checkpoint.h"
#include "training/pack_contents.h"
#include "training/random.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

using base::Json;

constexpr const char* weights_file = "weights.safetensors";
constexpr const char* classifier_file = "classifier.pt";
constexpr const char* encoder_file = "encoder.pt";
constexpr const char* decoder_file = "decoder.pt";
constexpr const char* torchscript = "torchscript";

ClassifierSizes classifier_sizes_of(base::Members& declared) {
    ClassifierSizes sizes;
    sizes.kind = declared.text("kind");
    sizes.depth = declared.whole("depth", 0, 1000);
    sizes.width = declared.number("width", 0, 4);
    sizes.dropout = 0;  // matters to training only
    return sizes;
}

GeneratorSizes generator_sizes_of(base::Members& declared) {
    GeneratorSizes sizes;
    sizes.kind = declared.text("kind");
    sizes.latent = declared.whole("latent", 1, 65536);
    sizes.hidden = declared.whole("hidden", 0, 65536);
    sizes.channels.clear();
    for (const Json& channels : declared.array("channels")) {
        if (!channels.is_number_integer()) declared.refuse("channels", "whole numbers");
        sizes.channels.push_back(channels);
    }
    return sizes;
}

// Opens what was brought along, and looks whether it is what the manifest says.
std::shared_ptr<Classifier> open_classifier(const Pack& pack, base::Members& declared, const ImageShape& shape) {
    ScriptClassifierOptions options;
    options.emits = pack.manifest().emits;
    options.mean = declared.numbers("mean");
    options.deviation = declared.numbers("std");
    const auto classifier = std::make_shared<ScriptClassifier>(pack.file(classifier_file), options, shape,
                                                               static_cast<int64_t>(pack.manifest().classes.size()));
    const at::NoGradGuard no_grad;
    const at::Tensor noise =
        at::empty({2, shape.channels, shape.height, shape.width}, at::kFloat).uniform_(0, 1, training::make_generator(1));
    const Emits found = training::recognise_emits(classifier->outputs(noise));
    if (!training::may_be_declared(options.emits, found))
        throw training::bad_pack(pack, std::string("its classifier is declared to emit ") + to_string(options.emits) +
                                           ", but on a sample it emits " + to_string(found));
    return classifier;
}

std::shared_ptr<Generator> open_generator(const Pack& pack, base::Members& declared, const ImageShape& shape) {
    const int64_t latent = declared.whole("latent", 1, 65536);
    const auto generator = std::make_shared<ScriptGenerator>(pack.file(encoder_file), pack.file(decoder_file), shape, latent);
    const at::NoGradGuard no_grad;
    generator->code(generator->decode(at::zeros({2, latent})));
    return generator;
}

}  // namespace

const Generator& Networks::required_generator() const {
    if (!generator)
        throw Error(ErrorCode::bad_pack,
                    "this pack has a classifier but no generator yet, so it classifies and cannot explain; 'whynot train image "
                    "--generator-only --pack PACK --data FOLDER --out DIR' makes a pack with one, from a folder of images like those to be "
                    "explained");
    return *generator;
}

void Networks::set_generator(std::shared_ptr<Generator> with) {
    generator = std::move(with);
    codes = at::empty({0, generator ? generator->latent() : 0}, at::kFloat);
    code_classes = at::empty({0}, at::kLong);
}

Networks Networks::load(const Pack& pack) {
    const PackManifest& manifest = pack.manifest();
    training::Declared declared(pack);

    ImageShape shape;
    shape.channels = declared.input.whole("channels", 1, 3);
    shape.height = declared.input.whole("height", 4, 1024);
    shape.width = declared.input.whole("width", 4, 1024);
    shape.framing = declared.input.text("framing");
    shape.light_on_dark = declared.input.flag("light_on_dark");
    if (shape.channels == 2) declared.input.refuse("channels", "1 (grey) or 3 (red, green, blue)");
    if (shape.framing != "plain" && shape.framing != "digit") declared.input.refuse("framing", "plain or digit");

    Networks networks;
    networks.shape = shape;
    base::Members declared_classifier = declared.network.object("classifier");
    const bool brought = declared_classifier.text("kind") == torchscript;
    try {
        if (brought) {
            networks.classifier = open_classifier(pack, declared_classifier, shape);
        } else {
            networks.classifier_sizes = classifier_sizes_of(declared_classifier);
            networks.classifier = make_classifier(networks.classifier_sizes, shape, static_cast<int64_t>(manifest.classes.size()));
        }
        if (!brought || declared.network.has("generator")) {
            base::Members declared_generator = declared.network.object("generator");
            if (declared_generator.text("kind") == torchscript)
                networks.set_generator(open_generator(pack, declared_generator, shape));
            else
                networks.set_generator(std::make_shared<ConvolutionalGenerator>(generator_sizes_of(declared_generator), shape));
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::bad_pack) throw;
        throw training::bad_pack(pack, error.what());
    }
    if (!networks.generator) return networks;
    training::StoredTensors stored(pack, weights_file);
    for (const auto& [name, tensor] : networks.classifier->tensors()) stored.take("classifier." + name, tensor);
    for (const auto& [name, tensor] : networks.generator->tensors()) stored.take("generator." + name, tensor);
    const int64_t codes = declared.network.whole("codes", 0, 1000000);
    if (codes > 0) {
        networks.codes = stored.take_rows("codes", {networks.generator->latent()});
        networks.code_classes = stored.take_rows("code_classes", {}).to(at::kLong);
        if (networks.codes.size(0) != codes || networks.code_classes.size(0) != codes)
            throw training::bad_pack(pack, std::string(weights_file) + ": expected " + std::to_string(codes) +
                                               " codes and their classes, found " + std::to_string(networks.codes.size(0)) + " and " +
                                               std::to_string(networks.code_classes.size(0)));
        if (networks.code_classes.min().item<int64_t>() < 0 ||
            networks.code_classes.max().item<int64_t>() >= static_cast<int64_t>(manifest.classes.size()))
            throw training::bad_pack(pack, std::string(weights_file) + ": a code is of a class that the pack has not");
    }
    stored.finish();
    networks.typical_distance = declared.network.number("typical_distance", 1e-6, 1e6);
    networks.usual_residual = declared.network.number("usual_residual", 0, 1e6);
    networks.usual_residual_share = declared.network.number("usual_residual_share", 0, 1e6, 0);
    networks.usual_code_distance = declared.network.number("usual_code_distance", 0, 1e6, 0);
    return networks;
}

void Networks::save(PackWriter& writer, PackManifest& manifest) const {
    const auto copy = [&](const std::filesystem::path& from, const char* to) { std::filesystem::copy_file(from, writer.path(to)); };
    Json network;
    if (const auto* script = dynamic_cast<const ScriptClassifier*>(classifier.get())) {
        const ScriptClassifierOptions& options = script->options();
        network["classifier"] = {{"kind", torchscript}, {"mean", options.mean}, {"std", options.deviation}};
        manifest.emits = options.emits;
        copy(script->file(), classifier_file);
    } else {
        network["classifier"] = {{"kind", classifier_sizes.kind}, {"depth", classifier_sizes.depth}, {"width", classifier_sizes.width}};
    }
    if (const auto* script = dynamic_cast<const ScriptGenerator*>(generator.get())) {
        network["generator"] = {{"kind", torchscript}, {"latent", script->latent()}};
        copy(script->encoder_file(), encoder_file);
        copy(script->decoder_file(), decoder_file);
    } else if (const auto* ours = dynamic_cast<const ConvolutionalGenerator*>(generator.get())) {
        const GeneratorSizes& sizes = ours->sizes();
        network["generator"] = {{"kind", sizes.kind}, {"latent", sizes.latent}, {"channels", sizes.channels}, {"hidden", sizes.hidden}};
    }
    if (generator) {
        training::NamedTensors tensors;
        training::put_group(tensors, "classifier", classifier->tensors());
        training::put_group(tensors, "generator", generator->tensors());
        if (codes.size(0) > 0) {
            tensors["codes"] = codes;
            tensors["code_classes"] = code_classes.to(at::kFloat);  // small whole numbers: exact in 16 bits
        }
        training::write_tensors(writer.path(weights_file), tensors, true);
        network["codes"] = codes.size(0);
        network["typical_distance"] = typical_distance;
        network["usual_residual"] = usual_residual;
        if (usual_residual_share > 0) {
            network["usual_residual_share"] = usual_residual_share;
            network["usual_code_distance"] = usual_code_distance;
        }
    }
    manifest.network = network.dump();
    manifest.input = Json{{"channels", shape.channels},
                          {"height", shape.height},
                          {"width", shape.width},
                          {"framing", shape.framing},
                          {"light_on_dark", shape.light_on_dark}}
                         .dump();
}

}  // namespace whynot::image
