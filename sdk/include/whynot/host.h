#pragma once

/// Finds plugins and loads them.
///
/// Finding reads manifests only: it is instant, runs no code of any plugin and loads no LibTorch. Loading happens when a
/// service is first asked for.
///
///     whynot::PluginSearch search;
///     search.plugin_path = "/home/me/plugins";
///     whynot::Host host(search);
///     for (const whynot::PluginEntry& plugin : host.plugins()) std::cout << plugin.manifest.id << '\n';
///
///     #include <whynot/modality.h>
///
///     auto& modality = host.service<whynot::Modality>("text");
///     auto model = whynot::guarded("text", "open the pack", [&] { return modality.open(pack, "cpu"); });
///
/// Lifetime: a loaded plugin stays in the process for ever, whatever becomes of the Host, because LibTorch does not survive
/// the unloading of what registered with it; so services and the objects they give are never left without their code.
/// Threads: all methods may be called from any thread. A plugin must not load another from within its `init` or a constructor of a service.

#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "whynot/abi.h"
#include "whynot/error.h"
#include "whynot/export.h"
#include "whynot/manifest.h"

namespace whynot {

/// Where to look, in this order. The first plugin of an id wins.
struct PluginSearch {
    std::vector<std::filesystem::path> files;  ///< libraries named one by one, as absolute paths
    std::string plugin_path;                   ///< folders separated by `:`, absolute (`--plugin-path`)
    bool environment = true;                   ///< then the folders of WHYNOT_PLUGIN_PATH, written likewise
    bool installed = true;                     ///< then whynot/plugins beside this library
};

/// A plugin that was found, or what was found in its place.
struct PluginEntry {
    enum class State {
        available,  ///< can be loaded by its id
        shadowed,   ///< another one of the same id comes before it
        rejected,   ///< cannot be used
    };
    State state = State::available;
    std::string reason;          ///< a sentence unless available
    std::filesystem::path file;  ///< the library; for a rejected element of the search path, that element
    PluginManifest manifest;     ///< empty where it could not be read
};

/// "available", "shadowed", "rejected".
WHYNOT_API const char* to_string(PluginEntry::State state) noexcept;

class WHYNOT_API Host {
public:
    /// Reads the manifests. Throws nothing for a faulty plugin or a faulty element of a search path: `plugins()` lists it with the reason.
    explicit Host(const PluginSearch& search = {});

    /// All that was found, in search order, within one folder by name.
    const std::vector<PluginEntry>& plugins() const noexcept { return plugins_; }

    /// The available plugin of that id; `not_found` or `bad_plugin` with the reasons when there is none. Does not load it.
    const PluginEntry& find(const std::string& id) const;

    /// The first available plugin that explains packs of that modality; `not_found` when there is none. Does not load it.
    const PluginEntry& find_modality(const std::string& modality) const;

    /// The first available plugin with that service for packs of that modality: training, for example, may be in a plugin of its own.
    /// `not_found` when there is none. Does not load it.
    const PluginEntry& find_service(const std::string& modality, const std::string& service) const;

    /// Loads a plugin unless it is loaded already: opens the library, checks what it answers against this host and its own
    /// manifest, and lets it initialise itself. Throws `bad_plugin` with what is wrong and what to do.
    void load(const std::string& id) const;

    /// The service `S` of a plugin, which is loaded if need be. The plugin owns it; it lives as long as the process.
    /// `not_found` when the plugin has no such service.
    ///
    /// @tparam S an interface with a `service_id`: whynot::Modality, whynot::Trainer, ...
    template <class S>
    S& service(const std::string& id) const {
        return *service_cast<S>(service_pointer(id, S::service_id));
    }

private:
    void* service_pointer(const std::string& id, const char* service) const;
    std::vector<PluginEntry> plugins_;
};

/// Where plugins lie beside this library: LIBDIR/whynot/plugins, in the build tree as in an installation.
WHYNOT_API std::filesystem::path installed_plugin_folder();

/// DATADIR/whynot of the installation or build tree that this library belongs to: packs, schemas, the template of plugins.
WHYNOT_API std::filesystem::path installed_data_folder();

/// Loads a library and returns what its descriptor says, after all checks that a host makes before `init`; no manifest is needed.
/// @param library an absolute path
WHYNOT_API PluginManifest describe_plugin(const std::filesystem::path& library);

/// The sentence of an exception without the C++ backtrace that LibTorch appends to its own.
WHYNOT_API std::string what_without_backtrace(const std::exception& error);

/// Called in a catch block: throws on what a plugin threw. `whynot::Error` goes on as it is; everything else becomes one, code
/// `internal`, that names the plugin and the operation.
[[noreturn]] WHYNOT_API void rethrow_from_plugin(const std::string& plugin, const std::string& operation);

/// Calls into a plugin. Every call of a method of a service goes through this.
/// @param operation what was being done, as it reads after "failed to": "open the pack"
template <class F>
auto guarded(const std::string& plugin, const std::string& operation, F&& f) -> decltype(std::forward<F>(f)()) {
    try {
        return std::forward<F>(f)();
    } catch (...) {
        rethrow_from_plugin(plugin, operation);
    }
}

}  // namespace whynot
