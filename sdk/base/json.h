#pragma once

/// JSON from strangers and for strangers, with our errors instead of nlohmann's.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "whynot/error.h"

namespace whynot::base {

/// Objects keep the order of their keys: records and manifests are read by people too.
using Json = nlohmann::ordered_json;

/// What a text may hold before it is refused. A value takes 16 bytes of memory and more, and three bytes of text are enough for one.
struct JsonLimits {
    int depth = 64;             ///< of arrays and objects within each other
    size_t values = 1'000'000;  ///< numbers, texts, objects, ... in all
};

/// Parses a text: the one place where JSON is read, for strangers' as for our own. What is no JSON, holds a NUL, repeats a key, is beyond the
/// limits or has objects of more than 4096 members is refused: "<what>: ...".
Json parse_json(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits = {});

/// Objects of very many members, such as vocabularies: their keys are sorted.
using LargeJson = nlohmann::json;

/// As `parse_json`, of objects of any size.
LargeJson parse_large_json(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits = {64, 8'000'000});

/// As `parse_json`, and it must be an object.
Json parse_json_object(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits = {});

/// JSON that this library wrote itself. Throws `internal` for what is none.
Json parse_own_json(std::string_view text);

/// Writes a value; `indent` -1: on one line. Text that is not UTF-8 (`invalid_input`) and numbers that are not finite (`code`) are
/// refused with their place.
std::string write_json(const Json& value, int indent, ErrorCode code, const std::string& what);

/// What a value is, for messages: "a string", "an array", "null", ...
std::string kind_of(const Json& value);

/// A value as it stands in messages: escaped, cut after 80 characters.
std::string shown(const Json& value);

}  // namespace whynot::base
