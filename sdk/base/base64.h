#pragma once

/// Bytes as text.

#include <optional>
#include <string>
#include <string_view>

namespace whynot::base {

std::string to_base64(std::string_view bytes);

/// The bytes that base64 with its padding stands for; nothing for what is none.
std::optional<std::string> from_base64(const std::string& text);

}  // namespace whynot::base
