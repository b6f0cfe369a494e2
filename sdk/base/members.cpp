#include "base/members.h"

#include "base/format.h"
#include "base/text.h"

namespace whynot::base {

Members::Members(const Json& object, ErrorCode code, std::string origin, std::string place)
    : object_(&object), code_(code), origin_(std::move(origin)), place_(std::move(place)) {
    if (object.is_object()) return;
    const std::string what = place_.empty() ? "expected a JSON object" : "expected " + in_quotes(place_) + " to be an object";
    refuse(what + ", found " + shown(object));
}

std::string Members::place(const std::string& key) const { return in_quotes(place_.empty() ? key : place_ + "." + key); }

void Members::refuse(const std::string& sentence) const { throw Error(code_, origin_ + ": " + sentence); }

void Members::refuse(const std::string& key, const std::string& what) const {
    const auto found = object_->find(key);
    refuse("expected " + place(key) + " to be " + what + ", found " + (found == object_->end() ? "none" : shown(*found)));
}

const Json& Members::take(const std::string& key) {
    const auto found = object_->find(key);
    if (found == object_->end()) refuse(place(key) + " is missing");
    taken_.insert(key);
    return *found;
}

std::string Members::text(const std::string& key) {
    const Json& value = take(key);
    if (!value.is_string()) refuse(key, "a text");
    return value.get<std::string>();
}

std::vector<std::string> Members::texts(const std::string& key) {
    std::vector<std::string> all;
    for (const Json& each : array(key)) {
        if (!each.is_string()) refuse(place(key) + " must hold texts, found " + shown(each));
        all.push_back(each.get<std::string>());
    }
    return all;
}

bool Members::flag(const std::string& key) {
    const Json& value = take(key);
    if (!value.is_boolean()) refuse(key, "true or false");
    return value.get<bool>();
}

int64_t Members::whole(const std::string& key, int64_t min, int64_t max) {
    const Json& value = take(key);
    // What needs all 64 bits is no number with a sign, and would wrap.
    const bool fits = value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX}) &&
                      value.get<int64_t>() >= min && value.get<int64_t>() <= max;
    if (!fits) refuse(key, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return value.get<int64_t>();
}

uint64_t Members::count(const std::string& key) {
    const Json& value = take(key);
    if (!value.is_number_unsigned()) refuse(key, "a whole number from 0 to 2^64-1");
    return value.get<uint64_t>();
}

double Members::number(const std::string& key, double min, double max) {
    const Json& value = take(key);
    if (!value.is_number() || !(value.get<double>() >= min && value.get<double>() <= max))
        refuse(key, "a number from " + base::number(min, 6) + " to " + base::number(max, 6));
    return value.get<double>();
}

std::vector<double> Members::numbers(const std::string& key) {
    std::vector<double> all;
    for (const Json& each : array(key)) {
        if (!each.is_number()) refuse(place(key) + " must hold numbers, found " + shown(each));
        all.push_back(each.get<double>());
    }
    return all;
}

const Json& Members::array(const std::string& key) {
    const Json& value = take(key);
    if (!value.is_array()) refuse(key, "an array");
    return value;
}

Members Members::object(const std::string& key) { return {take(key), code_, origin_, place_.empty() ? key : place_ + "." + key}; }

std::vector<Members> Members::objects(const std::string& key) {
    std::vector<Members> all;
    const std::string begin = (place_.empty() ? key : place_ + "." + key) + '[';
    for (const Json& each : array(key)) all.emplace_back(each, code_, origin_, begin + std::to_string(all.size()) + ']');
    return all;
}

void Members::finish() const {
    for (const auto& [key, value] : object_->items())
        if (taken_.count(key) == 0) refuse(place(key) + " is not known here");
}

}  // namespace whynot::base
