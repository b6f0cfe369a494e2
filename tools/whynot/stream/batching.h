#pragma once

/// How questions are put together into batches: the same everywhere, as which ones share a batch shows in the last digits of their answers.

#include <cstddef>

namespace whynot::cli {

/// Questions that are answered together: well over half of what large batches win, and answers keep flowing.
constexpr size_t max_batch_size = 64;

/// No more inputs are added to a batch that has so many bytes: a batch of large pictures is a small one.
constexpr size_t max_batch_bytes = 64 * 1000 * 1000;

}  // namespace whynot::cli
