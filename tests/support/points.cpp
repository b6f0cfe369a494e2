// A complete modality in one file: points in the plane, told apart by a linear classifier. The generator is the identity, so that latent
// space is the plane itself and every explanation can be checked by hand: the boundary of two classes is a line.
//
// An input is two numbers, "0.5 -1", given as they are or in a file. A pack holds weights.safetensors with `weight` [C, 2] and `bias` [C].
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <locale>
#include <sstream>

#include "whynot/attribution.h"
#include "whynot/device.h"
#include "whynot/error.h"
#include "whynot/held_out.h"
#include "whynot/modality.h"
#include "whynot/plugin.h"
#include "whynot/samples.h"
#include "whynot/tensor_file.h"

namespace {

using whynot::Error;
using whynot::ErrorCode;

#ifdef POINTS_ARE_IMAGES  // the same as the plugin `dots` for files that pass for images, so that everything about those can be tested
constexpr bool images = true;
constexpr const char *plugin_id = "dots", *modality = "image";
#else
constexpr bool images = false;
constexpr const char *plugin_id = "points", *modality = "points";
#endif

/// A tensor of the pack, checked; -1 in `shape` stands for any size.
at::Tensor read_tensor(const whynot::TensorFile& file, const char* name, const std::vector<int64_t>& shape) {
    const whynot::TensorView& view = file.at(name);
    bool fits = view.dtype == whynot::Dtype::f32 && view.shape.size() == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] < 0 || shape[i] == view.shape[i];
    if (!fits) throw Error(ErrorCode::bad_pack, std::string("the tensor '") + name + "' of the points' weights has another type or shape");
    return at::from_blob(const_cast<void*>(view.data), view.shape, at::kFloat).clone();
}

std::string text_of(const at::Tensor& point) {
    const at::Tensor values = point.to(at::kCPU, at::kDouble).contiguous();
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::setprecision(6) << values.data_ptr<double>()[0] << ", " << values.data_ptr<double>()[1];
    return text.str();
}

/// The plane from -2 to 2 in eight by eight pixels, the one with the point white.
whynot::Picture picture_of(const at::Tensor& point) {
    whynot::Picture picture{8, 8, 1, std::vector<uint8_t>(64, 0)};
    const at::Tensor pixel = ((point.to(at::kCPU, at::kDouble) + 2) * 2).clamp(0, 7).to(at::kLong);
    picture.bytes[static_cast<size_t>((7 - pixel[1].item<int64_t>()) * 8 + pixel[0].item<int64_t>())] = 255;
    return picture;
}

/// The classifier. Logits, because the solver needs differences only.
struct Linear {
    at::Tensor weight;  // [C, 2]
    at::Tensor bias;    // [C]
    at::Tensor operator()(const at::Tensor& points) const { return (points.to(weight.device()).matmul(weight.t()) + bias).cpu(); }
};

class PointBatch : public whynot::Batch {
public:
    PointBatch(const Linear& classifier, at::Tensor points) : classifier_(classifier), points_(std::move(points)) {}

    const Linear& classifier() const { return classifier_; }
    const at::Tensor& points() const { return points_; }

