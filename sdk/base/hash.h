#pragma once

#include <cstdint>
#include <string_view>

namespace whynot::base {

/// FNV-1a, 64 bits (Fowler, Noll, Vo): what samples, splits and names of caches go by. Not for anything that an attacker may choose.
constexpr uint64_t fnv1a(std::string_view bytes) noexcept {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace whynot::base
