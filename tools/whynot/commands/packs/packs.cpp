#include "commands/lists.h"

#include <algorithm>

#include "base/json.h"
#include "commands/commands.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace whynot::cli {
namespace {

using base::Json;
using Rows = std::vector<std::vector<std::string>>;

void print_line(const Json& object) {
    print(object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');  // paths need not be UTF-8
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

uint64_t size_of(const PackManifest& manifest) {
    uint64_t bytes = 0;
    for (const PackFile& file : manifest.files) bytes += file.size;
    return bytes;
}

/// A JSON object as rows of "key.subkey" and value.
void flatten(const Json& value, const std::string& key, Rows& rows) {
    if (value.is_object()) {
        for (const auto& [name, member] : value.items()) flatten(member, key.empty() ? name : key + '.' + name, rows);
    } else {
        rows.push_back({"  " + key, value.is_string() ? value.get<std::string>() : value.dump()});
    }
}

std::string section(const std::string& heading, const std::string& json) {
    Rows rows;
    flatten(Json::parse(json), "", rows);
    return rows.empty() ? "" : '\n' + heading + '\n' + table(rows);
}

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

int list_packs(bool json) {
    const std::vector<PackEntry> packs = whynot::list_packs(default_pack_search());
    Rows rows{{"pack", "version", "modality", "classes", "size", "description"}};
    for (const PackEntry& pack : packs) {
        const PackManifest& manifest = pack.manifest;
        if (json) {
            print_line({{"id", text_or_null(manifest.id)},
                        {"version", text_or_null(manifest.id.empty() ? "" : manifest.version)},
                        {"modality", text_or_null(manifest.modality)},
                        {"classes", manifest.classes},
                        {"bytes", size_of(manifest)},
                        {"description", manifest.description},
                        {"directory", pack.directory.string()},
                        {"rejected", text_or_null(pack.rejected)}});
        } else if (pack.rejected.empty()) {
            rows.push_back({manifest.id, manifest.version, manifest.modality, std::to_string(manifest.classes.size()),
                            bytes_for_people(size_of(manifest)), manifest.description});
        }
    }
    if (!json) {
        if (rows.size() > 1) print(table(rows, "lllrrl"));
        for (const PackEntry& pack : packs)
            if (!pack.rejected.empty()) complain("not listed, " + pack.directory.string() + ": " + pack.rejected);
        if (packs.empty()) complain("there are no packs; 'whynot train' makes one, WHYNOT_PACK_PATH names folders that hold some");
    }
    return answered;
}

int show_pack(const std::string& id_or_directory, bool json) {
    const Pack pack = find_pack(id_or_directory, default_pack_search());
    const PackManifest& manifest = pack.manifest();
    if (json) {
        Json object = Json::parse(to_json(manifest));
        object["directory"] = pack.directory().string();
        object["sha256"] = pack.sha256();
        print_line(object);
        return answered;
    }
    std::string text = table({{manifest.id + ", version " + manifest.version + ": " + manifest.description}}) + '\n';
    text += table({{"  modality", manifest.modality},
                   {"  plugin", manifest.plugin_id + ' ' + manifest.plugin_version},
                   {"  classes", joined(manifest.classes)},
                   {"  classifier emits", to_string(manifest.emits)},
                   {"  corpus", manifest.corpus.empty() ? "unknown" : manifest.corpus + ", sha256 " + manifest.corpus_sha256},
                   {"  seed", std::to_string(manifest.seed)},
                   {"  licence", manifest.licence},
                   {"  folder", pack.directory().string()},
                   {"  sha256", pack.sha256()}});
    text += section("Networks", manifest.network) + section("Input", manifest.input) + section("Recipe", manifest.recipe) +
            section("Quality", manifest.quality);
    Rows files;
    for (const PackFile& file : manifest.files) files.push_back({"  " + file.name, bytes_for_people(file.size), file.sha256});
    files.push_back({"  all of them", bytes_for_people(size_of(manifest)), ""});
    print(text + "\nFiles\n" + table(files, "lrl"));
    return answered;
}

int verify_pack(const std::string& id_or_directory, bool json) {
    const Pack pack = find_pack(id_or_directory, default_pack_search());  // which verifies every file
    const PackManifest& manifest = pack.manifest();
    if (json) {
        print_line({{"id", manifest.id},
                    {"version", manifest.version},
                    {"directory", pack.directory().string()},
                    {"sha256", pack.sha256()},
                    {"files", manifest.files.size()},
                    {"bytes", size_of(manifest)},
                    {"verified", true}});
    } else {
        print(table({{"ok", manifest.id + " version " + manifest.version,
                      std::to_string(manifest.files.size()) + (manifest.files.size() == 1 ? " file, " : " files, ") +
                          bytes_for_people(size_of(manifest)),
                      "sha256 " + pack.sha256()}}));
    }
    return answered;
}

int list_plugins(const std::string& plugin_path, bool all, bool json) {
    PluginSearch search;
    search.plugin_path = plugin_path;
    const Host host(search);
    Rows rows{{"plugin", "version", "modality", "state", "services"}};
    size_t hidden = 0;
    for (const PluginEntry& plugin : host.plugins()) {
        const bool available = plugin.state == PluginEntry::State::available;
        if (!available && !all) {
            ++hidden;
        } else if (json) {
            print_line(as_json(plugin));
        } else {
            const PluginManifest& manifest = plugin.manifest;
            rows.push_back({manifest.id.empty() ? plugin.file.string() : manifest.id, manifest.version, manifest.modality,
                            to_string(plugin.state), joined(manifest.services)});
        }
    }
    if (json) return answered;
    if (rows.size() > 1) print(table(rows));
    if (host.plugins().empty()) complain("there are no plugins; WHYNOT_PLUGIN_PATH names folders that hold some");
    if (all) {
        for (const PluginEntry& plugin : host.plugins())
            if (plugin.state != PluginEntry::State::available) complain(std::string(to_string(plugin.state)) + ": " + plugin.reason);
    } else if (hidden > 0) {
        complain(std::to_string(hidden) + " more cannot be used; 'whynot plugins list --all' says why");
    }
    return answered;
}

int inspect_plugin(const std::string& id, const std::string& plugin_path, bool json) {
    PluginSearch search;
    search.plugin_path = plugin_path;
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
    if (json) {
        Json object = Json::parse(to_json(manifest));
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
