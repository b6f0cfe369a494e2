#include "pack/manifest.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/members.h"
#include "base/sha256.h"
#include "base/text.h"
#include "whynot/error.h"
#include "whynot/pack.h"

namespace whynot {
namespace {

constexpr size_t max_files = 1000;
constexpr uint64_t max_total_bytes = uint64_t{16} << 30;

[[noreturn]] void refuse(const std::string& origin, const std::string& sentence) {
    throw Error(ErrorCode::bad_pack, origin + ": " + sentence);
}

bool has_controls(std::string_view text) { return base::escape_controls(text) != text; }

void check(const PackManifest& manifest, const std::string& origin) {
    const auto require_id = [&](const char* what, const std::string& id) {
        if (!is_pack_id(id))
            refuse(origin,
                   std::string(what) + " must be 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit, not " + base::in_quotes(id));
    };
    require_id("the id", manifest.id);
    require_id("the modality", manifest.modality);
    require_id("the plugin's id", manifest.plugin_id);
    if (manifest.version.empty() || has_controls(manifest.version))
        refuse(origin, "the version must be a short text, not " + base::in_quotes(manifest.version));

    if (manifest.classes.size() == 1) refuse(origin, "a classifier needs at least two classes, found 1; a generator alone has none");
    std::set<std::string> seen;
    for (const std::string& name : manifest.classes) {
        if (name.empty() || has_controls(name))
            refuse(origin, "a class needs a name of printable characters, not " + base::in_quotes(name));
        if (!seen.insert(name).second) refuse(origin, "two classes have the name " + base::in_quotes(name));
    }

    if (manifest.corpus.empty() != manifest.corpus_sha256.empty()) refuse(origin, "a corpus has a name and a SHA-256, or neither");
    if (!manifest.corpus.empty() && !base::is_sha256(manifest.corpus_sha256))
        refuse(origin,
               "the SHA-256 of the corpus must be 64 hexadecimal digits in lower case, not " + base::in_quotes(manifest.corpus_sha256));

    if (manifest.files.empty()) refuse(origin, "a pack needs at least one file beside its manifest");
    if (manifest.files.size() > max_files)
        refuse(origin, "names " + std::to_string(manifest.files.size()) + " files; a pack has at most " + std::to_string(max_files));
    seen.clear();
    uint64_t total = 0;
    for (const PackFile& file : manifest.files) {
        if (!internal::is_pack_file_name(file.name))
            refuse(origin, "names the file " + base::in_quotes(file.name) +
                               "; files of a pack go by relative names without '.', '..' or backslashes, and stay in its folder");
        if (!seen.insert(file.name).second) refuse(origin, "names the file " + base::in_quotes(file.name) + " twice");
        if (!base::is_sha256(file.sha256))
            refuse(origin, "the SHA-256 of " + base::in_quotes(file.name) + " must be 64 hexadecimal digits in lower case, not " +
                               base::in_quotes(file.sha256));
        if (file.size > max_total_bytes || (total += file.size) > max_total_bytes)
            refuse(origin, "declares more than " + std::to_string(max_total_bytes >> 30) + " GiB of files, with " +
                               base::in_quotes(file.name) + " of " + std::to_string(file.size) + " bytes");
    }
}

}  // namespace

bool is_pack_id(std::string_view text) noexcept {
    const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 64 && alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool internal::is_pack_file_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 1000 || name == internal::manifest_name || name.find('\\') != std::string_view::npos ||
        has_controls(name))
        return false;
    for (size_t begin = 0; begin <= name.size();) {
        const size_t end = std::min(name.find('/', begin), name.size());
        const std::string_view part = name.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") return false;
        begin = end + 1;
    }
    return true;
}

const char* to_string(Emits emits) noexcept {
    switch (emits) {
        case Emits::logits: return "logits";
        case Emits::log_probabilities: return "log-probabilities";
        case Emits::probabilities: return "probabilities";
    }
    return "logits";
}

