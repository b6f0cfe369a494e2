#pragma once

/// The commands that need no tensors. Each returns an exit code or throws `whynot::Error`.

#include <string>

namespace whynot::cli {

int list_packs(bool json);
int show_pack(const std::string& id_or_directory, bool json);
int verify_pack(const std::string& id_or_directory, bool json);

/// @param all with what was rejected or comes after another plugin of its id
int list_plugins(const std::string& plugin_path, bool all, bool json);
int inspect_plugin(const std::string& id, const std::string& plugin_path, bool json);

}  // namespace whynot::cli
