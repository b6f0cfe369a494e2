#pragma once

/// What stands in the files of an image corpus: IDX arrays and tables. Views point into the content that was given.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "corpora/manifest.h"

namespace whynot::corpora {

/// An array of unsigned bytes, row by row.
///
///     00 00 08 d | d sizes, 32 bits each, big-endian | bytes
struct Idx {
    std::vector<int64_t> shape;
    std::string_view bytes;  ///< as many as the product of `shape`
};

/// @throws Error invalid_input, naming `path`, for anything but a whole array of `least` to `most` dimensions, none of them 0
Idx parse_idx(std::string_view content, const std::filesystem::path& path, int least, int most);

/// A CSV file: a header, and lines of as many fields, separated by commas, without quotes.
struct Table {
    std::vector<std::string_view> columns;
    std::vector<std::vector<std::string_view>> lines;
};

/// @throws Error invalid_input, naming `path` and the line
Table parse_table(std::string_view content, const std::filesystem::path& path);

/// How many lines, images, labels a file holds, and what they are called. @throws Error invalid_input
std::pair<int64_t, const char*> count_of(std::string_view content, CorpusFileRole role, const std::filesystem::path& path);

/// What is wrong with the content of a file, as a sentence that begins with `path`; empty where its format, count and checksum are the
/// manifest's.
std::string content_problem(std::string_view content, const CorpusFile& file, const std::filesystem::path& path);

}  // namespace whynot::corpora
