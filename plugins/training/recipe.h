#pragma once

#include <string>

namespace whynot::training {

/// A training recipe with changes: the JSON object `defaults` in which `changes` (a JSON object too, or empty: none) replaces values.
///
///     merge_recipe(R"({"vae": {"latent": 32, "epochs": 20}})", R"({"vae": {"epochs": 5}})");   // {"vae":{"latent":32,"epochs":5}}
///
/// Keys keep the order of `defaults`. Throws Error `invalid_argument`, naming the place, for a key that the defaults have not and
/// for a value of another kind (a number with a fraction takes a whole one, not the other way round).
/// @param what messages call it
std::string merge_recipe(const std::string& defaults, const std::string& changes, const std::string& what = "recipe");

}  // namespace whynot::training
