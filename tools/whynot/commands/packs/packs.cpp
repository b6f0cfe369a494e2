#include "commands/packs/packs.h"

#include "base/format.h"
#include "console/json.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/pack.h"

namespace whynot::cli {
namespace {

using base::joined;
using base::Json;
using Rows = std::vector<std::vector<std::string>>;

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
    flatten(base::parse_own_json(json), "", rows);
    return rows.empty() ? "" : '\n' + heading + '\n' + table(rows);
}

}  // namespace

int list_packs(const PacksCommand& command) {
    const std::vector<PackEntry> packs = whynot::list_packs(default_pack_search());
    Rows rows{{"pack", "version", "modality", "classes", "size", "description"}};
    for (const PackEntry& pack : packs) {
        const PackManifest& manifest = pack.manifest;
        if (command.json) {
            print_line({{"id", text_or_null(manifest.id)},
                        {"version", text_or_null(manifest.id.empty() ? "" : manifest.version)},
                        {"modality", text_or_null(manifest.modality)},
                        {"classes", manifest.classes},
                        {"bytes", size_of(manifest)},
                        {"description", manifest.description},
                        {"directory", pack.directory.string()},
                        {"rejected", text_or_null(pack.rejected)}});
        } else if (pack.rejected.empty()) {
            rows.push_back({manifest.id, manifest.version, manifest.modality,
                            manifest.classes.empty() ? "-" : std::to_string(manifest.classes.size()), bytes_for_people(size_of(manifest)),
                            manifest.description});
        }
    }
    if (!command.json) {
        if (rows.size() > 1) print(table(rows, "lllrrl"));
        for (const PackEntry& pack : packs)
            if (!pack.rejected.empty()) complain("not listed, " + pack.directory.string() + ": " + pack.rejected);
        if (packs.empty()) complain("there are no packs; 'whynot train' makes one, WHYNOT_PACK_PATH names folders that hold some");
    }
    return answered;
}

int show_pack(const PacksCommand& command) {
    const Pack pack = find_pack(command.pack, default_pack_search());
    const PackManifest& manifest = pack.manifest();
    if (command.json) {
        Json object = base::parse_own_json(to_json(manifest));
        object["directory"] = pack.directory().string();
        object["sha256"] = pack.sha256();
        print_line(object);
        return answered;
    }
    std::string text = table({{manifest.id + ", version " + manifest.version + ": " + manifest.description}}) + '\n';
    text += table({{"  modality", manifest.modality},
                   {"  plugin", manifest.plugin_id + ' ' + manifest.plugin_version},
                   {"  classes", manifest.classes.empty() ? "none: a generator, which other packs explain with" : joined(manifest.classes)},
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

int verify_pack(const PacksCommand& command) {
    const Pack pack = find_pack(command.pack, default_pack_search());  // which verifies every file
    const PackManifest& manifest = pack.manifest();
    if (command.json) {
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

}  // namespace whynot::cli