    int64_t size() const override { return points_.size(0); }
    at::Tensor classify() override { return classifier_(points_).log_softmax(1); }
    at::Tensor start(const at::Tensor&, uint64_t) override { return points_.clone(); }
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor&) override { return classifier_(z); }

    /// Known is what lies within 20 of the origin.
    std::vector<whynot::Strangeness> strangeness() const override {
        std::vector<whynot::Strangeness> result;
        for (int64_t i = 0; i < size(); ++i) result.push_back({points_[i].norm().item<double>() / 20, "it lies far out"});
        return result;
    }

    /// Points scattered about where the foil's score is high: three units along its weights.
    at::Tensor extra_starts(const at::Tensor& rows, const at::Tensor&, const at::Tensor& foil, int64_t count, uint64_t seed) override {
        auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
        const at::Tensor towards = classifier_.weight.cpu().index_select(0, foil);
        const at::Tensor centre = 3 * towards / towards.norm(2, 1, true);
        // The first ones are the same however many are asked for.
        const at::Tensor scatter = at::randn({count, rows.size(0), 2}, generator, at::kFloat).transpose(0, 1);
        return centre.unsqueeze(1) + 0.3 * scatter;
    }

    /// The answer is a point 5 % beyond the boundary, where the classifier, asked afresh, says the foil.
    std::vector<whynot::Rendering> render(const std::vector<whynot::RenderRequest>& requests, uint64_t) override {
        std::vector<whynot::Rendering> renderings;
        for (const whynot::RenderRequest& request : requests) {
            const bool beyond = request.decode.empty() || request.decode == "beyond";
            if (!beyond && request.decode != "boundary") {
                throw Error(ErrorCode::invalid_argument, "points know the decodings beyond and boundary, not '" + request.decode + '\'');
            }
            const at::Tensor input = points_[request.row];
            const at::Tensor step = request.boundary - input;
            const at::Tensor answer = beyond ? input + 1.05 * step : request.boundary;

            whynot::Rendering& rendering = renderings.emplace_back();
            std::string record;
            if (!images) {  // the section of images has a schema
                record = "\"before\": [" + text_of(input) + "], \"boundary\": [" + text_of(request.boundary) + "], \"answer\": [" +
                         text_of(answer) + ']';
            }
            rendering.pictures = {{"input", picture_of(input)}, {"boundary", picture_of(request.boundary)}};
            if (!request.out.empty()) {
                record += std::string(record.empty() ? "" : ", ") + "\"sheet\": \"" + request.name + ".pgm\"";
                write_sheet(std::filesystem::path(request.out) / (request.name + ".pgm"), rendering.pictures[1].picture);
            }
            rendering.record = '{' + record + '}';
            std::ostringstream distance;
            distance.imbue(std::locale::classic());
            distance << "{\"l2\": " << step.norm().item<double>() << '}';
            rendering.distance = distance.str();
            rendering.terminal = "-[" + text_of(input) + "]- +[" + text_of(answer) + "]+";
            const at::Tensor probabilities = classifier_(answer.unsqueeze(0)).softmax(1)[0].to(at::kCPU, at::kDouble).contiguous();
            const double* const first = probabilities.data_ptr<double>();
            rendering.answer.assign(first, first + probabilities.size(0));
            if (beyond && probabilities.argmax().item<int64_t>() != request.foil) {
                rendering.failure = "the point beyond the boundary is not of the class asked about";
            }
        }
        return renderings;
    }

private:
    static void write_sheet(const std::filesystem::path& path, const whynot::Picture& picture) {
        std::ofstream file(path, std::ios::binary);
        file << "P5\n8 8\n255\n";
        for (const uint8_t value : picture.bytes) file.put(static_cast<char>(value));
        if (!file.flush()) throw Error(ErrorCode::io, "cannot write " + path.string());
    }

    Linear classifier_;
    at::Tensor points_;  // [B, 2]
};

class PointModel : public whynot::Model {
public:
    PointModel(const whynot::Pack& pack, const std::string& device) {
        const whynot::TensorFile file(pack.file("weights.safetensors"));
        info_.classes = pack.manifest().classes;
        info_.latent_size = 2;
        const auto classes = static_cast<int64_t>(info_.classes.size());
        const at::Device where = whynot::device_named(device);
        classifier_ = {read_tensor(file, "weight", {classes, 2}).to(where), read_tensor(file, "bias", {classes}).to(where)};
    }

    const whynot::ModelInfo& info() const override { return info_; }

    std::unique_ptr<whynot::Batch> read(const std::vector<whynot::Input>& inputs, std::vector<whynot::ReadNotes>& notes) override {
        std::vector<float> numbers;
        notes.clear();
        for (const whynot::Input& input : inputs) {
            std::istringstream text(input.content);
            text.imbue(std::locale::classic());
            float x = 0, y = 0;
            std::string rest;
            whynot::ReadNotes& note = notes.emplace_back();
            if (!(text >> x >> y) || text >> rest || !std::isfinite(x) || !std::isfinite(y)) {
                note.refusal = "expected two numbers, as in \"0.5 -1\"";
                continue;
            }
            numbers.insert(numbers.end(), {x, y});
        }
        const auto rows = static_cast<int64_t>(numbers.size() / 2);
        const at::Tensor points = at::tensor(numbers, at::kFloat).reshape({rows, 2});
        return std::make_unique<PointBatch>(classifier_, points);
    }

private:
    whynot::ModelInfo info_;
    Linear classifier_;
};

