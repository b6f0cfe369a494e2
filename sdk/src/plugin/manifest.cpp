#include "whynot/manifest.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/json.h"
#include "base/members.h"
#include "base/text.h"
#include "plugin/library.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot {

namespace {

constexpr uint64_t largest_manifest = 1 << 20;  // bytes; ours have two thousand

/// The number that a text is, of the option's type; false: it is none.
bool parse(const std::string& type, const std::string& text, double& value) {
    const char* const end = text.data() + text.size();
    if (type == "int") {
        int64_t whole = 0;
        const auto result = std::from_chars(text.data(), end, whole);
        value = static_cast<double>(whole);
        return result.ec == std::errc() && result.ptr == end;
    }
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end;
}

bool contains(const std::vector<std::string>& all, std::string_view one) { return std::find(all.begin(), all.end(), one) != all.end(); }

std::string problem_of(const PluginOption& option) {
    static const std::vector<std::string> types{"bool", "int", "float", "string", "choice"};
    const std::string name = "option '" + option.key + "' ";
    if (!contains(types, option.type)) return name + "has the type '" + option.type + "'; known are bool, int, float, string and choice";
    if (option.help.empty()) return name + "has no help";
    if (option.type == "bool" && option.default_value != "true" && option.default_value != "false") {
        return name + "is a bool whose default is '" + option.default_value + "', not true or false";
    }
    if (option.type == "choice" && !contains(option.choices, option.default_value)) {
        return name + "has the default '" + option.default_value + "', which is none of its choices";
    }
    if (option.type == "int" || option.type == "float") {
        double value = 0, low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
        if (!parse(option.type, option.default_value, value)) {
            return name + "has the default '" + option.default_value + "', which is no " + option.type;
        }
        if (!option.min.empty() && !parse(option.type, option.min, low))
            return name + "has the bound '" + option.min + "', which is no " + option.type;
        if (!option.max.empty() && !parse(option.type, option.max, high))
            return name + "has the bound '" + option.max + "', which is no " + option.type;
        if (value < low || value > high) return name + "has a default outside its own bounds";
    }
    return {};
}

template <class Items>
std::string problem_of_keys(const Items& items, const std::string& kind) {
    std::set<std::string> keys;
    for (const auto& item : items) {
        if (item.key.empty()) return kind + " without a key";
        if (!keys.insert(item.key).second) return kind + " '" + item.key + "' stands there twice";
    }
    return {};
}

base::Json json_of(const PluginManifest& manifest) {
    base::Json options = base::Json::array();
    for (const PluginOption& option : manifest.options) {
        options.push_back({{"key", option.key},
                           {"type", option.type},
                           {"default", option.default_value},
                           {"min", option.min},
                           {"max", option.max},
                           {"choices", option.choices},
                           {"help", option.help}});
    }
    base::Json artifacts = base::Json::array();
    for (const PluginArtifact& artifact : manifest.artifacts) {
        artifacts.push_back({{"key", artifact.key}, {"kind", artifact.kind}, {"required", artifact.required}, {"help", artifact.help}});
    }
    return {{"format", PluginManifest::format},
            {"id", manifest.id},
            {"name", manifest.name},
            {"version", manifest.version},
            {"licence", manifest.licence},
            {"summary", manifest.summary},
            {"modality", manifest.modality},
            {"services", manifest.services},
            {"options", std::move(options)},
            {"artifacts", std::move(artifacts)},
            {"abi", manifest.abi},
            {"stamp", manifest.stamp}};
}

/// The first text that would not print as itself. Lists show these texts, and a stranger's plugin is not to drive the terminal.
std::string unprintable(const base::Json& value) {
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        return base::escape_controls(text) == text ? "" : base::in_quotes(text);
    }
    if (value.is_structured()) {
        for (const auto& [key, member] : value.items()) {
            const std::string found = base::escape_controls(key) == key ? unprintable(member) : base::in_quotes(key);
            if (!found.empty()) return found;
        }
    }
    return {};
}

}  // namespace

