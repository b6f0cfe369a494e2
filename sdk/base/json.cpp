#include "base/json.h"

#include <cmath>
#include <set>
#include <vector>

#include "base/text.h"

namespace whynot::base {
namespace {

constexpr int max_depth = 64;
constexpr size_t max_members = 4096;  // an ordered object looks its keys up one by one: more would take quadratic time

// nlohmann's words without its "[json.exception.parse_error.101] ".
std::string plain_message(const std::exception& error) {
    const std::string message = error.what();
    const size_t end = message.find("] ");
    return escape_controls(end == std::string::npos ? message : message.substr(end + 2));
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

}  // namespace

Json parse_json(std::string_view text, ErrorCode code, const std::string& what) {
    std::vector<std::set<std::string>> open_objects;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        using Event = Json::parse_event_t;
        if ((event == Event::object_start || event == Event::array_start) && depth >= max_depth)
            throw Error(code, what + ": nested deeper than " + std::to_string(max_depth));
        if (event == Event::object_start) open_objects.emplace_back();
        if (event == Event::object_end) open_objects.pop_back();
        if (event == Event::key) {
            const std::string& key = parsed.get_ref<const std::string&>();
            if (!open_objects.back().insert(key).second)
                throw Error(code, what + ": the key " + in_quotes(key) + " stands twice in one object");
            if (open_objects.back().size() > max_members)
                throw Error(code, what + ": an object has more than " + std::to_string(max_members) + " members");
        }
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), watch);
    } catch (const nlohmann::json::exception& error) {
        throw Error(code, what + " is not valid JSON: " + plain_message(error));
    }
}

Json parse_json_object(std::string_view text, ErrorCode code, const std::string& what) {
    Json value = parse_json(text, code, what);
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

}  // namespace whynot::base
