// Opens plugins and decides whether they may be called.
#include "plugin/library.h"

#include <boost/dll/shared_library.hpp>

#include <map>
#include <mutex>
#include <system_error>

#include "base/format.h"
#include "base/json.h"
#include "plugin/elf.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace fs = std::filesystem;

namespace whynot {
namespace {

Error bad_plugin(const fs::path& library, const std::string& why) {
    return Error(ErrorCode::bad_plugin, "the plugin " + internal::quoted(library) + ' ' + why);
}

struct Started {
    fs::path library;
    const whynot_plugin_v1* plugin;
};

/// Every library that was ever opened, and every plugin that was started. Never destroyed: closing a library that links LibTorch
/// crashes (its static registrations outlive it), and at exit other threads may still run its code.
struct Registry {
    std::mutex mutex;
    std::map<fs::path, boost::dll::shared_library> libraries;  // nodes: a shared_library must not be copied, a copy opens anew
    std::map<std::string, Started> started;                    // by plugin id
};

Registry& registry() {
    static Registry* const instance = new Registry;
    return *instance;
}

/// What the loader itself said; Boost puts its own words around it.
std::string loader_message(const std::system_error& error) {
    const std::string what = error.what();
    const std::string before = "(dlerror system message: ";
    const size_t begin = what.find(before);
    const size_t end = what.rfind(')');
    if (begin == std::string::npos || end == std::string::npos) return what;
    return what.substr(begin + before.size(), end - begin - before.size());
}

boost::dll::shared_library& open_library(Registry& all, const fs::path& library) {
    if (!library.is_absolute()) {
        throw bad_plugin(library, "is named by a relative path. Give its absolute path, so that it is the same library from every folder");
    }
    std::error_code error;
    if (!fs::is_regular_file(library, error)) throw Error(ErrorCode::not_found, "there is no plugin library " + internal::quoted(library));
    internal::ElfFile{library};  // whole, and for this machine

    const fs::path path = fs::canonical(library);
    const auto known = all.libraries.find(path);
    if (known != all.libraries.end()) return known->second;
    boost::dll::shared_library opened;
    try {  // the throwing overload, which alone carries the loader's message
        opened.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::system_error& failure) {
        throw bad_plugin(library, "could not be loaded: " + loader_message(failure) +
                                      ". Install the library that is named there, or build the plugin again with what this machine has");
    }
    return all.libraries.emplace(path, std::move(opened)).first->second;
}

const whynot_plugin_v1& compatible_descriptor(Registry& all, const fs::path& library) {
    const boost::dll::shared_library& opened = open_library(all, library);
    if (!opened.has(WHYNOT_PLUGIN_ENTRY)) {
        throw bad_plugin(library, "is a library, but no whynot plugin: it exports no " WHYNOT_PLUGIN_ENTRY
                                  ". A plugin has WHYNOT_PLUGIN(...) in one of its files and is built with whynot_add_plugin");
    }
    const whynot_plugin_v1* const plugin = opened.get<whynot_plugin_entry_t>(WHYNOT_PLUGIN_ENTRY)();
    if (!plugin) throw bad_plugin(library, "answers with no descriptor (null). Its entry should come from WHYNOT_PLUGIN(...)");

    // In this order: each step makes reading the next one safe.
    if (plugin->struct_size < sizeof(whynot_plugin_v1)) {
        throw bad_plugin(library, "has a descriptor of " + std::to_string(plugin->struct_size) + " bytes, expected " +
                                      std::to_string(sizeof(whynot_plugin_v1)) + " or more. Build it again with this whynot's SDK");
    }
    if (plugin->abi_version != WHYNOT_PLUGIN_ABI) {
        throw bad_plugin(library, "was built for plugin ABI " + std::to_string(plugin->abi_version) + ", this whynot has ABI " +
                                      std::to_string(WHYNOT_PLUGIN_ABI) + ". Build it again with this whynot's SDK");
    }
    if (!plugin->stamp) throw bad_plugin(library, "cannot be used: the required field 'stamp' is missing");
    if (plugin->stamp->struct_size != sizeof(whynot_stamp)) {
        throw bad_plugin(library, "has a stamp of " + std::to_string(plugin->stamp->struct_size) + " bytes, expected " +
                                      std::to_string(sizeof(whynot_stamp)) + ". Build it again with this whynot's SDK");
    }
    const std::string difference = stamp_difference(host_stamp(), internal::stamp_fields(*plugin->stamp));
    if (!difference.empty()) throw bad_plugin(library, internal::stamp_refusal(difference));
    return *plugin;
}

const whynot_plugin_v1& checked_descriptor(Registry& all, const fs::path& library) {
    const whynot_plugin_v1& plugin = compatible_descriptor(all, library);
    const std::string problem = internal::problem_of_descriptor(plugin);
    if (!problem.empty()) throw bad_plugin(library, "cannot be used: " + problem);
    return plugin;
}

}  // namespace

std::string internal::stamp_refusal(const std::string& difference) {
    return "was built for another LibTorch, compiler setting or SDK:\n" + difference +
           "\nBuild it again with the SDK and the LibTorch of this whynot, or install the whynot that it was built for";
}

PluginManifest internal::manifest_of(const whynot_plugin_v1& plugin) {
    const auto text = [](const char* value) { return std::string(value ? value : ""); };
    const auto texts = [](const char* const* values) {
        std::vector<std::string> result;
        for (; values && *values; ++values) result.emplace_back(*values);
        return result;
    };
    PluginManifest manifest;
    manifest.id = text(plugin.id);
    manifest.name = text(plugin.name);
    manifest.version = text(plugin.version);
    manifest.licence = text(plugin.licence);
    manifest.summary = text(plugin.summary);
    manifest.modality = text(plugin.modality);
    manifest.services = texts(plugin.services);
    for (const whynot_option* option = plugin.options; option && option->key; ++option) {
        manifest.options.push_back({text(option->key), text(option->type), text(option->default_value), text(option->min),
                                    text(option->max), texts(option->choices), text(option->help)});
    }
    for (const whynot_artifact* artifact = plugin.artifacts; artifact && artifact->key; ++artifact) {
        manifest.artifacts.push_back({text(artifact->key), text(artifact->kind), artifact->required != 0, text(artifact->help)});
    }
    manifest.abi = plugin.abi_version;
    manifest.stamp = internal::stamp_fields(*plugin.stamp);
    return manifest;
}

std::string internal::names_of_differences(const PluginManifest& one, const PluginManifest& other) {
    const base::Json first = base::parse_own_json(to_json(one)), second = base::parse_own_json(to_json(other));
    std::vector<std::string> names;
    for (const auto& [key, value] : first.items())
        if (value != second.at(key)) names.push_back(key);
    return base::joined(names);
}

std::string internal::problem_of_descriptor(const whynot_plugin_v1& plugin) {
    return plugin.service ? problem_of(internal::manifest_of(plugin)) : "the required field 'service' is missing";
}

const whynot_plugin_v1& internal::open_plugin(const fs::path& library) {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    return compatible_descriptor(all, library);
}

PluginManifest describe_plugin(const fs::path& library) {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    return internal::manifest_of(checked_descriptor(all, library));
}

const whynot_plugin_v1& internal::start_plugin(const fs::path& library, const PluginManifest& manifest) {
    Registry& all = registry();
    const std::lock_guard<std::mutex> lock(all.mutex);
    const whynot_plugin_v1& plugin = checked_descriptor(all, library);
    const std::string stale = internal::names_of_differences(manifest, internal::manifest_of(plugin));
    if (!stale.empty()) {
        throw bad_plugin(library, "says something else than its manifest on: " + stale +
                                      ". The manifest is stale; run whynot-describe on the library, or install both files again");
    }
    const fs::path path = fs::canonical(library);
    const auto started = all.started.find(manifest.id);
    if (started != all.started.end()) {
        if (started->second.library == path) return *started->second.plugin;
        throw bad_plugin(library, "has the id '" + manifest.id + "', under which this process already runs " +
                                      internal::quoted(started->second.library) + ". One process keeps to one plugin of an id");
    }
    if (plugin.init) {
        char message[1024] = "";
        const int failure = guarded(manifest.id, "initialise itself", [&] { return plugin.init(message, sizeof message); });
        if (failure != 0) {
            const std::string why = *message ? message : "it gives no reason (code " + std::to_string(failure) + ')';
            throw bad_plugin(library, "failed to initialise itself: " + what_without_backtrace(std::runtime_error(why)));
        }
    }
    all.started.emplace(manifest.id, Started{path, &plugin});
    return plugin;
}

}  // namespace whynot
