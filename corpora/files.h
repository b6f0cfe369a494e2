#pragma once

/// Files of corpora. Threads: pure functions.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace whynot::corpora {

/// Larger than any file that is read at once, small enough to be refused before memory ends: 4 GiB.
constexpr uint64_t max_content_bytes = uint64_t{1} << 32;

/// Called again and again while something long is done; what it throws ends that and passes through.
using Watch = std::function<void()>;

/// The content of a file; one whose name ends with .gz is decompressed. Of a missing X.gz the plain X is read.
/// @throws Error not_found when there is none of them; io when it cannot be read, or is a damaged, truncated or no gzip file;
///         invalid_input for more than `limit` bytes of content
std::string read_file(const std::filesystem::path& path, uint64_t limit = max_content_bytes, const Watch& watch = {});

/// The content of a file, decompressed where it is a gzip file, whatever it is called. @throws Error as `read_file`
std::string read_content(const std::filesystem::path& path, uint64_t limit = max_content_bytes);

/// Compressed as gzip, without name and time: same bytes in, same bytes out (with the same version of zlib).
std::string gzip(std::string_view content);

/// Says that the content of a file is not what it should be. @throws Error invalid_input
[[noreturn]] void bad(const std::filesystem::path& path, const std::string& what);

/// Whether a path from outside stays in the folder that it is relative to.
bool stays_inside(const std::filesystem::path& path);

/// A path as part of a URL: what has no place there becomes %XX.
std::string url_path(std::string_view path);

}  // namespace whynot::corpora
