#pragma once

#include <string>

#include "base/json.h"
#include "whynot/page.h"

namespace whynot::cli {

/// A result of `whynot bench` (whynot.bench/1) as a page: a table a pack.
std::string bench_page(const base::Json& result, const PageInfo& info);

}  // namespace whynot::cli
