#include <openssl/evp.h>

#include <algorithm>
#include <climits>

#include "base/text.h"

namespace whynot::base {

std::optional<std::string> from_base64(const std::string& text) {
    if (text.size() % 4 != 0 || text.size() > INT_MAX) return std::nullopt;
    if (text.empty()) return "";
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    const auto padding = static_cast<size_t>(std::count(text.end() - 2, text.end(), '='));
    bytes.resize(static_cast<size_t>(size) - std::min(padding, static_cast<size_t>(size)));
    return bytes;
}

}  // namespace whynot::base
