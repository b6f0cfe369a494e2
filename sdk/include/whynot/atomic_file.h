#pragma once

/// Writing a file whole or not at all.

#include <filesystem>
#include <string_view>

#include "whynot/export.h"

namespace whynot {

/// The whole of `bytes` as the file `path`, replacing an older one: written beside its place, flushed to the disk and renamed, so that
/// nobody ever sees half of it. Throws `io` with the system's words; what was there is then as it was.
WHYNOT_API void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace whynot
