#include "image/networks/classifier.h"

#include <algorithm>
#include <map>
#include <vector>

#include "whynot/error.h"

namespace whynot::image {

namespace {

int64_t scaled(int64_t channels, double width) { return std::max<int64_t>(1, std::llround(static_cast<double>(channels) * width)); }

at::Tensor seen(const Probe::Hook& hook, const at::Tensor& x) { return hook ? hook(x) : x; }

class LeNet : public Classifier {
public:
    LeNet(const ImageShape& shape, int64_t classes) {
        const auto side = [](int64_t s) { return ((s - 4) / 2 - 4) / 2; };
        const int64_t left = side(shape.height) * side(shape.width);
        if (std::min(shape.height, shape.width) < 16)
            throw Error(ErrorCode::invalid_argument, "a lenet takes images of at least 16 x 16 pixels, these have " +
                                                         std::to_string(shape.width) + " x " + std::to_string(shape.height));
        first_ = convolution("first", shape.channels, 20, 5);
        second_ = convolution("second", 20, 20, 5);
        hidden_ = linear("hidden", 20 * left, 50);
        output_ = linear("output", 50, classes);
    }

    at::Tensor logits(const at::Tensor& images, const Mode&, const Probe& probe) const override {
        const at::Tensor a = at::relu(at::max_pool2d(seen(probe.linear, first_(images)), 2));
        const at::Tensor maps = seen(probe.linear, second_(a));
        // The maximum first is less work, and the same.
        const at::Tensor b = probe.maps ? at::max_pool2d(probe.maps(at::relu(maps)), 2) : at::relu(at::max_pool2d(maps, 2));
        return seen(probe.linear, output_(at::relu(seen(probe.linear, hidden_(b.flatten(1))))));
    }

private:
    Convolution first_, second_;
    Linear hidden_, output_;
};

class Vgg : public Classifier {
public:
    Vgg(const ClassifierSizes& sizes, const std::vector<int64_t>& blocks, const ImageShape& shape, int64_t classes)
        : dropout_(sizes.dropout) {
        int64_t in = shape.channels, height = shape.height, width = shape.width;
        for (size_t block = 0; block < blocks.size(); ++block) {
            const int64_t out = scaled(std::min<int64_t>(512, 64 << block), sizes.width);
            std::vector<Layer>& layers = blocks_.emplace_back();
            for (int64_t i = 0; i < blocks[block]; ++i) {
                const std::string name = "block" + std::to_string(block) + ".layer" + std::to_string(i);
                layers.push_back({convolution(name, in, out, 3, 1, 1), batch_norm(name + ".norm", out)});
                in = out;
            }
            pools_.push_back(std::min(height, width) >= 6);
            if (pools_.back()) height /= 2, width /= 2;
        }
        const int64_t units = scaled(512, sizes.width);
        hidden_ = linear("hidden", in * height * width, units);
        output_ = linear("output", units, classes);
    }

    at::Tensor logits(const at::Tensor& images, const Mode& mode, const Probe& probe) const override {
        at::Tensor x = images;
        for (size_t block = 0; block < blocks_.size(); ++block) {
            for (const Layer& layer : blocks_[block]) x = at::relu(seen(probe.linear, layer.norm(layer.convolution(x), mode)));
            if (block + 1 == blocks_.size()) x = seen(probe.maps, x);
            if (pools_[block]) x = at::max_pool2d(x, 2);
        }
        const at::Tensor hidden = seen(probe.linear, hidden_(x.flatten(1)));
        return seen(probe.linear, output_(dropout(at::relu(hidden), dropout_, mode)));
    }

private:
    struct Layer {
        Convolution convolution;
        BatchNorm norm;
    };
    std::vector<std::vector<Layer>> blocks_;
    std::vector<bool> pools_;
    Linear hidden_, output_;
    double dropout_;
};

class ResNet : public Classifier {
public:
    ResNet(const ClassifierSizes& sizes, const std::vector<int64_t>& stages, const ImageShape& shape, int64_t classes) {
        int64_t in = scaled(64, sizes.width);
        stem_ = convolution("stem", shape.channels, in, 7, 2, 3);
        stem_norm_ = batch_norm("stem.norm", in);
        for (size_t stage = 0; stage < stages.size(); ++stage) {
            const int64_t middle = scaled(int64_t{64} << stage, sizes.width), out = 4 * middle;
            for (int64_t i = 0; i < stages[stage]; ++i) {
                const std::string name = "stage" + std::to_string(stage) + ".block" + std::to_string(i);
                const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
                Block block;
                block.down = convolution(name + ".down", in, middle, 1);
                block.across = convolution(name + ".across", middle, middle, 3, stride, 1);
                block.up = convolution(name + ".up", middle, out, 1);
                block.down_norm = batch_norm(name + ".down.norm", middle);
                block.across_norm = batch_norm(name + ".across.norm", middle);
                block.up_norm = batch_norm(name + ".up.norm", out);
                if (i == 0) {
                    block.shortcut = convolution(name + ".shortcut", in, out, 1, stride);
                    block.shortcut_norm = batch_norm(name + ".shortcut.norm", out);
                }
                blocks_.push_back(block);
                in = out;
            }
        }
        output_ = linear("output", in, classes);
    }

