#include "solver/evaluator.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/stopwatch.h"
#include "solver/shape.h"
#include "whynot/error.h"

namespace whynot::internal {

RowEvaluator::RowEvaluator(const Problem& problem) : problem_(problem) {}

const double* RowEvaluator::forward(std::vector<double>& points, const std::vector<int64_t>& rows) {
    const base::Stopwatch clock;
    const at::Tensor& start = problem_.start;
    const auto b = static_cast<int64_t>(rows.size());
    const at::Tensor exact = at::from_blob(points.data(), {b, start.size(1)}, at::kDouble);
    z_ = exact.to(start.scalar_type());
    exact.copy_(z_);
    if (!start.is_cpu()) z_ = z_.to(start.device());
    z_.set_requires_grad(true);
    const at::Tensor indices = at::tensor(rows, at::kLong).to(start.device());

    const at::AutoGradMode with_graph(true);
    output_ = at::Tensor();  // no two graphs at a time
    output_ = problem_.log_likelihood(z_, indices);
    if (!output_.defined() || output_.dim() != 2 || output_.size(0) != b || output_.size(1) < 2 || !output_.is_floating_point() ||
        (classes_ && output_.size(1) != classes_)) {
        throw Error(ErrorCode::invalid_argument,
                    "log_likelihood was asked about z " + shape_of(z_) + " and should return " + shape_of({b, classes_ ? classes_ : -1}) +
                        " floating-point numbers, with at least two classes; it returned " + shape_of(output_));
    }
    if (!output_.requires_grad()) {
        throw Error(ErrorCode::invalid_argument,
                    "log_likelihood should return a tensor that is differentiable in z; it returned one without a graph. "
                    "Was it computed under NoGradGuard, or detached?");
    }
    classes_ = output_.size(1);
    values_ = output_.detach().to(at::kCPU, at::kDouble).contiguous();
    seconds_forward_ += clock.seconds();
    return values_.data_ptr<double>();
}

const double* RowEvaluator::backward(std::vector<double>& weights) {
    const base::Stopwatch clock;
    const at::Tensor w =
        at::from_blob(weights.data(), {output_.size(0), classes_}, at::kDouble).to(output_.device(), output_.scalar_type());
    const at::Tensor gradient = torch::autograd::grad({output_}, {z_}, {w}, c10::nullopt, false, true)[0];
    if (!gradient.defined()) {
        throw Error(ErrorCode::invalid_argument,
                    "log_likelihood should return a tensor that is differentiable in z; z is no part of its graph. Was "
                    "z detached?");
    }
    gradient_ = gradient.to(at::kCPU, at::kDouble).contiguous();
    output_ = at::Tensor();
    seconds_backward_ += clock.seconds();
    return gradient_.data_ptr<double>();
}

}  // namespace whynot::internal
