#include "text/networks/sentence_network.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using training::Linear;
using training::Mode;

class ConvolutionNetwork : public SentenceNetwork {
public:
    ConvolutionNetwork(const SentenceNetworkSizes& sizes, int64_t dimension, int64_t classes) : SentenceNetwork(sizes, dimension, classes) {
        for (const int64_t width : {2, 3, 4}) {
            const double bound = 1 / std::sqrt(static_cast<double>(dimension * width));
            const std::string name = "filters" + std::to_string(width);
            filters_.push_back(
                {parameter(name + ".weight", {sizes.hidden, dimension, width}, bound), parameter(name + ".bias", {sizes.hidden}, bound)});
        }
        out_ = linear("out", sizes.hidden * static_cast<int64_t>(filters_.size()), classes);
    }

    at::Tensor logits(const at::Tensor& embedded, const Mode& mode) const override {
        const at::Tensor x = training::dropout(embedded, sizes().dropout, mode).transpose(1, 2);
        std::vector<at::Tensor> largest;
        for (const Linear& filter : filters_)
            largest.push_back(at::conv1d(x, filter.weight, filter.bias, 1, filter.weight.size(2) - 1).relu().amax(2));
        return out_(training::dropout(at::cat(largest, 1), sizes().dropout, mode));
    }

private:
    std::vector<Linear> filters_;  // of one width each
    Linear out_;
};

class RecurrentNetwork : public SentenceNetwork {
public:
    RecurrentNetwork(const SentenceNetworkSizes& sizes, int64_t dimension, int64_t classes) : SentenceNetwork(sizes, dimension, classes) {
        const double bound = 1 / std::sqrt(static_cast<double>(sizes.hidden));
        const int64_t gates = 3 * sizes.hidden;
        for (int64_t layer = 0; layer < sizes.layers; ++layer)
            for (const char* direction : {"forward", "backward"}) {
                const std::string name = "layer" + std::to_string(layer) + "." + direction + ".";
                // In the order in which at::gru takes them.
                weights_.push_back(parameter(name + "input", {gates, layer == 0 ? dimension : 2 * sizes.hidden}, bound));
                weights_.push_back(parameter(name + "state", {gates, sizes.hidden}, bound));
                weights_.push_back(parameter(name + "input_bias", {gates}, bound));
                weights_.push_back(parameter(name + "state_bias", {gates}, bound));
            }
        out_ = linear("out", 2 * sizes.hidden, classes);
    }

    at::Tensor logits(const at::Tensor& embedded, const Mode& mode) const override {
        const at::Tensor x = training::dropout(embedded, sizes().dropout, mode);
        const at::Tensor before = x.new_zeros({2 * sizes().layers, x.size(0), sizes().hidden});
        const at::Tensor states = std::get<0>(at::gru(x, before, weights_, true, sizes().layers, 0, false, true, true));
        return out_(training::dropout(states.amax(1), sizes().dropout, mode));
    }

private:
    std::vector<at::Tensor> weights_;
    Linear out_;
};

class AttentionNetwork : public SentenceNetwork {
public:
    AttentionNetwork(const SentenceNetworkSizes& sizes, int64_t dimension, int64_t classes) : SentenceNetwork(sizes, dimension, classes) {
        const int64_t h = sizes.hidden;
        in_ = linear("in", dimension, h);
        for (int64_t i = 0; i < sizes.layers; ++i) {
            const std::string name = "block" + std::to_string(i) + ".";
            blocks_.push_back({normalisation(name + "before_attention", h), normalisation(name + "before_wide", h),
                               linear(name + "queries", h, h), linear(name + "keys", h, h), linear(name + "values", h, h),
                               linear(name + "together", h, h), linear(name + "wide", h, 4 * h), linear(name + "narrow", 4 * h, h)});
        }
        last_ = normalisation("last", h);
        out_ = linear("out", h, classes);
    }

