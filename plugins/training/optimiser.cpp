#include "training/optimiser.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "whynot/error.h"

namespace whynot::training {

namespace {

/// Adam's step size at step `steps` (from 1), with both bias corrections in it; epsilon is then relative to the corrected root.
double corrected_rate(double rate, int64_t steps, const AdamOptions& options) {
    const double t = static_cast<double>(steps);
    return rate * std::sqrt(1 - std::pow(options.beta2, t)) / (1 - std::pow(options.beta1, t));
}

void load(at::Tensor& to, const OptimiserState& state, const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != to.sizes())
        throw Error(ErrorCode::invalid_argument, "optimiser state: expected a tensor '" + name + "' of the parameter's shape, found " +
                                                     (found == state.end() ? "none" : "another shape") +
                                                     "; the checkpoint belongs to another model or recipe");
    to.copy_(found->second);
}

int64_t load_steps(const OptimiserState& state) {
    const auto found = state.find("steps");
    if (found == state.end() || found->second.numel() != 1)
        throw Error(ErrorCode::invalid_argument,
                    "optimiser state: expected a scalar 'steps', found none; the checkpoint is not an optimiser's");
    return found->second.item<int64_t>();
}

}  // namespace

RowAdam::RowAdam(at::Tensor table, AdamOptions options)
    : table_(std::move(table)), first_(at::zeros_like(table_)), second_(at::zeros_like(table_)), options_(options) {
    if (options_.weight_decay != 0)
        throw Error(ErrorCode::invalid_argument,
                    "RowAdam: expected no weight decay, found " + std::to_string(options_.weight_decay) + "; DenseAdam has it");
}

void RowAdam::step(const at::Tensor& rows, const at::Tensor& gradient, double rate) {
    const at::NoGradGuard guard;
    ++steps_;
    const auto first = first_.index_select(0, rows).lerp_(gradient, 1 - options_.beta1);
    const auto second = second_.index_select(0, rows).mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    first_.index_copy_(0, rows, first);
    second_.index_copy_(0, rows, second);
    table_.index_add_(0, rows, first.div(second.sqrt().add_(options_.epsilon)).mul_(-corrected_rate(rate, steps_, options_)));
}

OptimiserState RowAdam::state() const { return {{"first", first_}, {"second", second_}, {"steps", at::scalar_tensor(steps_, at::kLong)}}; }

void RowAdam::load_state(const OptimiserState& state) {
    load(first_, state, "first");
    load(second_, state, "second");
    steps_ = load_steps(state);
}

DenseAdam::DenseAdam(std::vector<at::Tensor> parameters, double clip, AdamOptions options)
    : parameters_(std::move(parameters)), clip_(clip), options_(options) {
    const at::NoGradGuard guard;
    for (const auto& parameter : parameters_) {
        first_.push_back(at::zeros_like(parameter));
        second_.push_back(at::zeros_like(parameter));
    }
}

void DenseAdam::step(double rate) {
    const at::NoGradGuard guard;
    ++steps_;
    double scale = 1;
    if (clip_ > 0) {
        double squares = 0;
        for (const auto& parameter : parameters_)
            if (parameter.grad().defined()) squares += std::pow(parameter.grad().norm().item<double>(), 2);
        scale = std::min(1.0, clip_ / (std::sqrt(squares) + 1e-6));
    }
    const double corrected = corrected_rate(rate, steps_, options_);
    for (size_t i = 0; i < parameters_.size(); ++i) {
        auto& gradient = parameters_[i].mutable_grad();
        if (!gradient.defined()) continue;
        if (scale < 1) gradient.mul_(scale);
        if (options_.weight_decay != 0) gradient.add_(parameters_[i], options_.weight_decay);
        first_[i].lerp_(gradient, 1 - options_.beta1);
        second_[i].mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
        parameters_[i].addcdiv_(first_[i], second_[i].sqrt().add_(options_.epsilon), -corrected);
        gradient.reset();
    }
}

OptimiserState DenseAdam::state() const {
    OptimiserState state{{"steps", at::scalar_tensor(steps_, at::kLong)}};
    for (size_t i = 0; i < parameters_.size(); ++i) {
        state["first." + std::to_string(i)] = first_[i];
        state["second." + std::to_string(i)] = second_[i];
    }
    return state;
}

void DenseAdam::load_state(const OptimiserState& state) {
    for (size_t i = 0; i < parameters_.size(); ++i) {
        load(first_[i], state, "first." + std::to_string(i));
        load(second_[i], state, "second." + std::to_string(i));
    }
    steps_ = load_steps(state);
}

double cosine_rate(double peak, int64_t step, int64_t steps, int64_t warm_up) {
    constexpr double pi = 3.14159265358979323846;
    constexpr double floor = 0.02;
    const double rise = std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(std::max<int64_t>(1, warm_up)));
    const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, steps)));
    return peak * rise * (floor + (1 - floor) * 0.5 * (1 + std::cos(pi * done)));
}

}  // namespace whynot::training
