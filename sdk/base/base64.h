#pragma once

/// Bytes as text. The way back, `from_base64`, is in text.h.

#include <string>
#include <string_view>

namespace whynot::base {

std::string to_base64(std::string_view bytes);

}  // namespace whynot::base
