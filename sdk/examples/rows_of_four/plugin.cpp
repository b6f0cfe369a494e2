// rows_of_four: a modality of your own. An input is a row of four numbers, "5.1 3.4 1.9 0.4"; the classifier is a softmax regression.
//
// The template (`whynot plugins new`) is the smallest plugin there can be. This one adds what a real one needs: a generator with fewer
// dimensions than the input, the residual that it cannot reproduce, weights and names of columns from the pack, any number of classes.
#include <ATen/ATen.h>
#include <whynot/device.h>
#include <whynot/error.h>
#include <whynot/modality.h>
#include <whynot/plugin.h>
#include <whynot/samples.h>
#include <whynot/tensor_file.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <locale>
#include <sstream>

namespace {

using whynot::Error;
using whynot::ErrorCode;

constexpr int64_t columns = 4;
constexpr float largest = 1e6F;  // of a number in a row

/// "1.4": the same in every language.
std::string to_text(double number) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::setprecision(6) << number;
    return text.str();
}

/// "[5.1, 3.4, 1.9, 0.4]"
std::string to_json(const at::Tensor& row) {
    std::string text;
    for (int64_t i = 0; i < columns; ++i) text += (i == 0 ? "[" : ", ") + to_text(row[i].item<double>());
    return text + ']';
}

/// "5.1 3.4 1.9 0.4", as an input is typed.
std::string to_input(const at::Tensor& row) {
    std::string text;
    for (int64_t i = 0; i < columns; ++i) text += (i == 0 ? "" : " ") + to_text(row[i].item<double>());
    return text;
}

/// Classifier and generator. Both work on s = (row - centre) / spread, so that each number counts alike.
struct Networks {
    at::Tensor centre, spread;  // [4]
    at::Tensor weight, bias;    // [C, 4], [C]: logits = s W' + b
    at::Tensor directions;      // [2, 4], orthonormal: the generator is z -> z D, its encoder s -> s D'
    std::vector<std::string> names;

    at::Tensor scaled(const at::Tensor& rows) const { return (rows.to(centre.device()) - centre) / spread; }
    at::Tensor unscaled(const at::Tensor& s) const { return (s * spread + centre).cpu(); }
    at::Tensor logits(const at::Tensor& s) const { return (s.matmul(weight.t()) + bias).cpu(); }
    at::Tensor generate(const at::Tensor& z) const { return z.to(centre.device()).matmul(directions); }
    at::Tensor encode(const at::Tensor& s) const { return s.matmul(directions.t()); }
};

/// Rows that have been read.
class Rows : public whynot::Batch {
public:
    Rows(const Networks& networks, const at::Tensor& rows) : networks_(networks), rows_(rows), scaled_(networks_.scaled(rows)) {
        // What the generator cannot reproduce of a row is added to whatever it makes, so that z0 gives exactly this row.
        residual_ = scaled_ - networks_.generate(networks_.encode(scaled_));
    }

    int64_t size() const override { return rows_.size(0); }
    at::Tensor classify() override { return networks_.logits(scaled_).log_softmax(1); }
    at::Tensor start(const at::Tensor& /*fact*/, uint64_t /*seed*/) override { return networks_.encode(scaled_).cpu(); }

    // Point i of z belongs to row `rows[i]` of this batch: that one's residual is added.
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) override { return networks_.logits(scaled_at(z, rows)); }

    std::vector<whynot::Rendering> render(const std::vector<whynot::RenderRequest>& requests, uint64_t /*seed*/) override {
        std::vector<whynot::Rendering> renderings;
        for (const whynot::RenderRequest& request : requests) renderings.push_back(render_one(request));
        return renderings;
    }

private:
    at::Tensor scaled_at(const at::Tensor& z, const at::Tensor& rows) const {
        return networks_.generate(z) + residual_.index_select(0, rows.to(residual_.device()));
    }

    whynot::Rendering render_one(const whynot::RenderRequest& request) const {
        const at::Tensor row = at::full({1}, request.row, at::kLong);
        const at::Tensor z = request.boundary.unsqueeze(0);
        // On the boundary both classes are equally likely; the answer lies beyond it. Where the search found none, the boundary is all.
        const at::Tensor beyond = scaled_at(request.answer.defined() ? request.answer.unsqueeze(0) : z, row);
        const at::Tensor before = rows_[request.row], boundary = networks_.unscaled(scaled_at(z, row))[0];
        const at::Tensor answer = networks_.unscaled(beyond)[0];

        whynot::Rendering rendering;
        rendering.record =
            "{\"before\": " + to_json(before) + ", \"boundary\": " + to_json(boundary) + ", \"answer\": " + to_json(answer) + '}';
        rendering.distance = "{\"l2\": " + to_text((boundary - before).norm().item<double>()) + '}';
        for (int64_t i = 0; i < columns; ++i) {
            rendering.terminal += (i == 0 ? "" : "\n") + networks_.names[static_cast<size_t>(i)] + "  -[" +
                                  to_text(before[i].item<double>()) + "]- +[" + to_text(answer[i].item<double>()) + "]+";
        }
        // The host reads what is shown again, and the record has what the classifier says of it then.
        rendering.boundary = probabilities(scaled_at(z, row));
        rendering.boundary_again = to_input(boundary);
        if (request.answer.defined()) {
            rendering.answer = probabilities(beyond);
            rendering.answer_again = to_input(answer);
        }
        return rendering;
    }

    std::vector<double> probabilities(const at::Tensor& scaled) const {
        const at::Tensor said = networks_.logits(scaled).softmax(1)[0];
        std::vector<double> values;
        for (int64_t c = 0; c < said.size(0); ++c) values.push_back(said[c].item<double>());
        return values;
    }

    Networks networks_;
    at::Tensor rows_;               // [B, 4]
    at::Tensor scaled_, residual_;  // [B, 4], in units of the spread
};

