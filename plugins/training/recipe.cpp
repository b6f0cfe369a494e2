#include "training/recipe.h"

#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "whynot/error.h"

namespace whynot::training {

namespace {

using base::Json;

// `changes` over old values: same keys, same kinds of values.
void merge(Json& old_values, const Json& changes, const std::string& what, const std::string& where) {
    for (const auto& [key, value] : changes.items()) {
        const std::string place = where.empty() ? key : where + "." + key;
        if (!old_values.contains(key)) {
            std::vector<std::string> known;
            for (const auto& item : old_values.items()) known.push_back(item.key());
            throw Error(ErrorCode::invalid_argument, what + ": there is no '" + place + "'; here it knows " + base::joined(known));
        }
        Json& old = old_values[key];
        const bool fits = old.is_object()           ? value.is_object()
                          : old.is_number_integer() ? value.is_number_integer()
                          : old.is_number()         ? value.is_number()
                                                    : old.type() == value.type();
        if (!fits)
            throw Error(ErrorCode::invalid_argument,
                        what + ": '" + place + "' is " + value.dump() + ", expected something like " + old.dump());
        if (old.is_object())
            merge(old, value, what, place);
        else
            old = value;
    }
}

}  // namespace

std::string merge_recipe(const std::string& defaults, const std::string& changes, const std::string& what) {
    Json recipe = Json::parse(defaults);
    const Json json = changes.empty() ? Json::object() : Json::parse(changes, nullptr, false);
    if (!json.is_object()) throw Error(ErrorCode::invalid_argument, what + ": expected a JSON object, found something else");
    merge(recipe, json, what, "");
    return recipe.dump();
}

}  // namespace whynot::training
