#pragma once

#include "base/json.h"

namespace whynot::cli {

/// One object on a line, on standard output. Bytes that are not UTF-8, as in the names of files, come out as U+FFFD.
void print_line(const base::Json& object);

}  // namespace whynot::cli