std::string to_json(const PackManifest& manifest) {
    const std::string origin = "the manifest of pack " + base::in_quotes(manifest.id);
    check(manifest, origin);
    const auto object = [&](const char* key, const std::string& text) {
        return base::parse_json_object(text, ErrorCode::bad_pack, origin + ", '" + key + "'");
    };
    base::Json corpus;
    if (!manifest.corpus.empty()) corpus = {{"name", manifest.corpus}, {"sha256", manifest.corpus_sha256}};
    base::Json files = base::Json::array();
    for (const PackFile& file : manifest.files) files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
    const base::Json json = {
        {"format", PackManifest::format_version},
        {"id", manifest.id},
        {"version", manifest.version},
        {"description", manifest.description},
        {"modality", manifest.modality},
        {"plugin", {{"id", manifest.plugin_id}, {"version", manifest.plugin_version}}},
        {"classes", manifest.classes},
        {"emits", to_string(manifest.emits)},
        {"network", object("network", manifest.network)},
        {"input", object("input", manifest.input)},
        {"recipe", object("recipe", manifest.recipe)},
        {"seed", manifest.seed},
        {"corpus", corpus},
        {"quality", object("quality", manifest.quality)},
        {"licence", manifest.licence},
        {"files", files},
    };
    std::string text = base::write_json(json, 2, ErrorCode::bad_pack, origin) + "\n";
    if (text.size() > internal::max_manifest_bytes)
        refuse(origin, "has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(internal::max_manifest_bytes) +
                           " are allowed; put what is long into a file of its own");
    return text;
}

PackManifest manifest_from_json(std::string_view text, const std::string& origin) {
    if (text.size() > internal::max_manifest_bytes)
        refuse(origin,
               "has " + std::to_string(text.size()) + " bytes; a manifest has at most " + std::to_string(internal::max_manifest_bytes));
    const base::Json json = base::parse_json_object(text, ErrorCode::bad_pack, origin);
    base::Members members(json, ErrorCode::bad_pack, origin);
    // The format first: of another one nothing else can be judged.
    const base::Json& format = members.take("format");
    if (format != PackManifest::format_version)
        members.refuse("expected pack format " + std::to_string(PackManifest::format_version) + ", found " + base::shown(format) +
                       "; use the version of whynot that made it, or make the pack again");

    PackManifest manifest;
    manifest.id = members.text("id");
    manifest.version = members.text("version");
    manifest.description = members.text("description", "");
    manifest.modality = members.text("modality");
    base::Members plugin = members.object("plugin");
    manifest.plugin_id = plugin.text("id");
    manifest.plugin_version = plugin.text("version", "");
    plugin.finish();
    manifest.classes = members.texts("classes");
    const std::string emits = members.text("emits");
    for (Emits known : {Emits::logits, Emits::log_probabilities, Emits::probabilities})
        if (emits == to_string(known)) manifest.emits = known;
    if (emits != to_string(manifest.emits)) members.refuse("emits", "logits, log-probabilities or probabilities");
    const auto object_text = [&](const char* key) { return members.has(key) ? members.object(key).json().dump() : "{}"; };
    manifest.network = object_text("network");
    manifest.input = object_text("input");
    manifest.recipe = object_text("recipe");
    manifest.seed = members.has("seed") ? members.count("seed") : 0;
    if (members.has("corpus") && !members.take("corpus").is_null()) {
        base::Members named = members.object("corpus");
        manifest.corpus = named.text("name");
        manifest.corpus_sha256 = named.text("sha256");
        named.finish();
    }
    manifest.quality = object_text("quality");
    manifest.licence = members.text("licence", "");
    for (base::Members& file : members.objects("files")) {
        manifest.files.push_back({file.text("name"), file.count("size"), file.text("sha256")});
        file.finish();
    }
    members.finish();
    check(manifest, origin);
    return manifest;
}

PackManifest read_manifest(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / internal::manifest_name;
    return manifest_from_json(base::read_file(path, internal::max_manifest_bytes, ErrorCode::bad_pack),
                              base::escape_controls(path.string()));
}

}  // namespace whynot
