#include "commands/plugins/plugins.h"

#include <algorithm>

#include "base/format.h"
#include "commands/common.h"
#include "console/json.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace whynot::cli {
namespace {

using base::joined;
using base::Json;
using Rows = std::vector<std::vector<std::string>>;

Json as_json(const PluginEntry& plugin) {
    return {{"id", text_or_null(plugin.manifest.id)},
            {"version", text_or_null(plugin.manifest.version)},
            {"modality", text_or_null(plugin.manifest.modality)},
            {"services", plugin.manifest.services},
            {"state", to_string(plugin.state)},
            {"reason", text_or_null(plugin.reason)},
            {"file", plugin.file.string()}};
}

std::string range_of(const PluginOption& option) {
    if (!option.choices.empty()) return joined(option.choices);
    if (option.min.empty() && option.max.empty()) return option.type;
    return option.type + ", " + (option.min.empty() ? "" : option.min) + " .. " + option.max;
}

}  // namespace

int list_plugins(const PluginsCommand& command) {
    PluginSearch search;
    search.plugin_path = command.plugin_path;
    const Host host(search);
    Rows rows{{"plugin", "version", "modality", "state", "services"}};
    size_t hidden = 0;
    for (const PluginEntry& plugin : host.plugins()) {
        const bool available = plugin.state == PluginEntry::State::available;
        if (!available && !command.all) {
            ++hidden;
        } else if (command.json) {
            print_line(as_json(plugin));
        } else {
            const PluginManifest& manifest = plugin.manifest;
            rows.push_back({manifest.id.empty() ? plugin.file.string() : manifest.id, manifest.version, manifest.modality,
                            to_string(plugin.state), joined(manifest.services)});
        }
    }
    if (command.json) return answered;
    if (rows.size() > 1) print(table(rows));
    if (host.plugins().empty()) complain("there are no plugins; WHYNOT_PLUGIN_PATH names folders that hold some");
    if (command.all) {
        for (const PluginEntry& plugin : host.plugins())
            if (plugin.state != PluginEntry::State::available) complain(std::string(to_string(plugin.state)) + ": " + plugin.reason);
    } else if (hidden > 0) {
        complain(std::to_string(hidden) + " more cannot be used; 'whynot plugins list --all' says why");
    }
    return answered;
}

int inspect_plugin(const PluginsCommand& command) {
    const std::string& id = command.plugin;
    PluginSearch search;
    search.plugin_path = command.plugin_path;
    const Host host(search);
    // The one that would be used, else the first of that id, so that one can see why it is not.
    const std::vector<PluginEntry>& plugins = host.plugins();
    auto found = std::find_if(plugins.begin(), plugins.end(), [&](const PluginEntry& plugin) {
        return plugin.manifest.id == id && plugin.state == PluginEntry::State::available;
    });
    if (found == plugins.end()) {
        found = std::find_if(plugins.begin(), plugins.end(), [&](const PluginEntry& plugin) { return plugin.manifest.id == id; });
    }
    const PluginEntry& plugin = id.empty() || found == plugins.end() ? host.find(id) : *found;  // find throws here
    const PluginManifest& manifest = plugin.manifest;
    const PluginStamp ours = host_stamp();
    if (command.json) {
        Json object = base::parse_own_json(to_json(manifest));
        object["state"] = to_string(plugin.state);
        object["reason"] = text_or_null(plugin.reason);
        object["file"] = plugin.file.string();
        object["host_stamp"] = ours;
        print_line(object);
        return answered;
    }
    std::string text = table({{manifest.id + ' ' + manifest.version + ": " + manifest.name}, {manifest.summary}}) + '\n';
    text += table({{"  state", to_string(plugin.state)},
                   {"  modality", manifest.modality.empty() ? "none" : manifest.modality},
                   {"  services", joined(manifest.services)},
                   {"  licence", manifest.licence},
                   {"  plugin ABI", std::to_string(manifest.abi)},
                   {"  file", plugin.file.string()}});
    Rows stamp{{"  ", "host", "plugin", ""}};
    for (const auto& [field, value] : ours) {
        const auto theirs = manifest.stamp.find(field);
        const std::string other = theirs == manifest.stamp.end() ? "-" : theirs->second;
        stamp.push_back({"  " + field, value, other, value == other ? "" : "differs"});
    }
    text += "\nStamp\n" + table(stamp);
    if (!manifest.options.empty()) {
        Rows rows{{"  ", "values", "default", ""}};
        for (const PluginOption& option : manifest.options)
            rows.push_back({"  " + option.key, range_of(option), option.default_value, option.help});
        text += "\nOptions\n" + table(rows);
    }
    if (!manifest.artifacts.empty()) {
        Rows rows;
        for (const PluginArtifact& artifact : manifest.artifacts) {
            rows.push_back({"  " + artifact.key, artifact.kind, artifact.required ? "required" : "optional", artifact.help});
        }
        text += "\nFiles of its packs\n" + table(rows);
    }
    print(text);
    if (plugin.state != PluginEntry::State::available) complain(plugin.reason);
    return answered;
}

}  // namespace whynot::cli
