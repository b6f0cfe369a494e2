#include "training/recipe.h"

#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
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
            throw Error(ErrorCode::invalid_argument,
                        what + ": there is no " + base::in_quotes(place) + "; here it knows " + base::joined(known));
        }
        Json& old = old_values[key];
        const bool fits = old.is_object()           ? value.is_object()
                          : old.is_number_integer() ? value.is_number_integer()
                          : old.is_number()         ? value.is_number()
                                                    : old.type() == value.type();
        if (!fits)
            throw Error(ErrorCode::invalid_argument, what + ": " + base::in_quotes(place) + " is " + base::shown(value) +
                                                         ", expected something like " + base::shown(old));
        if (old.is_object())
            merge(old, value, what, place);
        else
            old = value;
    }
}

}  // namespace

std::string merge_recipe(const std::string& defaults, const std::string& changes, const std::string& what) {
    Json recipe = base::parse_own_json(defaults);
    const Json json = base::parse_json_object(changes.empty() ? "{}" : changes, ErrorCode::invalid_argument, what);
    merge(recipe, json, what, "");
    return recipe.dump();
}

}  // namespace whynot::training
