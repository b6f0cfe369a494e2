#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace whynot::internal {

/// "[64, 10]"; a negative size is written "C".
inline std::string shape_of(at::IntArrayRef sizes) {
    std::string text = "[";
    for (const int64_t size : sizes) text += (text.size() > 1 ? ", " : "") + (size < 0 ? std::string("C") : std::to_string(size));
    return text + "]";
}

/// "[64, 10] float", "nothing".
inline std::string shape_of(const at::Tensor& tensor) {
    if (!tensor.defined()) return "nothing";
    return shape_of(tensor.sizes()) + " " + std::string(c10::toString(tensor.scalar_type()));
}

}  // namespace whynot::internal
