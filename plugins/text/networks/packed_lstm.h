#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace whynot::text {

/// An LSTM over sentences of several lengths without padding. Sentences stand longest first; positions stand one after another, the first
/// ones of all sentences, then the second ones of those that have one, and so on: counts[t] sentences have a position t, P = sum counts.
///
///     [i f g o]_t = gates_t + W h_{t-1},   c_t = s(f) c_{t-1} + s(i) tanh(g),   h_t = s(o) tanh(c_t)      (s: the logistic function)
///
/// by hand, with its derivative: where autograd keeps some ten small tensors a position, this keeps two, and what the inputs add to the
/// gates may be known beforehand.
///
/// @param gates   [P, 4 h], what the inputs and biases add
/// @param h, c    [counts[0], h], the state before the first position
/// @param weight  [4 h, h], frozen
/// @returns h at every position, [P, h], differentiable in gates, h and c
at::Tensor packed_lstm(const at::Tensor& gates, const std::vector<int64_t>& counts, const at::Tensor& h, const at::Tensor& c,
                       const at::Tensor& weight);

}  // namespace whynot::text