/// A pack that has been opened.
class Model : public whynot::Model {
public:
    Model(const whynot::Pack& pack, at::Device device) {
        info_.classes = pack.manifest().classes;
        info_.latent_size = 2;
        info_.shows_points = true;  // rows can be shown as they are
        info_.confidence = 0.9;
        info_.typical_distance = 3;  // spreads
        const auto classes = static_cast<int64_t>(info_.classes.size());
        // Size and checksum of each file have been verified. That the tensors fit this plugin has not.
        const whynot::TensorFile file(pack.file("weights.safetensors"));
        const auto read = [&](const char* name, const std::vector<int64_t>& shape) {
            const whynot::TensorView& tensor = file.at(name);
            if (tensor.dtype != whynot::Dtype::f32 || tensor.shape != shape)
                throw Error(ErrorCode::bad_pack, std::string("the tensor '") + name + "' has another type or shape than expected");
            return at::from_blob(const_cast<void*>(tensor.data), shape, at::kFloat).clone().to(device);  // cloned: `file` goes away
        };
        networks_ = {read("centre", {columns}), read("spread", {columns}),        read("weight", {classes, columns}),
                     read("bias", {classes}),   read("directions", {2, columns}), {}};
        std::ifstream names(pack.file("columns.txt"));
        for (std::string name; std::getline(names, name);) networks_.names.push_back(name);
        if (networks_.names.size() != columns) throw Error(ErrorCode::bad_pack, "expected four names, one a line, in columns.txt");
    }

    const whynot::ModelInfo& info() const override { return info_; }

    std::unique_ptr<whynot::Batch> read(const std::vector<whynot::Input>& inputs, std::vector<whynot::ReadNotes>& notes) override {
        std::vector<float> numbers;
        notes.clear();
        for (const whynot::Input& input : inputs) {
            std::istringstream text(input.content);
            text.imbue(std::locale::classic());
            std::array<float, columns> row{};
            for (float& number : row) text >> number;
            const bool readable = text && (text >> std::ws).eof();
            whynot::ReadNotes& note = notes.emplace_back();
            if (readable && std::all_of(row.begin(), row.end(), [](float number) { return std::abs(number) <= largest; }))
                numbers.insert(numbers.end(), row.begin(), row.end());
            else  // an input that cannot be read gets no row, and does not stand in the way of the others
                note.refusal = "expected four numbers from -1000000 to 1000000, such as \"5.1 3.4 1.9 0.4\"";
        }
        const auto count = static_cast<int64_t>(numbers.size()) / columns;
        return std::make_unique<Rows>(networks_, at::from_blob(numbers.data(), {count, columns}, at::kFloat).clone());
    }

private:
    whynot::ModelInfo info_;
    Networks networks_;
};

class Modality : public whynot::Modality {
public:
    std::unique_ptr<whynot::Model> open(const whynot::Pack& pack, const std::string& device) override {
        return std::make_unique<Model>(pack, whynot::device_named(device));
    }
};

/// What the conformance checks work on.
class Samples : public whynot::Samples {
public:
    whynot::SampleSet samples(const whynot::Pack& /*pack*/) override {
        return {{{"5.1 3.4 1.9 0.4", ""}, {"6 2.9 4.3 1.2", ""}, {"6.4 3.1 5.2 2.1", ""}}, 1e-4};
    }
};

const whynot_artifact artifacts[] = {
    {"weights.safetensors", "tensors", 1, "`centre`, `spread` [4], `weight` [C, 4], `bias` [C], `directions` [2, 4]."},
    {"columns.txt", "names", 1, "The names of the four columns, one a line."},
    {},
};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = "rows_of_four";
    plugin.name = "Rows of four numbers";
    plugin.version = "0.1.0";
    plugin.licence = "Apache-2.0";
    plugin.summary = "Explains softmax regressions of rows of four numbers.";
    plugin.modality = "rows_of_four";
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Modality>, whynot::Service<whynot::Samples, Samples>);