class Points : public whynot::Modality {
public:
    std::unique_ptr<whynot::Model> open(const whynot::Pack& pack, const std::string& device) override {
        return std::make_unique<PointModel>(pack, device);
    }
};

class PointSamples : public whynot::Samples {
public:
    whynot::SampleSet samples(const whynot::Pack&) override { return {{{"1 0.25", ""}, {"-0.5 0.2", ""}, {"0.3 2", ""}}, 1e-4}; }
};

/// What each number adds to the gap, and methods that are not as they should be.
class PointAttribution : public whynot::Attribution {
public:
    std::vector<whynot::AttributionMethod> methods() const override {
        std::vector<whynot::AttributionMethod> all{{"weights", "what each number adds", "a textbook", ""}};
        for (const char* name : {"zero", "infinite", "short", "few", "unable", "control"})
            all.push_back({name, "not as it should be", "nowhere", ""});
        all.back().asks_classifier = false;
        return all;
    }

    std::vector<whynot::AttributionMap> attribute(whynot::Model&, whynot::Batch& batch,
                                                  const whynot::AttributionRequest& request) override {
        const auto& points = dynamic_cast<const PointBatch&>(batch);
        const at::Tensor weight = points.classifier().weight.cpu();
        std::vector<whynot::AttributionMap> maps;
        for (const whynot::AttributionQuestion& question : request.questions) {
            const at::Tensor of_gap = question.foil < 0 ? weight[question.fact] : weight[question.fact] - weight[question.foil];
            const at::Tensor scores = (of_gap * points.points()[question.row]).to(at::kDouble).contiguous();
            whynot::AttributionMap& map = maps.emplace_back();
            map.shape = {2};
            map.scores = {scores.data_ptr<double>()[0], scores.data_ptr<double>()[1]};
            map.parts = {"x", "y"};
            map.unit = "nats";
            map.terminal = "x and y\n";
            if (request.method == "zero") map.scores = {0, 0};
            if (request.method == "infinite") map.scores[1] = INFINITY;
            if (request.method == "short") map.scores.pop_back();
            if (request.method == "unable") map.failure = "there is nothing to see";
        }
        if (request.method == "few") maps.pop_back();
        return maps;
    }
};

/// A corpus is a file with a point a line.
class PointHeldOut : public whynot::HeldOut {
public:
    std::vector<whynot::Input> inputs(const whynot::Pack&, const std::filesystem::path& corpora, const std::string& corpus,
                                      int64_t limit) override {
        std::ifstream file(corpora / corpus);
        if (!file) throw Error(ErrorCode::not_found, "there is no corpus " + corpus);
        std::vector<whynot::Input> inputs;
        for (std::string line; static_cast<int64_t>(inputs.size()) < limit && std::getline(file, line);) inputs.push_back({line, ""});
        return inputs;
    }
};

const char* const decodings[] = {"beyond", "boundary", nullptr};
const whynot_option options[] = {
    {"decode", "choice", "beyond", nullptr, nullptr, decodings, "The answer: a point just beyond the boundary, or on it."},
    {},
};
const whynot_artifact artifacts[] = {
    {"weights.safetensors", "tensors", 1, "`weight` [C, 2] and `bias` [C] of the linear classifier."},
    {},
};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = plugin_id;
    plugin.name = "Points in the plane";
    plugin.version = "1.0.0";
    plugin.licence = "MIT";
    plugin.summary = "Explains linear classifiers of points in the plane.";
    plugin.modality = modality;
    plugin.options = options;
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Points>, whynot::Service<whynot::Samples, PointSamples>,
              whynot::Service<whynot::HeldOut, PointHeldOut>, whynot::Service<whynot::Attribution, PointAttribution>);
