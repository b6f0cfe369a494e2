#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "base/text.h"

namespace whynot::base {
namespace {

constexpr size_t max_members = 4096;  // an ordered object looks its keys up one by one: more would take quadratic time

/// Where a parser stopped, as editors count: "line 3, column 14".
std::string place_of(std::string_view text, size_t byte) {
    const std::string_view before = text.substr(0, std::min(text.size(), byte > 0 ? byte - 1 : 0));
    const size_t line_begin = before.rfind('\n') + 1;  // 0 where there is none
    return "line " + std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ", column " +
           std::to_string(before.size() - line_begin + 1);
}

void check(const Json& value, const std::string& place, ErrorCode code, const std::string& what) {
    if (value.is_object()) {
        for (const auto& [key, member] : value.items()) {
            if (!is_utf8(key)) throw Error(ErrorCode::invalid_input, what + ": a key of " + place + " is not UTF-8: " + in_quotes(key));
            check(member, place + "/" + key, code, what);
        }
    } else if (value.is_array()) {
        for (size_t i = 0; i < value.size(); ++i) check(value[i], place + "/" + std::to_string(i), code, what);
    } else if (value.is_string() && !is_utf8(value.get_ref<const std::string&>())) {
        throw Error(ErrorCode::invalid_input,
                    what + ": " + escape_controls(place) + " is not UTF-8: " + in_quotes(value.get_ref<const std::string&>()));
    } else if (value.is_number_float() && !std::isfinite(value.get<double>())) {
        throw Error(code, what + ": " + escape_controls(place) + " is not a finite number");
    }
}

template <class J>
J parsed(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits, size_t most_members) {
    // The parser takes NUL for the end, and whatever follows for nothing.
    if (text.find('\0') != std::string_view::npos) throw Error(code, what + " is not valid JSON: it holds a byte of zero");
    size_t values = 0;
    std::vector<std::set<std::string>> open_objects;
    const auto watch = [&](int depth, typename J::parse_event_t event, J& value) {
        using Event = typename J::parse_event_t;
        const bool begins = event == Event::object_start || event == Event::array_start;
        if (begins && depth >= limits.depth) throw Error(code, what + ": nested deeper than " + std::to_string(limits.depth));
        if ((begins || event == Event::value) && ++values > limits.values)
            throw Error(code, what + ": holds more than " + std::to_string(limits.values) + " values");
        if (event == Event::object_start) open_objects.emplace_back();
        if (event == Event::object_end) open_objects.pop_back();
        if (event == Event::key) {
            const std::string& key = value.template get_ref<const std::string&>();
            if (!open_objects.back().insert(key).second)
                throw Error(code, what + ": the key " + in_quotes(key) + " stands twice in one object");
            if (open_objects.back().size() > most_members)
                throw Error(code, what + ": an object has more than " + std::to_string(most_members) + " members");
        }
        return true;
    };
    try {
        return J::parse(text.begin(), text.end(), watch);
    } catch (const typename J::parse_error& error) {
        const size_t byte = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
        const std::string found = byte < text.size() ? in_quotes(text.substr(byte, 20)) : "its end";
        throw Error(code, what + " is not valid JSON: not understood at " + place_of(text, error.byte) + ", " + found);
    } catch (const typename J::exception&) {  // a number that no double holds
        throw Error(code, what + " is not valid JSON: a number is out of range");
    }
}

}  // namespace

Json parse_json(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits) {
    return parsed<Json>(text, code, what, limits, max_members);
}

LargeJson parse_large_json(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits) {
    return parsed<LargeJson>(text, code, what, limits, SIZE_MAX);
}

Json parse_own_json(std::string_view text) { return parse_json(text, ErrorCode::internal, "JSON of whynot's own", {256, SIZE_MAX}); }

Json parse_json_object(std::string_view text, ErrorCode code, const std::string& what, const JsonLimits& limits) {
    Json value = parse_json(text, code, what, limits);
    if (!value.is_object()) throw Error(code, what + ": expected a JSON object, found " + kind_of(value));
    return value;
}

std::string write_json(const Json& value, int indent, ErrorCode code, const std::string& what) {
    check(value, "", code, what);
    return value.dump(indent);
}

std::string kind_of(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    if (value.is_string()) return "a string";
    if (value.is_boolean()) return "a boolean";
    if (value.is_number_float()) return "a number with a fraction";
    return "a number";
}

std::string shown(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_structured()) return kind_of(value) + " of " + std::to_string(value.size());
    return value.is_string() ? in_quotes(value.get_ref<const std::string&>()) : value.dump();
}

}  // namespace whynot::base
