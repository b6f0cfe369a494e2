#include "whynot/host.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/format.h"
#include "plugin/elf.h"
#include "plugin/library.h"

namespace fs = std::filesystem;

namespace whynot {
namespace {

using State = PluginEntry::State;

constexpr const char* out_of_memory = "there is not enough memory for it";

/// Gathers entries in search order.
class Search {
public:
    void file(const fs::path& library) {
        if (!library.is_absolute()) return reject(library, "is a relative path; plugins are named by absolute paths");
        std::error_code error;
        if (!fs::is_regular_file(library, error)) return reject(library, "is not there");
        const fs::path path = fs::canonical(library);
        if (!seen_.insert(path).second) return;  // the same folder twice in a path: nothing is shadowed by itself

        PluginEntry entry;
        entry.file = path;
        fs::path manifest = path;
        manifest.replace_extension(".json");
        if (!fs::exists(manifest, error)) {
            return reject(path, "has no manifest " + internal::quoted(manifest) + " beside it; run whynot-describe on the library");
        }
        try {
            entry.manifest = read_plugin_manifest(manifest);
            const std::vector<std::string> names = internal::ElfFile(path).exports();
            if (std::find(names.begin(), names.end(), WHYNOT_PLUGIN_ENTRY) == names.end())
                return reject(path, "is a library, but no whynot plugin: it exports no " WHYNOT_PLUGIN_ENTRY);
        } catch (const Error& unreadable) {
            entry.state = State::rejected;
            entry.reason = unreadable.what();
            entries.push_back(std::move(entry));
            return;
        }
        const std::string difference = stamp_difference(host_stamp(), entry.manifest.stamp);
        const auto first = std::find_if(entries.begin(), entries.end(), [&](const PluginEntry& other) {
            return other.state == State::available && other.manifest.id == entry.manifest.id;
        });
        if (entry.manifest.abi != WHYNOT_PLUGIN_ABI) {
            entry.state = State::rejected;
            entry.reason = "the plugin " + internal::quoted(path) + " was built for plugin ABI " + std::to_string(entry.manifest.abi) +
                           ", this whynot has ABI " + std::to_string(WHYNOT_PLUGIN_ABI) + ". Build it again with this whynot's SDK";
        } else if (!difference.empty()) {
            entry.state = State::rejected;
            entry.reason = "the plugin " + internal::quoted(path) + ' ' + internal::stamp_refusal(difference);
        } else if (first != entries.end()) {
            entry.state = State::shadowed;
            entry.reason = "the plugin " + internal::quoted(first->file) + " has the same id and comes first";
        }
        entries.push_back(std::move(entry));
    }

    void folder(const fs::path& folder) {
        if (!folder.is_absolute()) {
            return reject(
                folder,
                "is a relative element of a plugin path; give absolute folders, so that the same plugins are found from everywhere");
        }
        std::error_code error;
        std::set<fs::path> libraries;  // sorted: the order must not depend on the file system
        for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
            fs::path path = file->path();
            if (path.extension() == ".json") path.replace_extension(".so");
            if (path.extension() == ".so") libraries.insert(path);
        }
        if (error) return reject(folder, "cannot be searched for plugins: " + error.message());
        for (const fs::path& library : libraries) file(library);
    }

    void folders(const std::string& path) {
        if (path.empty()) return;
        for (size_t begin = 0; begin <= path.size();) {
            const size_t end = std::min(path.find(':', begin), path.size());
            const std::string element = path.substr(begin, end - begin);
            if (element.empty()) {
                reject(path, "is a plugin path with an empty element; it holds absolute folders separated by ':'");
            } else {
                folder(element);
            }
            begin = end + 1;
        }
    }

    std::vector<PluginEntry> entries;

private:
    void reject(const fs::path& what, const std::string& why) {
        PluginEntry entry;
        entry.state = State::rejected;
        entry.file = what;
        entry.reason = internal::quoted(what) + ' ' + why;
        entries.push_back(std::move(entry));
    }

    std::set<fs::path> seen_;
};

/// For messages: what there is instead.
std::string alternatives(const std::vector<PluginEntry>& plugins) {
    std::vector<std::string> available;
    std::string rejected;
    for (const PluginEntry& plugin : plugins) {
        if (plugin.state == State::available) available.push_back(plugin.manifest.id);
        if (plugin.state == State::rejected) rejected += "; rejected: " + plugin.reason;
    }
    return (available.empty() ? "There are none" : "There are: " + base::joined(available)) + rejected;
}

const PluginEntry* first_with(const std::vector<PluginEntry>& plugins, const std::string& modality, const std::string& service) {
    for (const PluginEntry& plugin : plugins) {
        if (plugin.state == State::available && !modality.empty() && plugin.manifest.modality == modality &&
            plugin.manifest.provides(service))
            return &plugin;
    }
    return nullptr;
}

}  // namespace