    at::Tensor logits(const at::Tensor& images, const Mode& mode, const Probe& probe) const override {
        const auto layer = [&](const Convolution& convolution, const BatchNorm& norm, const at::Tensor& x) {
            return seen(probe.linear, norm(convolution(x), mode));
        };
        at::Tensor x = at::max_pool2d(at::relu(layer(stem_, stem_norm_, images)), 3, 2, 1);
        for (const Block& block : blocks_) {
            at::Tensor y = at::relu(layer(block.down, block.down_norm, x));
            y = at::relu(layer(block.across, block.across_norm, y));
            y = layer(block.up, block.up_norm, y);
            x = at::relu(y + (block.shortcut.weight.defined() ? layer(block.shortcut, block.shortcut_norm, x) : x));
        }
        return seen(probe.linear, output_(seen(probe.maps, x).mean({2, 3})));
    }

private:
    struct Block {
        Convolution down, across, up, shortcut;
        BatchNorm down_norm, across_norm, up_norm, shortcut_norm;
    };
    Convolution stem_;
    BatchNorm stem_norm_;
    std::vector<Block> blocks_;
    Linear output_;
};

template <class Kind>
std::shared_ptr<Classifier> make_deep(const std::map<int64_t, std::vector<int64_t>>& depths, const ClassifierSizes& sizes,
                                      const ImageShape& shape, int64_t classes) {
    const auto found = depths.find(sizes.depth);
    if (found == depths.end()) {
        std::string known;
        for (const auto& item : depths) known += (known.empty() ? "" : ", ") + std::to_string(item.first);
        throw Error(ErrorCode::invalid_argument,
                    "there is no " + sizes.kind + " of depth " + std::to_string(sizes.depth) + "; there is " + known);
    }
    if (!(sizes.width > 0 && sizes.width <= 4))
        throw Error(ErrorCode::invalid_argument, "the width of a " + sizes.kind + " must be over 0 and at most 4");
    return std::make_shared<Kind>(sizes, found->second, shape, classes);
}

}  // namespace

std::shared_ptr<Classifier> make_classifier(const ClassifierSizes& sizes, const ImageShape& shape, int64_t classes) {
    if (sizes.kind == "lenet") return std::make_shared<LeNet>(shape, classes);
    if (sizes.kind == "vgg")
        return make_deep<Vgg>({{11, {1, 1, 2, 2, 2}}, {13, {2, 2, 2, 2, 2}}, {16, {2, 2, 3, 3, 3}}, {19, {2, 2, 4, 4, 4}}}, sizes, shape,
                              classes);
    if (sizes.kind == "resnet")
        return make_deep<ResNet>({{50, {3, 4, 6, 3}}, {101, {3, 4, 23, 3}}, {152, {3, 8, 36, 3}}}, sizes, shape, classes);
    throw Error(ErrorCode::invalid_argument, "there is no classifier '" + sizes.kind + "'; there are lenet, vgg and resnet");
}

}  // namespace whynot::image
