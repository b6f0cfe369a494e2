#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

/// Sentences by their length.
using ByLength = std::map<size_t, Sentences>;
ByLength by_length(const Sentences& sentences);

/// Batches of sentences of one length, so that nothing is padded, in an order drawn with `random`. @param size of a batch at most
std::vector<Sentences> batches_of_one_length(ByLength sentences, int64_t size, std::mt19937_64& random);

/// Sentences of one length as a tensor [n, m], int64.
at::Tensor rectangle(const Sentences& sentences);

}  // namespace whynot::text
