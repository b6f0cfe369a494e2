#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace whynot::image {

/// Values [b, ...] at points z [b, k], each row from its own point and from what belongs to row `rows[i]` (int64, [b]); differentiable in z.
using RowFunction = std::function<at::Tensor(const at::Tensor& z, const at::Tensor& rows)>;

/// The same values and derivatives, of at most `piece` rows at a time, the pieces shared out over LibTorch's threads.
///
/// A network's layers write and read megabytes a row: what a few rows need stays in the cache, and the memory of a large batch is that of a
/// piece. No graph is kept. The derivative computes the values afresh, of the rows that are asked about only (those whose gradient is not
/// zero everywhere), which costs no more where about half of them are, as in a solve: trial steps that are refused need none.
/// With no more than `piece` rows it is `function` itself.
///
/// @param function is kept with the graph, and called from several threads at once
at::Tensor in_pieces(const RowFunction& function, const at::Tensor& z, const at::Tensor& rows, int64_t piece);

}  // namespace whynot::image
