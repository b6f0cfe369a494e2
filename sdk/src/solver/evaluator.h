#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whynot/problem.h"

namespace whynot::internal {

/// The one place that calls `Problem::log_likelihood`: moves points there and values back, checks what comes, counts
/// and times.
class RowEvaluator {
public:
    explicit RowEvaluator(const Problem& problem);

    /// Log-likelihoods of `rows.size()` points ([b, k], row-major): [b, C], row-major, valid until the next call. The
    /// points are rounded in place to the problem's type, so that what is remembered is what was evaluated. Keeps the
    /// graph for `backward`.
    const double* forward(std::vector<double>& points, const std::vector<int64_t>& rows);

    /// Gradients in z of sum_c weights[i, c] * value[i, c] for every row i of the last forward: [b, k], valid until the
    /// next call. Frees the graph.
    const double* backward(std::vector<double>& weights);

    int64_t classes() const { return classes_; }  ///< C; 0 before the first call
    double seconds_forward() const { return seconds_forward_; }
    double seconds_backward() const { return seconds_backward_; }

private:
    const Problem& problem_;
    int64_t classes_ = 0;
    at::Tensor z_, output_;         // of the last forward, with its graph
    at::Tensor values_, gradient_;  // double, on the CPU
    double seconds_forward_ = 0, seconds_backward_ = 0;
};

}  // namespace whynot::internal