const char* to_string(PluginEntry::State state) noexcept {
    switch (state) {
        case State::available: return "available";
        case State::shadowed: return "shadowed";
        case State::rejected: return "rejected";
    }
    return "rejected";
}

Host::Host(const PluginSearch& search) {
    Search found;
    for (const fs::path& file : search.files) found.file(file);
    found.folders(search.plugin_path);
    if (search.environment) {
        if (const char* const path = std::getenv("WHYNOT_PLUGIN_PATH")) found.folders(path);
    }
    std::error_code error;
    if (search.installed && fs::is_directory(installed_plugin_folder(), error)) found.folder(installed_plugin_folder());
    plugins_ = std::move(found.entries);
}

const PluginEntry& Host::find(const std::string& id) const {
    const PluginEntry* rejected = nullptr;
    for (const PluginEntry& plugin : plugins_) {
        if (plugin.manifest.id != id) continue;
        if (plugin.state == State::available) return plugin;
        if (plugin.state == State::rejected && !rejected) rejected = &plugin;
    }
    if (rejected) throw Error(ErrorCode::bad_plugin, rejected->reason);
    throw Error(ErrorCode::not_found, "there is no plugin '" + id + "'. " + alternatives(plugins_));
}

const PluginEntry& Host::find_modality(const std::string& modality) const {
    if (const PluginEntry* const found = first_with(plugins_, modality, "whynot.modality/1")) return *found;
    throw Error(ErrorCode::not_found, "no plugin explains '" + modality + "'. " + alternatives(plugins_));
}

const PluginEntry& Host::find_service(const std::string& modality, const std::string& service) const {
    if (const PluginEntry* const found = first_with(plugins_, modality, service)) return *found;
    throw Error(ErrorCode::not_found, "no plugin has the service " + service + " for '" + modality + "'. " + alternatives(plugins_));
}

void Host::load(const std::string& id) const {
    const PluginEntry& entry = find(id);
    internal::start_plugin(entry.file, entry.manifest);
}

void* Host::service_pointer(const std::string& id, const char* service) const {
    const PluginEntry& entry = find(id);
    if (!entry.manifest.provides(service)) {
        throw Error(ErrorCode::not_found, "the plugin '" + id + "' has no service " + service);
    }
    const whynot_plugin_v1& plugin = internal::start_plugin(entry.file, entry.manifest);
    char message[1024] = "";
    const std::string operation = std::string("make its service ") + service;
    void* const pointer = guarded(id, operation, [&] { return plugin.service(service, message, sizeof message); });
    if (!pointer) {
        const std::string why = *message ? message : "it lists the service but gives none";
        throw Error(ErrorCode::bad_plugin,
                    "the plugin '" + id + "' failed to " + operation + ": " + what_without_backtrace(std::runtime_error(why)));
    }
    return pointer;
}

std::string what_without_backtrace(const std::exception& error) {
    std::string what = error.what();
    // Knowing the types would need LibTorch here, and the very JSON library that the plugin was built with.
    if (what.find("can't allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos) return out_of_memory;
    if (what.compare(0, 16, "[json.exception.") == 0) return "it came upon JSON that is not as it expected";
    // "[enforce fail at alloc_cpu.cpp:75] ...": the place within LibTorch says nothing to a person.
    if (what.compare(0, 17, "[enforce fail at ") == 0) what.erase(0, std::min(what.find("] "), what.size() - 2) + 2);
    for (size_t begin = 0; begin < what.size(); begin = std::min(what.find('\n', begin), what.size() - 1) + 1) {
        const std::string_view line = std::string_view(what).substr(begin);
        if (line.substr(0, 7) != "frame #" && line.substr(0, 22) != "Exception raised from ") continue;
        what.erase(begin);
        break;
    }
    what.erase(what.find_last_not_of(" \n\r\t") + 1);
    return what;
}

void rethrow_from_plugin(const std::string& plugin, const std::string& operation) {
    const std::string failed = "the plugin '" + plugin + "' failed to " + operation + ": ";
    try {
        throw;
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::internal, failed + out_of_memory);
    } catch (const std::exception& error) {
        throw Error(ErrorCode::internal, failed + what_without_backtrace(error));
    } catch (...) {
        throw Error(ErrorCode::internal, failed + "it threw something that is no std::exception");
    }
}

}  // namespace whynot
