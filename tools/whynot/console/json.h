#pragma once

#include <string>

#include "base/json.h"

namespace whynot::cli {

/// One object on a line, on standard output. Bytes that are not UTF-8, as in the names of files, come out as U+FFFD.
void print_line(const base::Json& object);

/// A text, or null in the place of an empty one.
inline base::Json text_or_null(const std::string& text) { return text.empty() ? base::Json() : base::Json(text); }

}  // namespace whynot::cli
