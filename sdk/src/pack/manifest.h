#pragma once

#include <cstdint>
#include <string_view>

namespace whynot::internal {

constexpr const char* manifest_name = "pack.json";
constexpr uint64_t max_manifest_bytes = 1 << 20;

/// Whether a pack may have a file of this name: relative, in plain parts between `/`, and not the manifest itself.
bool is_pack_file_name(std::string_view name) noexcept;

}  // namespace whynot::internal
