#pragma once

/// Labelled sentences as one table, as data sets of many classes come: a row each, the text in one column and the label in another.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "corpora/manifest.h"

namespace whynot::corpora {

/// One row of a table.
struct LabelledText {
    std::string text;
    std::string label;  ///< as it stands there
    int64_t line = 0;   ///< of the file, where the row begins
};

/// The rows of a table, in their order.
///
/// | format  | what is read                                                                                                  |
/// |---------|---------------------------------------------------------------------------------------------------------------|
/// | `tsv`   | a heading line, and a row a line; columns are separated by tabs, and a quotation mark is a character like any other |
/// | `csv`   | the same, separated by commas; fields may be quoted, with commas and line breaks in them                      |
/// | `jsonl` | a JSON object a line; columns are its keys, and the values of the two are texts                               |
///
/// Empty lines are skipped. @throws Error invalid_input, naming `path` and the line, for a table that is broken or lacks a column
std::vector<LabelledText> parse_sentence_table(std::string_view content, const SentenceTable& table, const std::filesystem::path& path);

}  // namespace whynot::corpora
