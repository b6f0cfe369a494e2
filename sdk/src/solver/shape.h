#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "base/format.h"
#include "whynot/error.h"

namespace whynot::internal {

/// "[64, 10]"; a negative size is written "C".
inline std::string shape_of(at::IntArrayRef sizes) {
    std::vector<std::string> texts;
    for (const int64_t size : sizes) texts.push_back(size < 0 ? "C" : std::to_string(size));
    return "[" + base::joined(texts) + "]";
}

/// "[64, 10] Float", "nothing".
inline std::string shape_of(const at::Tensor& tensor) {
    if (!tensor.defined()) return "nothing";
    return shape_of(tensor.sizes()) + " " + std::string(c10::toString(tensor.scalar_type()));
}

/// What a method of a plugin gives has the shape that it should have; otherwise throws Error `internal`:
/// "plugin 'text': start should give [B, k] = [64, 128]; it gives [64, 4]".
/// @param letters the shape as modality.h writes it @param plugin its id; empty: nobody is named
inline void check_shape(const at::Tensor& tensor, at::IntArrayRef expected, const char* letters, const char* method,
                        const std::string& plugin) {
    if (tensor.defined() && tensor.sizes() == expected) return;
    throw Error(ErrorCode::internal, (plugin.empty() ? "" : "plugin '" + plugin + "': ") + method + " should give " + letters + " = " +
                                         shape_of(expected) + "; it gives " + (tensor.defined() ? shape_of(tensor.sizes()) : "nothing"));
}

}  // namespace whynot::internal
