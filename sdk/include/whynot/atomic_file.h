#pragma once

/// Writing a file completely or not at all.

#include <filesystem>
#include <string_view>

#include "whynot/export.h"

namespace whynot {

/// Writes `bytes` as the file `path`, replacing an older one. They are written to a file beside it, flushed to the disk and renamed, so
/// nobody ever sees half of them. Throws `io` with the system's message; an older file is then unchanged.
WHYNOT_API void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace whynot
