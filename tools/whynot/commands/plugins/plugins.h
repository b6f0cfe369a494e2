#pragma once

/// `whynot plugins list`, `inspect` and `new`, which need no tensors. `check` has a header of its own.

#include <string>

namespace whynot::cli {

struct PluginsCommand {
    std::string plugin;       ///< inspect: its id; new: the id that it shall have
    std::string plugin_path;  ///< folders separated by `:`
    std::string out;          ///< new: a folder, new or empty; empty text: one of that name in the current folder
    bool all = false;         ///< list: with what was rejected or comes after another plugin of its id
    bool json = false;
};

int list_plugins(const PluginsCommand& command);
int inspect_plugin(const PluginsCommand& command);

/// Writes a project that builds a plugin, from the template that this whynot brings along. Whole or not at all.
int new_plugin(const PluginsCommand& command);

}  // namespace whynot::cli
