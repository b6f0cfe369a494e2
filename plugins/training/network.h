#pragma once

/// What the networks of the plugins are made of, over plain tensors. torch::nn's modules draw their first weights from the process's random
/// generator, which a library must leave alone; these draw from the caller's.

#include <ATen/ATen.h>

#include <cmath>
#include <map>
#include <string>

#include "training/checkpoint.h"
#include "training/pack_contents.h"

namespace whynot::training {

/// How a network is being run. For training: batch normalisation with the batch's own statistics, and dropout.
struct Mode {
    bool training = false;
    at::Generator generator;  ///< for dropout; needed in training
};

/// A linear map [..., in] -> [..., out].
struct Linear {
    at::Tensor weight, bias;

    at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
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
    const NamedTensors& parameters() const { return parameters_; }
    const NamedTensors& statistics() const { return statistics_; }
    /// Both: what a pack stores.
    NamedTensors tensors() const {
        NamedTensors all = parameters_;
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
        for (NamedTensors* group : {&parameters_, &statistics_})
            for (auto& [name, tensor] : *group) tensor.set_data(tensor.to(type));
    }
    virtual void to(at::Device device) {
        for (NamedTensors* group : {&parameters_, &statistics_})
            for (auto& [name, tensor] : *group) tensor.set_data(tensor.to(device));
    }

protected:
    Linear linear(const std::string& name, int64_t in, int64_t out) {
        const double bound = 1 / std::sqrt(static_cast<double>(in));
        return {parameter(name + ".weight", {out, in}, bound), parameter(name + ".bias", {out}, bound)};
    }

    /// First weights uniform within the bound; bound 0: `value`.
    at::Tensor parameter(const std::string& name, at::IntArrayRef sizes, double bound, double value = 0) {
        bounds_[name] = bound;
        return parameters_[name] = declared(sizes, value);
    }
    at::Tensor statistic(const std::string& name, at::IntArrayRef sizes, double value) {
        return statistics_[name] = declared(sizes, value);
    }

private:
    NamedTensors parameters_, statistics_;
    std::map<std::string, double> bounds_;
};

}  // namespace whynot::training