    at::Tensor logits(const at::Tensor& embedded, const Mode& mode) const override {
        const double share = sizes().dropout;
        at::Tensor x = in_(training::dropout(embedded, share, mode));
        x = x + positions(x.size(1)).to(x.options());
        for (const Block& block : blocks_) {
            x = x + training::dropout(attend(block, block.before_attention(x)), share, mode);
            x = x + training::dropout(block.narrow(block.wide(block.before_wide(x)).relu()), share, mode);
        }
        return out_(training::dropout(last_(x).mean(1), share, mode));
    }

private:
    struct Normalisation {
        at::Tensor weight, bias;
        at::Tensor operator()(const at::Tensor& x) const { return at::layer_norm(x, {weight.size(0)}, weight, bias); }
    };
    struct Block {
        Normalisation before_attention, before_wide;
        Linear queries, keys, values, together, wide, narrow;
    };

    Normalisation normalisation(const std::string& name, int64_t size) {
        return {parameter(name + ".weight", {size}, 0, 1), parameter(name + ".bias", {size}, 0)};
    }

    // [m, h]: at position t sin(t / 10000^(2 i / h)) and the cosine.
    at::Tensor positions(int64_t m) const {
        const int64_t half = (sizes().hidden + 1) / 2;
        const at::Tensor rate = (at::arange(half, at::kFloat) * (-std::log(10000.0) * 2 / static_cast<double>(sizes().hidden))).exp();
        const at::Tensor angle = at::arange(m, at::kFloat).unsqueeze(1) * rate;
        return at::cat({angle.sin(), angle.cos()}, 1).slice(1, 0, sizes().hidden);
    }

    at::Tensor attend(const Block& block, const at::Tensor& x) const {
        const int64_t b = x.size(0), m = x.size(1), heads = sizes().heads, each = sizes().hidden / heads;
        const auto split = [&](const at::Tensor& y) { return y.view({b, m, heads, each}).transpose(1, 2); };  // [b, heads, m, each]
        const at::Tensor likeness =
            at::matmul(split(block.queries(x)), split(block.keys(x)).transpose(2, 3)) / std::sqrt(static_cast<double>(each));
        const at::Tensor mixed = at::matmul(likeness.softmax(3), split(block.values(x)));
        return block.together(mixed.transpose(1, 2).reshape({b, m, sizes().hidden}));
    }

    Linear in_;
    std::vector<Block> blocks_;
    Normalisation last_;
    Linear out_;
};

}  // namespace

const std::vector<std::string>& sentence_network_kinds() {
    static const std::vector<std::string> kinds{"convolution", "recurrent", "attention"};
    return kinds;
}

std::shared_ptr<SentenceNetwork> make_sentence_network(const SentenceNetworkSizes& sizes, int64_t dimension, int64_t classes) {
    const auto require = [](bool right, const std::string& what) {
        if (!right) throw Error(ErrorCode::invalid_argument, what);
    };
    require(sizes.hidden >= 1 && sizes.hidden <= 4096, "'classifier.hidden' must be from 1 to 4096");
    require(sizes.layers >= 1 && sizes.layers <= 24, "'classifier.layers' must be from 1 to 24");
    require(sizes.dropout >= 0 && sizes.dropout < 1, "'classifier.dropout' must be from 0 to less than 1");
    if (sizes.kind == "convolution") return std::make_shared<ConvolutionNetwork>(sizes, dimension, classes);
    if (sizes.kind == "recurrent") return std::make_shared<RecurrentNetwork>(sizes, dimension, classes);
    require(sizes.kind == "attention",
            "'classifier.kind' is '" + sizes.kind + "'; expected embedding-sum, " + base::joined(sentence_network_kinds()));
    require(sizes.heads >= 1 && sizes.hidden % sizes.heads == 0, "'classifier.heads' must divide 'classifier.hidden'");
    return std::make_shared<AttentionNetwork>(sizes, dimension, classes);
}

std::shared_ptr<SentenceNetwork> SentenceNetwork::on(at::Device device) const {
    const std::shared_ptr<SentenceNetwork> copy = make_sentence_network(sizes_, dimension_, classes_);
    training::NamedTensors to = copy->tensors();
    for (const auto& [name, tensor] : tensors()) to.at(name).set_data(tensor.to(device));
    return copy;
}

}  // namespace whynot::text
