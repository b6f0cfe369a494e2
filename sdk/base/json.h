#pragma once

/// JSON from strangers and for strangers, with our errors instead of nlohmann's.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "whynot/error.h"

namespace whynot::base {

/// Objects keep the order of their keys: records and manifests are read by people too.
using Json = nlohmann::ordered_json;

/// Parses a text. What is not JSON, repeats a key, nests deeper than 64 or has objects of more than 4096 members is refused: "<what>: ...".
Json parse_json(std::string_view text, ErrorCode code, const std::string& what);

/// The same, and it must be an object.
Json parse_json_object(std::string_view text, ErrorCode code, const std::string& what);

/// Writes a value; `indent` -1: on one line. Text that is not UTF-8 (`invalid_input`) and numbers that are not finite (`code`) are
/// refused with their place.
std::string write_json(const Json& value, int indent, ErrorCode code, const std::string& what);

/// What a value is, for messages: "a string", "an array", "null", ...
std::string kind_of(const Json& value);

}  // namespace whynot::base
