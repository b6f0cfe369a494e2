#pragma once

#include <filesystem>
#include <string>

#include "base/text.h"
#include "whynot/abi.h"
#include "whynot/export.h"
#include "whynot/manifest.h"

namespace whynot::internal {

/// The fields of a stamp as text.
PluginStamp stamp_fields(const whynot_stamp& stamp);

/// What to say of a plugin whose stamp differs, after its name.
std::string stamp_refusal(const std::string& difference);

/// Opens a library for good and reads its descriptor as far as that says whether the rest can be read: size, ABI, stamp.
WHYNOT_API const whynot_plugin_v1& open_plugin(const std::filesystem::path& library);

/// The manifest that a descriptor of this ABI amounts to.
WHYNOT_API PluginManifest manifest_of(const whynot_plugin_v1& plugin);

/// Empty when a descriptor of this ABI has all that a host needs, else one sentence on the first thing that is missing or wrong.
WHYNOT_API std::string problem_of_descriptor(const whynot_plugin_v1& plugin);

/// The members in which two manifests differ, "version, options"; empty: in none.
WHYNOT_API std::string names_of_differences(const PluginManifest& one, const PluginManifest& other);

/// Opens a library for good, checks its descriptor, compares it with its manifest and initialises it, once a process.
WHYNOT_API const whynot_plugin_v1& start_plugin(const std::filesystem::path& library, const PluginManifest& manifest);

/// A path as it stands in messages.
inline std::string quoted(const std::filesystem::path& path) { return '\'' + base::escape_controls(path.string()) + '\''; }

}  // namespace whynot::internal