bool PluginManifest::provides(std::string_view service) const noexcept { return contains(services, service); }

std::string problem_of(const PluginManifest& manifest) {
    const std::pair<const char*, const std::string&> required[] = {{"id", manifest.id},
                                                                   {"name", manifest.name},
                                                                   {"version", manifest.version},
                                                                   {"licence", manifest.licence},
                                                                   {"summary", manifest.summary}};
    for (const auto& [field, value] : required) {
        if (value.empty()) return std::string("the required field '") + field + "' is missing";
    }
    if (manifest.id.size() > 64 || manifest.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") != std::string::npos) {
        return "the id '" + manifest.id + "' is not 1 to 64 of a-z 0-9 . _ -";
    }
    if (manifest.services.empty()) return "the required field 'services' is missing: a plugin provides at least one";
    const bool modality = std::any_of(manifest.services.begin(), manifest.services.end(),
                                      [](const std::string& id) { return id.rfind("whynot.modality/", 0) == 0; });
    if (modality && manifest.modality.empty()) {
        return "the required field 'modality' is missing: a plugin with the service whynot.modality names what it is for";
    }
    for (const std::string& problem :
         {problem_of_keys(manifest.options, "an option"), problem_of_keys(manifest.artifacts, "an artifact")}) {
        if (!problem.empty()) return problem;
    }
    for (const PluginOption& option : manifest.options) {
        const std::string problem = problem_of(option);
        if (!problem.empty()) return problem;
    }
    const std::string text = unprintable(json_of(manifest));
    if (!text.empty()) return "the text " + text + " is not plain UTF-8: it holds control characters or broken bytes";
    return {};
}

std::string to_json(const PluginManifest& manifest) { return json_of(manifest).dump(2) + '\n'; }

PluginManifest plugin_manifest_from_json(std::string_view text, const std::string& origin) {
    const std::string begin = origin + " is no usable plugin manifest";
    const auto refuse = [](const std::string& why) {
        return Error(ErrorCode::bad_plugin, why + ". Build the plugin again, or run whynot-describe on its library");
    };
    const base::Json json = base::parse_json_object(text, ErrorCode::bad_plugin, origin);
    PluginManifest manifest;
    try {
        base::Members root(json, ErrorCode::bad_plugin, begin);
        if (root.text("format") != PluginManifest::format) root.refuse("format", std::string("'") + PluginManifest::format + '\'');
        manifest.id = root.text("id");
        manifest.name = root.text("name");
        manifest.version = root.text("version");
        manifest.licence = root.text("licence");
        manifest.summary = root.text("summary");
        manifest.modality = root.text("modality");
        manifest.services = root.texts("services");
        manifest.abi = root.whole("abi", 0, UINT32_MAX);
        base::Members stamp = root.object("stamp");
        for (const auto& [field, value] : stamp.json().items()) manifest.stamp.emplace(field, stamp.text(field));
        for (base::Members& item : root.objects("options")) {
            manifest.options.push_back({item.text("key"), item.text("type"), item.text("default"), item.text("min"), item.text("max"),
                                        item.texts("choices"), item.text("help")});
        }
        for (base::Members& item : root.objects("artifacts"))
            manifest.artifacts.push_back({item.text("key"), item.text("kind"), item.flag("required"), item.text("help")});
    } catch (const Error& error) {
        throw refuse(error.what());
    }
    const std::string problem = problem_of(manifest);
    if (!problem.empty()) throw refuse(begin + ": " + problem);
    return manifest;
}

PluginManifest read_plugin_manifest(const std::filesystem::path& file) {
    const std::string text = base::read_file(file, largest_manifest, ErrorCode::bad_plugin);
    return plugin_manifest_from_json(text, internal::quoted(file));
}

void write_plugin_manifest(const PluginManifest& manifest, const std::filesystem::path& file) {
    const std::string problem = problem_of(manifest);
    if (!problem.empty()) throw Error(ErrorCode::bad_plugin, "this plugin manifest cannot be written: " + problem);
    write_file_atomically(file, to_json(manifest));
}

}  // namespace whynot
