#include "image/services/importer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "base/sha256.h"
#include "corpora/files.h"
#include "drawing/image_file.h"
#include "image/model/model.h"
#include "image/networks/script_networks.h"
#include "image/services/finishing.h"
#include "image/services/recipe.h"
#include "training/pack_contents.h"
#include "training/probe.h"
#include "training/random.h"
#include "training/recipe.h"
#include "training/run.h"
#include "whynot/asking.h"
#include "whynot/error.h"
#include "whynot/gradient_check.h"

namespace whynot::image {

namespace {

using base::Json;
namespace fs = std::filesystem;

enum Stream : uint64_t { noise_stream = 1, choice_stream, generator_stream };

constexpr int64_t codes_of_each_class = 1000;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::invalid_argument, what); }

/// The pictures in a folder and those below it, fitted to a shape, in the order of their paths.
struct Folder {
    TrainingImages images;  // without labels
    std::string sha256;     // of the fitted bytes
};

std::vector<fs::path> image_files_below(const fs::path& folder) {
    std::vector<fs::path> paths;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        std::string extension = entry.path().extension().string();
        std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
        if (entry.is_regular_file() && (extension == ".png" || extension == ".jpg" || extension == ".jpeg")) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

Folder read_folder(const fs::path& folder, const ImageShape& shape, const Observer& observer) {
    std::error_code error;
    if (!fs::is_directory(folder, error))
        throw Error(ErrorCode::not_found, "expected a folder of images, found none at '" + folder.string() + "'");
    const std::vector<fs::path> paths = image_files_below(folder);
    std::vector<at::Tensor> rows;
    size_t refused = 0;
    for (size_t i = 0; i < paths.size(); ++i) {
        training::stop_if_cancelled(observer, "reading images");
        if (observer.progress && i % 100 == 0)
            observer.progress({"reading images", static_cast<double>(i) / static_cast<double>(paths.size()), ""});
        try {
            std::ifstream file(paths[i], std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
            drawing::Notes notes;
            rows.push_back(fit(drawing::read_image_file(bytes, notes), shape, notes).mul(255).round().to(at::kByte));
        } catch (const Error& problem) {
            if (++refused <= 5) training::say(observer, "passed over: " + paths[i].string() + ": " + problem.what());
        }
    }
    if (refused > 5) training::say(observer, "passed over: " + std::to_string(refused - 5) + " more");
    if (rows.size() < 2)
        throw Error(ErrorCode::invalid_input, "expected images in the folder '" + folder.string() + "', PNG or JPEG files, found " +
                                                  std::to_string(rows.size()) + " that can be used");
    Folder result;
    result.images.pixels = at::stack(rows);
    result.images.labels = at::full({result.images.size()}, -1, at::kLong);
    base::Sha256 hash;
    hash.update(
        {reinterpret_cast<const char*>(result.images.pixels.data_ptr<uint8_t>()), static_cast<size_t>(result.images.pixels.numel())});
    result.sha256 = hash.hex();
    return result;
}

/// Blots with grain: where there are no images to probe with.
at::Tensor noise(int64_t count, const ImageShape& shape, uint64_t seed) {
    const at::Generator random = training::make_generator(training::mix_seed(seed, noise_stream));
    const at::Tensor blots = at::empty({count, shape.channels, 4, 4}, at::kFloat).uniform_(0, 1, random);
    const at::Tensor grain = at::empty({count, shape.channels, shape.height, shape.width}, at::kFloat).uniform_(-0.1, 0.1, random);
    return (at::upsample_bilinear2d(blots, {shape.height, shape.width}, false) + grain).clamp(0, 1);
}

ImageShape shape_of(const Json& input) {
    const auto size = [&](const char* key, int64_t min) {
        const Json& value = input[key];
        if (!value.is_number_integer() || value < min || value > 1024)
            refuse("expected the " + std::string(key) + " of images to be a whole number from " + std::to_string(min) + " to 1024, found " +
                   (value.is_null() ? "none" : value.dump()));
        return value.get<int64_t>();
    };
    ImageShape shape;
    shape.channels = size("channels", 1);
    shape.height = size("height", 4);
    shape.width = size("width", 4);
    shape.framing = input["framing"];
    shape.light_on_dark = input["light_on_dark"];
    if (shape.channels != 1 && shape.channels != 3)
        refuse("expected images of 1 channel (grey) or 3 (red, green, blue), found " + std::to_string(shape.channels));
    if (shape.framing != "plain" && shape.framing != "digit") refuse("expected the framing plain or digit, found '" + shape.framing + "'");
    return shape;
}

std::vector<double> numbers(const Json& values, const char* what) {
    std::vector<double> result;
    for (const Json& value : values) {
        if (!value.is_number()) refuse(std::string("expected the ") + what + " of the normalisation in numbers, found " + value.dump());
        result.push_back(value);
    }
    return result;
}

// A classifier whose number of outputs is not known to be that of the names yet.
std::shared_ptr<ScriptClassifier> open_classifier(const ImportRequest& request, const ScriptClassifierOptions& options,
                                                  const ImageShape& shape, const at::Tensor& samples) {
    const fs::path& file = request.files.at("classifier");
    const auto names = static_cast<int64_t>(request.classes.size());
    auto classifier = std::make_shared<ScriptClassifier>(file, options, shape, names);
    const at::NoGradGuard no_grad;
    const at::Tensor found = training::in_one_batch(file.filename().string(), training::ScriptNetwork(file), samples);
    if (found.sizes() == at::IntArrayRef{samples.size(0), names}) return classifier;
    const std::string said = file.filename().string() + ": expected " + training::shape_text({samples.size(0), names}) + " for " +
                             std::to_string(samples.size(0)) + " images and " + std::to_string(names) + " classes, found " +
                             training::shape_text(found.sizes());
    if (found.numel() == samples.size(0))
        throw Error(ErrorCode::invalid_input, said +
                                                  "; one output, of a sigmoid: export a model that gives both classes, with a logit x as "
                                                  "torch.stack([-x / 2, x / 2], 1)");
    throw Error(ErrorCode::invalid_input,
                said + (found.dim() == 2 && found.size(0) == samples.size(0) ? "; name as many classes as it has outputs, in their order"
                                                                             : "; it has to give a number for each image and class"));
}

// The last steps of both: codes and scales on real images, and whether all of it explains.
Solved finish(Networks& networks, const std::vector<std::string>& classes, const TrainingImages& learned, const TrainingImages& fresh,
              int64_t codes, uint64_t seed) {
    collect_codes(networks, learned, codes, static_cast<int64_t>(classes.size()), seed);
    return measure_scales(networks, classes, fresh, seed);
}

// The error of G(E(I)) beside that of the mean image, which a generator that ignores its code would draw.
Json quality_of(const Networks& networks, const TrainingImages& fresh, const TrainingImages& learned, const Solved& solved) {
    const at::NoGradGuard no_grad;
    const int64_t n = std::min<int64_t>(500, fresh.size());
    const at::Tensor images = fresh.images(at::arange(n)),
                     mean = learned.images(at::arange(std::min<int64_t>(500, learned.size()))).mean(0);
    training::Figures figures;
    if (networks.generator->has_encoder())
        figures.add("generator: mean squared error of G(E(I))",
                    (networks.generator->decode(networks.generator->code(images)) - images).square().mean().item<double>(), n, "");
    figures.add("the same of the mean image", (mean - images).square().mean().item<double>(), n, "");
    figures.add("solver: gap under 0.01 nats and every guard met, from z0 alone",
                static_cast<double>(solved.found) / static_cast<double>(std::max<int64_t>(1, solved.asked)), solved.asked, "share");
    return {{"figures", figures.json()}};
}

// What goes wrong with a file, and the part that it was to play: files get swapped.
template <class F>
auto as_the(const std::string& part, F&& f) {
    try {
        return f();
    } catch (const Error& error) {
        throw Error(error.code(), "as the " + part + ": " + error.what());
    }
}

// What a decoder draws has to lie where images lie.
void probe_decoder(const std::string& name, const at::Tensor& drawn) {
    const double min = drawn.min().item<double>(), max = drawn.max().item<double>();
    if (min < -0.05 || max > 1.05)
        throw Error(ErrorCode::invalid_input,
                    name + ": expected pixels from 0 to 1, found " + std::to_string(min) + " to " + std::to_string(max) +
                        (min < -0.05 && min >= -1.0001 && max <= 1.0001 ? "; after a tanh, export (x + 1) / 2, otherwise with its sigmoid"
                                                                        : "; export it with its sigmoid"));
}

// Derivatives with respect to codes, question by question: kinks may spoil a few.
int64_t probe_codes(const Networks& networks, const std::vector<std::string>& classes, const TrainingImages& images) {
    const ImageModel model(classes, networks);
    const int64_t count = std::min<int64_t>(4, images.size());
    int64_t agreeing = 0;
    std::string log;
    for (int64_t i = 0; i < count; ++i) {
        ImageBatch batch(model, images.images(at::arange(i, i + 1)));
        const Problem problem = ask(batch, model.info());
        GradientCheckOptions options;
        options.tolerance = 0.05;
        // Beside z0, where the image itself is drawn: flat ground lies exactly on the kinks of max-pooling.
        const at::Tensor near = at::empty_like(problem.start).normal_(0, 0.1, training::make_generator(1));
        const GradientCheck check = check_gradients(problem, options, problem.start + near);
        if (check.autograd.abs().max().item<double>() == 0) continue;
        agreeing += check.ok;
        if (!check.ok) log = check.log;
    }
    if (2 * agreeing < count)
        throw Error(ErrorCode::invalid_input,
                    "classifier and decoder together: in " + std::to_string(count - agreeing) + " of " + std::to_string(count) +
                        " samples the derivatives of the log-likelihoods with respect to the code are 0 or not what central "
                        "differences say. " +
                        log);
    return agreeing;
}

std::string name_of(const fs::path& folder) { return fs::absolute(folder / "").parent_path().filename().string(); }

void expect_complete(const ImportRequest& request) {
    for (const auto& [role, file] : request.files)
        if (role != "classifier" && role != "encoder" && role != "decoder")
            refuse("a model of images has a classifier, an encoder and a decoder; it has no " + role);
    const bool generates = request.files.count("decoder") > 0;
    if (request.files.count("classifier") == 0) refuse("expected the file of a classifier, found none");
    if (generates != (request.files.count("encoder") > 0)) refuse("an encoder and a decoder go together: both or neither");
    if (generates && request.data.empty())
        refuse("with an encoder and a decoder, a folder of images like those to be explained is needed, to measure both with");
    if (request.classes.size() < 2) refuse("expected the names of at least two classes, found " + std::to_string(request.classes.size()));
}

/// A classifier that was brought along, as it was found on some images.
struct Probed {
    std::shared_ptr<ScriptClassifier> classifier;
    at::Tensor outputs;        // of the samples
    int64_t gradients_ok = 0;  // of the samples
};

Probed probe_classifier(const ImportRequest& request, ScriptClassifierOptions options, const ImageShape& shape, const at::Tensor& samples) {
    Probed probed;
    const auto opened = open_classifier(request, options, shape, samples);
    const std::string name = opened->file().filename().string();
    probed.outputs = training::probe_network(
        name, [&](const at::Tensor& x) { return opened->outputs(x); }, samples);
    options.emits = training::probe_emits(name, probed.outputs, request.emits);
    probed.classifier = std::make_shared<ScriptClassifier>(opened->file(), options, shape, static_cast<int64_t>(request.classes.size()));
    probed.gradients_ok = training::probe_gradients(
        name, [&](const at::Tensor& x) { return probed.classifier->logits(x); }, samples);
    return probed;
}

Json findings_of(const Probed& probed, const at::Tensor& samples, bool real, const std::vector<std::string>& classes) {
    const std::string count = std::to_string(samples.size(0));
    Json findings{{"samples", count + (real ? " images" : " images of noise")},
                  {"emits", to_string(probed.classifier->options().emits)},
                  {"gradients", "agree with central differences in " + std::to_string(probed.gradients_ok) + " of " + count + " samples"},
                  {"classes", Json::object()}};
    const at::Tensor called = probed.outputs.argmax(1);
    for (size_t c = 0; c < classes.size(); ++c) findings["classes"][classes[c]] = called.eq(static_cast<int64_t>(c)).sum().item<int64_t>();
    return findings;
}

std::shared_ptr<ScriptGenerator> probe_generator(const ImportRequest& request, const ImageShape& shape, const at::Tensor& samples) {
    const fs::path &encoder = request.files.at("encoder"), &decoder = request.files.at("decoder");
    const std::string encoder_name = encoder.filename().string(), decoder_name = decoder.filename().string();
    const std::string images =
        "images [b, " + std::to_string(shape.channels) + ", " + std::to_string(shape.height) + ", " + std::to_string(shape.width) + "]";
    const at::Tensor codes = as_the("encoder, from " + images + " to codes [b, k]",
                                    [&] { return training::probe_network(encoder_name, training::ScriptNetwork(encoder), samples); });
    if (codes.dim() != 2 || codes.size(0) != samples.size(0))
        throw Error(ErrorCode::invalid_input, encoder_name + ": expected codes of shape [" + std::to_string(samples.size(0)) + ", k] for " +
                                                  std::to_string(samples.size(0)) + " images, found " +
                                                  training::shape_text(codes.sizes()));
    const auto generator = as_the("decoder, from codes [b, " + std::to_string(codes.size(1)) + "] to " + images, [&] {
        const auto opened = std::make_shared<ScriptGenerator>(encoder, decoder, shape, codes.size(1));
        probe_decoder(decoder_name, training::probe_network(
                                        decoder_name, [&](const at::Tensor& z) { return opened->decode(z); }, codes));
        return opened;
    });
    if (!generator->decode(codes.clone().set_requires_grad(true)).requires_grad())
        throw Error(ErrorCode::invalid_input, decoder_name + ": what it draws has no gradient; look for torch.no_grad, detach or rounding");
    return generator;
}

/// Puts the generator beside the classifier, and measures both. @returns the quality for the manifest
Json add_generator(Networks& networks, const ImportRequest& request, const TrainingImages& images, const at::Tensor& samples,
                   Json& findings) {
    const auto generator = probe_generator(request, networks.shape, samples);
    networks.set_generator(generator);
    const int64_t right = probe_codes(networks, request.classes, images);
    const Solved solved = finish(networks, request.classes, images, images, codes_of_each_class, request.seed);
    const Json quality = quality_of(networks, images, images, solved);
    findings["latent size"] = generator->latent();
    findings["gradients in the code"] = "agree with central differences for " + std::to_string(right) + " images";
    for (const Json& figure : quality["figures"]) findings[figure["name"].get<std::string>()] = figure["value"];
    if (quality["figures"][0]["value"] > quality["figures"][1]["value"])
        findings["warning"] = "the generator draws these images worse than their mean would be: does the encoder take images in [0, 1]?";
    return quality;
}

}  // namespace

std::string ImageImporter::import_model(const ImportRequest& request, const Observer& observer) {
    expect_complete(request);
    training::check_folder(request.out);
    PackWriter writer(request.out);
    const Json input = base::parse_own_json(training::merge_recipe(
        R"({"channels": 0, "height": 0, "width": 0, "mean": [0], "std": [1], "framing": "plain", "light_on_dark": false})", request.input,
        "input"));
    const ImageShape shape = shape_of(input);
    ScriptClassifierOptions options;
    options.mean = numbers(input["mean"], "mean");
    options.deviation = numbers(input["std"], "std");

    std::optional<Folder> folder;
    if (!request.data.empty()) folder = read_folder(request.data, shape, observer);
    constexpr int64_t probed_images = 16;
    const at::Tensor samples = folder ? folder->images.images(at::arange(std::min(probed_images, folder->images.size())))
                                      : noise(probed_images, shape, request.seed);
    const Probed probed = probe_classifier(request, options, shape, samples);
    Json findings = findings_of(probed, samples, folder.has_value(), request.classes);

    Networks networks;
    networks.shape = shape;
    networks.classifier = probed.classifier;
    PackManifest manifest = training::manifest_for(request.out, "image", request.classes, request.seed);
    manifest.description = "Images: a model that was brought along";
    manifest.licence = request.licence;
    if (request.files.count("decoder") > 0) manifest.quality = add_generator(networks, request, folder->images, samples, findings).dump();
    networks.save(writer, manifest);
    writer.finish(manifest);
    return findings.dump();
}

void ImageImporter::train_generator(const GeneratorRequest& request, const Observer& observer) {
    training::check_folder(request.out);
    PackWriter writer(request.out, {generator_checkpoint});
    if (!request.pack || !request.corpora.empty())
        refuse("a generator of images is trained for the classifier of a pack, on a folder of images; expected both");
    const PackManifest& given = request.pack->manifest();
    Networks networks = Networks::load(*request.pack);
    const ImageShape& shape = networks.shape;
    const Recipe recipe = Recipe::from_json(request.recipe, shape);
    const auto generator = std::make_shared<ConvolutionalGenerator>(recipe.generator, shape);

    Folder folder = read_folder(request.data, shape, training::part(observer, 0, 0.1));
    TrainingImages& all = folder.images;
    all.labels = all_logits(*networks.classifier, all).argmax(1);
    const Division divided = divide(all, recipe.images, training::mix_seed(request.seed, choice_stream));
    const TrainingImages &fresh = divided.development, &train = divided.train;
    std::vector<std::string> called;
    for (size_t c = 0; c < given.classes.size(); ++c)
        called.push_back(given.classes[c] + " " + std::to_string(all.labels.eq(static_cast<int64_t>(c)).sum().item<int64_t>()));
    training::say(observer, std::to_string(train.size()) + " images to learn from, " + std::to_string(fresh.size()) +
                                " to measure with; what the classifier calls them: " + base::joined(called));
    if (all.size() < 1000)
        training::say(observer, "fewer than 1000 images: expect a generator that draws little more than what these have in common");

    const Json run{{"recipe", base::parse_own_json(recipe.training_json())},
                   {"seed", request.seed},
                   {"data", folder.sha256},
                   {"pack", request.pack->sha256()}};
    const training::CheckpointFolder checkpoints(request.out, run.dump());
    const uint64_t seed = training::mix_seed(request.seed, generator_stream);
    generator->initialise(training::make_generator(seed));
    image::train_generator(*generator, train, recipe.generator_training, shape, seed, checkpoints.at(generator_checkpoint),
                           training::part(observer, 0.1, 0.95));
    training::round_to_half(generator->tensors());
    networks.set_generator(generator);
    const Solved solved = finish(networks, given.classes, train, fresh, recipe.codes, request.seed);

    PackManifest manifest = training::manifest_for(request.out, "image", given.classes, request.seed);
    manifest.description = given.description + ", and a generator trained for it";
    manifest.emits = given.emits;
    manifest.recipe = recipe.to_json();
    manifest.corpus = name_of(request.data);
    manifest.corpus_sha256 = folder.sha256;
    manifest.licence = given.licence;
    manifest.quality = quality_of(networks, fresh, train, solved).dump();
    networks.save(writer, manifest);
    writer.finish(manifest);
    training::say(observer, "written: " + request.out.string());
}

}  // namespace whynot::image
