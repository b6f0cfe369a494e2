#pragma once

/// The layers that the image networks are made of, over plain tensors.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <string>

#include "training/network.h"

namespace whynot::image {

using training::dropout;
using training::Linear;
using training::Mode;

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

/// A network of these layers.
class Network : public training::Network {
protected:
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
        return {parameter(name + ".weight", {channels}, 0, 1), parameter(name + ".bias", {channels}, 0),
                statistic(name + ".mean", {channels}, 0), statistic(name + ".variance", {channels}, 1)};
    }
};

}  // namespace whynot::image
