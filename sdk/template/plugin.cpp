// whynot_template: a complete modality, as small as can be, to make your own from.
//
// An input is a point in the plane, "3 4". The classifier has two classes, inside and outside of a circle. The boundary between them is the
// circle itself, so every explanation can be checked by eye: the nearest point to (3, 4) that is as much inside as outside of the circle of
// radius 1 about the origin is (0.6, 0.8).
//
// The host asks, from top to bottom:
//
//     Modality::open            files of a pack         -> Model
//     Model::read               what people type        -> Batch, of B inputs
//     Batch::classify           the inputs              -> what they are
//     Batch::start              the inputs              -> where they are in latent space, z0
//     Batch::log_likelihood     points in latent space  -> what they would be. From z0 the solver walks along the gradient of this until
//                                                          both classes are equally likely, and stays as near to z0 as it can
//     Batch::render             the points it found     -> what people see
//
// whynot/modality.h says what each may rely on and has to keep to. To make the plugin yours, change the classifier, the generator, how
// inputs are read, and how answers are shown; each has its place below.
#include <ATen/ATen.h>
#include <whynot/device.h>
#include <whynot/error.h>
#include <whynot/modality.h>
#include <whynot/plugin.h>
#include <whynot/samples.h>
#include <whynot/tensor_file.h>

#include <cmath>
#include <iomanip>
#include <locale>
#include <sstream>

namespace {

using whynot::Error;
using whynot::ErrorCode;

constexpr float largest = 10;  // of a coordinate

/// The classifier: points [B, 2] -> logits [B, 2] of inside and outside. Any function of LibTorch's that can be differentiated will do. It
/// computes where its weights are, the processor or a graphics card; points come from the processor and logits go back there.
struct Classifier {
    at::Tensor centre;  // [2]
    at::Tensor radius;  // [1]

    at::Tensor operator()(const at::Tensor& points) const {
        // 0 on the circle; the factor says how sure of itself it is beside it.
        const at::Tensor outside = 4 * ((points.to(centre.device()) - centre).square().sum(1) - radius.square());
        return at::stack({-outside, outside}, 1).cpu();
    }
};

/// The generator: latent points -> inputs, and its encoder, which goes back. Here every point of the plane is a possible input, so both do
/// nothing. A picture or a sentence needs a real one, an autoencoder say: it makes what looks like an input and nothing else, and that is
/// why explanations are realistic.
at::Tensor decode(const at::Tensor& latent) { return latent; }
at::Tensor encode(const at::Tensor& points) { return points; }

/// "0.6, 0.8" for people; to be read again "0.6 0.8", with all digits that matter
std::string to_text(const at::Tensor& point, const char* between = ", ", int digits = 4) {
    std::ostringstream text;
    text.imbue(std::locale::classic());  // 0.6, never 0,6
    text << std::setprecision(digits) << point[0].item<float>() << between << point[1].item<float>();
    return text.str();
}

/// Inputs that have been read.
class Points : public whynot::Batch {
public:
    Points(Classifier classifier, at::Tensor points) : classifier_(std::move(classifier)), points_(std::move(points)) {}

    int64_t size() const override { return points_.size(0); }

    at::Tensor classify() override { return classifier_(points_).log_softmax(1); }

    at::Tensor start(const at::Tensor& /*fact*/, uint64_t /*seed*/) override { return encode(points_); }

    // Logits are enough here: the solver looks at differences. `rows` says which inputs the latent points began at.
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& /*rows*/) override { return classifier_(decode(z)); }

    std::vector<whynot::Rendering> render(const std::vector<whynot::RenderRequest>& requests, uint64_t /*seed*/) override {
        std::vector<whynot::Rendering> renderings;
        for (const whynot::RenderRequest& request : requests) {
            // On the boundary both classes are equally likely. The answer lies beyond it, where the foil has the probability that was asked
            // for; where the search found none, the boundary is all there is to show.
            const at::Tensor before = points_[request.row];
            const at::Tensor boundary = decode(request.boundary.unsqueeze(0))[0];
            const at::Tensor answer = request.answer.defined() ? decode(request.answer.unsqueeze(0))[0] : boundary;
            const at::Tensor way = boundary - before;

            whynot::Rendering rendering;
            // What the explanation's record holds of this modality, for programs ...
            rendering.record =
                "{\"before\": [" + to_text(before) + "], \"boundary\": [" + to_text(boundary) + "], \"answer\": [" + to_text(answer) + "]}";
            rendering.distance = "{\"l2\": " + std::to_string(way.norm().item<float>()) + '}';
            // ... and what people see. The terminal marks -[this]- as taken away and +[this]+ as put in its place.
            rendering.terminal = "-[" + to_text(before) + "]- +[" + to_text(answer) + "]+\non the boundary: " + to_text(boundary);

            // Neither is believed: they are given to the host as somebody would type them. It reads them again and asks the classifier, and what
            // that says stands in the record.
            rendering.boundary = probabilities(boundary);
            rendering.boundary_again = to_text(boundary, " ", 7);
            if (request.answer.defined()) {
                rendering.answer = probabilities(answer);
                rendering.answer_again = to_text(answer, " ", 7);
            }
            renderings.push_back(std::move(rendering));
        }
        return renderings;
    }

private:
    /// What the classifier says of a point.
    std::vector<double> probabilities(const at::Tensor& point) const {
        const at::Tensor both = classifier_(point.unsqueeze(0)).softmax(1)[0];
        return {both[0].item<double>(), both[1].item<double>()};
    }

