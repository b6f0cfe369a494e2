#pragma once

#include <filesystem>
#include <string>

#include "core/text.h"
#include "whynot/abi.h"
#include "whynot/manifest.h"

namespace whynot {

/// The fields of a stamp as text.
PluginStamp stamp_fields(const whynot_stamp& stamp);

/// What to say of a plugin whose stamp differs, after its name.
std::string stamp_refusal(const std::string& difference);

/// The manifest that a checked descriptor amounts to.
PluginManifest manifest_of(const whynot_plugin_v1& plugin);

/// Opens a library for good, checks its descriptor, compares it with its manifest and initialises it, once a process.
const whynot_plugin_v1& start_plugin(const std::filesystem::path& library, const PluginManifest& manifest);

/// A path as it stands in messages.
inline std::string quoted(const std::filesystem::path& path) { return '\'' + escape_controls(path.string()) + '\''; }

}  // namespace whynot
