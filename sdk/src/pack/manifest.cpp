#include "pack/manifest.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"
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

bool is_id(std::string_view text) {
    const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 64 && alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

void check(const PackManifest& manifest, const std::string& origin) {
    const auto require_id = [&](const char* what, const std::string& id) {
        if (!is_id(id))
            refuse(origin,
                   std::string(what) + " must be 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit, not " + base::in_quotes(id));
    };
    require_id("the id", manifest.id);
    require_id("the modality", manifest.modality);
    require_id("the plugin's id", manifest.plugin_id);
    if (manifest.version.empty() || has_controls(manifest.version))
        refuse(origin, "the version must be a short text, not " + base::in_quotes(manifest.version));

    if (manifest.classes.size() < 2)
        refuse(origin, "a classifier needs at least two classes, found " + std::to_string(manifest.classes.size()));
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

/// The members of one JSON object, each taken once; what nobody took is an error, so that a slip of the pen is seen.
class Members {
public:
    Members(const base::Json& object, const std::string& origin, std::string name)
        : object_(object), origin_(origin), name_(std::move(name)) {
        if (!object.is_object()) refuse(origin, name_ + " must be an object, found " + base::kind_of(object));
    }

    const base::Json& take(const std::string& key) {
        const auto found = object_.find(key);
        if (found == object_.end()) refuse(origin_, place(key) + " is missing");
        taken_.insert(key);
        return *found;
    }
    bool has(const std::string& key) const { return object_.contains(key); }
    std::string text(const std::string& key) {
        const base::Json& value = take(key);
        if (!value.is_string()) refuse(origin_, place(key) + " must be a string, found " + base::kind_of(value));
        return value.get<std::string>();
    }
    uint64_t count(const std::string& key) {
        const base::Json& value = take(key);
        if (!value.is_number_unsigned())
            refuse(origin_, place(key) + " must be a whole number from 0 to 2^64-1, found " + base::kind_of(value));
        return value.get<uint64_t>();
    }
    std::string object_text(const std::string& key) {
        const base::Json& value = take(key);
        if (!value.is_object()) refuse(origin_, place(key) + " must be an object, found " + base::kind_of(value));
        return value.dump();
    }
    // The same where the key may be absent.
    std::string optional_text(const std::string& key) { return has(key) ? text(key) : std::string(); }
    uint64_t optional_count(const std::string& key) { return has(key) ? count(key) : 0; }
    std::string optional_object_text(const std::string& key) { return has(key) ? object_text(key) : "{}"; }

    const base::Json& array(const std::string& key) {
        const base::Json& value = take(key);
        if (!value.is_array()) refuse(origin_, place(key) + " must be an array, found " + base::kind_of(value));
        return value;
    }
    void finish() const {
        for (const auto& member : object_.items())
            if (taken_.count(member.key()) == 0) refuse(origin_, place(member.key()) + " is no key of a manifest of this format");
    }

private:
    std::string place(const std::string& key) const { return base::in_quotes(name_.empty() ? key : name_ + "." + key); }

    const base::Json& object_;
    const std::string& origin_;
    std::string name_;
    std::set<std::string> taken_;
};

}  // namespace

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
    Members members(json, origin, "");
    // The format first: of another one nothing else can be judged.
    const base::Json& format = members.take("format");
    if (format != PackManifest::format_version)
        refuse(origin, "expected pack format " + std::to_string(PackManifest::format_version) + ", found " +
                           base::escape_controls(format.dump()) + "; use the version of whynot that made it, or make the pack again");

    PackManifest manifest;
    manifest.id = members.text("id");
    manifest.version = members.text("version");
    manifest.description = members.optional_text("description");
    manifest.modality = members.text("modality");
    Members plugin(members.take("plugin"), origin, "plugin");
    manifest.plugin_id = plugin.text("id");
    manifest.plugin_version = plugin.optional_text("version");
    plugin.finish();
    for (const base::Json& name : members.array("classes")) {
        if (!name.is_string()) refuse(origin, "'classes' must hold strings, found " + base::kind_of(name));
        manifest.classes.push_back(name.get<std::string>());
    }
    const std::string emits = members.text("emits");
    for (Emits known : {Emits::logits, Emits::log_probabilities, Emits::probabilities})
        if (emits == to_string(known)) manifest.emits = known;
    if (emits != to_string(manifest.emits))
        refuse(origin, "'emits' must be logits, log-probabilities or probabilities, not " + base::in_quotes(emits));
    manifest.network = members.optional_object_text("network");
    manifest.input = members.optional_object_text("input");
    manifest.recipe = members.optional_object_text("recipe");
    manifest.seed = members.optional_count("seed");
    if (members.has("corpus") && !members.take("corpus").is_null()) {
        Members named(members.take("corpus"), origin, "corpus");
        manifest.corpus = named.text("name");
        manifest.corpus_sha256 = named.text("sha256");
        named.finish();
    }
    manifest.quality = members.optional_object_text("quality");
    manifest.licence = members.optional_text("licence");
    for (const base::Json& entry : members.array("files")) {
        Members file(entry, origin, "files");
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