    Classifier classifier_;
    at::Tensor points_;  // [B, 2]
};

/// A pack that has been opened.
class Model : public whynot::Model {
public:
    Model(const whynot::Pack& pack, at::Device device) {
        // That the pack is whole, and is what its manifest says, has been checked. That it fits this plugin has not.
        info_.classes = pack.manifest().classes;
        info_.latent_size = 2;
        info_.shows_points = true;  // a point of the latent space is something to show, so a point beyond the boundary is searched too
        info_.confidence = 0.9;
        if (info_.classes.size() != 2) throw Error(ErrorCode::bad_pack, "expected two classes, inside and outside");
        const whynot::TensorFile file(pack.file("weights.safetensors"));
        const auto read = [&](const char* name, const std::vector<int64_t>& shape) {
            const whynot::TensorView& tensor = file.at(name);
            if (tensor.dtype != whynot::Dtype::f32 || tensor.shape != shape) {
                throw Error(ErrorCode::bad_pack, std::string("the tensor '") + name + "' has another type or shape than expected");
            }
            return at::from_blob(const_cast<void*>(tensor.data), shape, at::kFloat).clone().to(device);  // cloned: `file` goes away
        };
        classifier_ = {read("centre", {2}), read("radius", {1})};
    }

    const whynot::ModelInfo& info() const override { return info_; }

    std::unique_ptr<whynot::Batch> read(const std::vector<whynot::Input>& inputs, std::vector<whynot::ReadNotes>& notes) override {
        std::vector<float> numbers;
        notes.clear();
        for (const whynot::Input& input : inputs) {
            std::istringstream text(input.content);
            text.imbue(std::locale::classic());
            float x = 0, y = 0;
            whynot::ReadNotes note;
            if (text >> x >> y && (text >> std::ws).eof() && std::abs(x) <= largest && std::abs(y) <= largest) {
                numbers.insert(numbers.end(), {x, y});
            } else {  // an input that cannot be read gets no row, and does not stand in the way of the others
                note.refusal = "expected two numbers from -10 to 10, such as \"3 4\"";
            }
            notes.push_back(std::move(note));
        }
        const auto rows = static_cast<int64_t>(numbers.size() / 2);
        const at::Tensor points = at::from_blob(numbers.data(), {rows, 2}, at::kFloat).clone();
        return std::make_unique<Points>(classifier_, points);
    }

private:
    whynot::ModelInfo info_;
    Classifier classifier_;
};

class Modality : public whynot::Modality {
public:
    std::unique_ptr<whynot::Model> open(const whynot::Pack& pack, const std::string& device) override {
        return std::make_unique<Model>(pack, whynot::device_named(device));
    }
};

/// Inputs to try the plugin with: what `whynot plugins check` and ctest work on. The number says how far a class probability at the latent
/// start may be from that of the input itself; this generator gives inputs back exactly.
class Samples : public whynot::Samples {
public:
    whynot::SampleSet samples(const whynot::Pack& /*pack*/) override { return {{{"3 4", ""}, {"0.5 0.1", ""}, {"-2 1", ""}}, 1e-4}; }
};

/// Which files a pack of this plugin holds.
const whynot_artifact artifacts[] = {
    {"weights.safetensors", "tensors", 1, "`centre` [2] and `radius` [1] of the circle."},
    {},
};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "whynot_template";
    plugin.name = "whynot_template";  // for people
    plugin.version = "0.1.0";
    plugin.licence = "Apache-2.0";  // yours to choose
    plugin.summary = "Explains why a point is inside a circle or outside of it.";
    plugin.modality = "whynot_template";  // packs with this in their manifest are opened by this plugin
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

// The one symbol that the library exports.
WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Modality>, whynot::Service<whynot::Samples, Samples>);
