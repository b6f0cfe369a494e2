#pragma once

/// The layers that the image networks are made of, over plain tensors. torch::nn's modules draw their first weights from the process's
/// random generator, which a library must leave alone; these draw from the caller's.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <string>
#include <utility>

#include "training/checkpoint.h"
#include "training/pack_contents.h"

namespace whynot::image {

/// How a network is being run. For training: batch normalisation with the batch's own statistics, and dropout.
struct Mode {
    bool training = false;
    at::Generator generator;  ///< for dropout; needed in training
};

/// A linear map [b, in] -> [b, out].
struct Linear {
    at::Tensor weight, bias;

    at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

/// The first convolution of a classifier, of one channel or three, with its weights frozen. LibTorch gives convolutions to oneDNN, which
/// counts channels by the eight: twice the time forward, and ten times for the gradient, of a LeNet's first layer. Its own convolution
/// and the transposed one have no such trouble. Channels come out innermost, which what follows is faster with, pooling most of all.
class ConvolutionOfFewChannels : public torch::autograd::Function<ConvolutionOfFewChannels> {
public:
    static constexpr int64_t few = 3;

    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const at::Tensor& bias, int64_t padding) {
        context->save_for_backward({weight});
        context->saved_data["padding"] = padding;
        const at::Tensor y = at::thnn_conv2d(x, weight, {weight.size(2), weight.size(3)}, bias, {1, 1}, {padding, padding});
        return y.contiguous(at::MemoryFormat::ChannelsLast);
    }

    static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context, const torch::autograd::tensor_list& gradients) {
        const at::Tensor weight = context->get_saved_variables()[0];
        const int64_t padding = context->saved_data["padding"].toInt();
        return {at::conv_transpose2d(gradients[0], weight, {}, {1, 1}, {padding, padding}), {}, {}, {}};
    }
};

/// A convolution; with `transposed` its transpose, which doubles sides where kernel is 4, stride 2, padding 1.
struct Convolution {
    at::Tensor weight, bias;
    int64_t stride = 1, padding = 0;
    bool transposed = false;

    at::Tensor operator()(const at::Tensor& x) const {
        if (transposed) return at::conv_transpose2d(x, weight, bias, stride, padding);
        const bool frozen = !weight.requires_grad() && !bias.requires_grad();
        if (frozen && stride == 1 && weight.size(1) <= ConvolutionOfFewChannels::few && x.device().is_cpu())
            return ConvolutionOfFewChannels::apply(x, weight, bias, padding);
        return at::conv2d(x, weight, bias, stride, padding);
    }
};

/// Batch normalisation of [b, c] or [b, c, h, w].
struct BatchNorm {
    at::Tensor weight, bias, mean, variance;

    at::Tensor operator()(const at::Tensor& x, const Mode& mode) const {
        return at::batch_norm(x, weight, bias, mean, variance, mode.training, 0.1, 1e-5, false);
    }
};

inline at::Tensor dropout(const at::Tensor& x, double share, const Mode& mode) {
    if (!mode.training || share <= 0) return x;
    return x * at::empty_like(x).bernoulli_(1 - share, mode.generator).div_(1 - share);
}

/// The tensors of a network by name. Layers compute with the same tensors. They are declared (training/pack_contents.h) until
/// `initialise` draws them or a pack gives them.
class Network {
public:
    Network() = default;
    Network(const Network&) = delete;  // a copy would share the weights
    Network& operator=(const Network&) = delete;
    virtual ~Network() = default;

    /// What training changes by gradients, and what it only keeps account of (the statistics of batch normalisation).
    const training::NamedTensors& parameters() const { return parameters_; }
    const training::NamedTensors& statistics() const { return statistics_; }
    /// Both: what a pack stores.
    training::NamedTensors tensors() const {
        training::NamedTensors all = parameters_;
        all.insert(statistics_.begin(), statistics_.end());
        return all;
    }

    /// First weights: uniform within 1 / sqrt(inputs of a unit); normalisation begins as the identity.
    void initialise(at::Generator generator) {
        const at::NoGradGuard no_grad;
        for (auto& [name, tensor] : parameters_) {
            const double bound = bounds_.at(name);
            tensor.set_data(tensor.contiguous());  // memory of its own
            if (bound > 0) tensor.uniform_(-bound, bound, generator);
        }
        for (auto& [name, tensor] : statistics_) tensor.set_data(tensor.contiguous());
    }

    /// With gradients for training; frozen for explaining, or every derivative would compute those of the weights too.
    void require_gradients(bool required) {
        for (auto& [name, tensor] : parameters_) tensor.set_requires_grad(required);
    }

    void to(at::ScalarType type) {
        for (training::NamedTensors* group : {&parameters_, &statistics_})
            for (auto& [name, tensor] : *group) tensor.set_data(tensor.to(type));
    }
    virtual void to(at::Device device) {
        for (training::NamedTensors* group : {&parameters_, &statistics_})
            for (auto& [name, tensor] : *group) tensor.set_data(tensor.to(device));
    }

protected:
    Linear linear(const std::string& name, int64_t in, int64_t out) {
        const double bound = 1 / std::sqrt(static_cast<double>(in));
        return {parameter(name + ".weight", {out, in}, bound), parameter(name + ".bias", {out}, bound)};
    }

    Convolution convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0) {
        const double bound = 1 / std::sqrt(static_cast<double>(in * kernel * kernel));
        return {parameter(name + ".weight", {out, in, kernel, kernel}, bound), parameter(name + ".bias", {out}, bound), stride, padding,
                false};
    }

    /// Doubles both sides. The bound counts the inputs of a unit as torch.nn does: the kernel over the output's channels.
    Convolution doubling(const std::string& name, int64_t in, int64_t out) {
        const double bound = 1 / std::sqrt(static_cast<double>(out * 16));
        return {parameter(name + ".weight", {in, out, 4, 4}, bound), parameter(name + ".bias", {out}, bound), 2, 1, true};
    }

    BatchNorm batch_norm(const std::string& name, int64_t channels) {
        const BatchNorm layer{parameter(name + ".weight", {channels}, 0, 1), parameter(name + ".bias", {channels}, 0),
                              training::declared({channels}), training::declared({channels}, 1)};
        statistics_[name + ".mean"] = layer.mean;
        statistics_[name + ".variance"] = layer.variance;
        return layer;
    }

private:
    at::Tensor parameter(const std::string& name, at::IntArrayRef sizes, double bound, double value = 0) {
        bounds_[name] = bound;
        return parameters_[name] = training::declared(sizes, value);
    }

    training::NamedTensors parameters_, statistics_;
    std::map<std::string, double> bounds_;
};

}  // namespace whynot::image
