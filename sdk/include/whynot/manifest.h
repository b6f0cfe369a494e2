#pragma once

/// What is known of a plugin without loading it: the JSON file beside its library, NAME.json beside NAME.so, written when the
/// plugin is built (whynot-describe) from the descriptor that the library itself answers with.
///
///     whynot::PluginManifest plugin = whynot::read_plugin_manifest("/usr/lib/whynot/plugins/text.json");
///     const std::string difference = whynot::stamp_difference(whynot::host_stamp(), plugin.stamp);
///     if (!difference.empty()) std::cerr << difference;   // built for another LibTorch, say
///
/// Threads: any. Errors: `bad_plugin` for what a manifest says, `io` and `not_found` for what the file system says.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/export.h"

namespace whynot {

/// How a library was compiled (see whynot_stamp in abi.h), by field, as text. Host and plugin fit when the two are equal.
using PluginStamp = std::map<std::string, std::string>;

/// The stamp of this library.
WHYNOT_API PluginStamp host_stamp();

/// A table of the fields that differ, host against plugin, one line each under a heading; empty when none does.
WHYNOT_API std::string stamp_difference(const PluginStamp& host, const PluginStamp& plugin);

/// One option of a plugin. Values are text, whatever the type.
struct PluginOption {
    std::string key;
    std::string type;  ///< "bool", "int", "float", "string" or "choice"
    std::string default_value;
    std::string min;  ///< of int and float, inclusive; empty: no bound
    std::string max;
    std::vector<std::string> choices;  ///< of choice
    std::string help;
};

/// One kind of file that the plugin's packs hold.
struct PluginArtifact {
    std::string key;   ///< name of the file in the pack
    std::string kind;  ///< "tensors", "vocabulary", ...
    bool required = true;
    std::string help;
};

struct PluginManifest {
    static constexpr const char* format = "whynot.plugin/1";

    std::string id;
    std::string name;
    std::string version;
    std::string licence;
    std::string summary;
    std::string modality;               ///< of the packs that its services are for; empty: of none
    std::vector<std::string> services;  ///< ids, "whynot.modality/1"
    std::vector<PluginOption> options;
    std::vector<PluginArtifact> artifacts;
    int64_t abi = 0;  ///< WHYNOT_PLUGIN_ABI when it was built
    PluginStamp stamp;

    WHYNOT_API bool provides(std::string_view service) const noexcept;
};

/// Empty when the manifest can be used, else one sentence on the first thing that is wrong: an id with capitals, an option of an
/// unknown type, a default outside its bounds, ...
WHYNOT_API std::string problem_of(const PluginManifest& manifest);

/// As JSON, indented, with a trailing newline.
WHYNOT_API std::string to_json(const PluginManifest& manifest);

/// Reads a manifest from text. @param origin its name in messages, normally its path.
WHYNOT_API PluginManifest plugin_manifest_from_json(std::string_view text, const std::string& origin);

WHYNOT_API PluginManifest read_plugin_manifest(const std::filesystem::path& file);

/// Writes the whole file or nothing.
WHYNOT_API void write_plugin_manifest(const PluginManifest& manifest, const std::filesystem::path& file);

}  // namespace whynot
