#pragma once

#include <string>

namespace whynot::internal {

/// Where a text of JSON breaks the schema of the explanation record, as a sentence; empty: it does not.
std::string schema_violation(const std::string& json);

}  // namespace whynot::internal
