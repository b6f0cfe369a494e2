#pragma once

#include <string>

namespace whynot::cli {

/// `whynot plugins new`: writes a project that builds a plugin, from the template that this whynot brings along. Whole or not at all.
/// @param directory new or empty; empty text: `name` in the current folder
int new_plugin(const std::string& name, const std::string& directory, bool json);

}  // namespace whynot::cli
