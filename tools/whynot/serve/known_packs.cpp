#include "serve/known_packs.h"

#include <algorithm>

#include "base/names.h"
#include "base/sha256.h"
#include "base/text.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using base::Json;

constexpr const char* for_sentences = "yelp";
constexpr const char* for_images = "mnist";

fs::path folder_of(const std::string& name, const std::vector<PackEntry>& found) {
    for (const PackEntry& entry : found)
        if (entry.rejected.empty() && entry.manifest.id == name) return entry.directory;
    if (fs::exists(fs::path(name) / "pack.json")) return fs::absolute(name);
    throw Error(ErrorCode::not_found,
                "--pack " + base::in_quotes(name) + ": there is no such pack, and no folder of that name that holds one");
}

}  // namespace

KnownPacks::KnownPacks(const Host& host, const std::vector<std::string>& named) {
    const std::vector<PackEntry> found = list_packs(default_pack_search());
    for (const std::string& name : named) {
        const fs::path folder = folder_of(name, found);
        const PackManifest manifest = read_manifest(folder);
        add(host, folder, manifest);
        const bool is_there = std::any_of(packs_.begin(), packs_.end(), [&](const KnownPack& known) { return known.folder == folder; });
        if (!is_there && manifest.classes.empty())
            throw Error(ErrorCode::invalid_argument, "the pack '" + manifest.id + "' has no classifier: there is nothing to ask it");
        if (!is_there)
            throw Error(ErrorCode::not_found, "the pack '" + manifest.id + "' is of " + manifest.modality +
                                                  ", which no plugin here explains, or another of its id stands before it");
    }
    named_ = packs_.size();
    for (const std::string id : {for_sentences, for_images, ""})  // then all others
        for (const PackEntry& entry : found)
            if (entry.rejected.empty() && (id.empty() || entry.manifest.id == id)) add(host, entry.directory, entry.manifest);
}

void KnownPacks::add(const Host& host, const fs::path& folder, const PackManifest& manifest) {
    const auto same_id = [&](const KnownPack& known) { return known.manifest.id == manifest.id; };
    if (manifest.classes.empty() || std::any_of(packs_.begin(), packs_.end(), same_id)) return;
    KnownPack pack{manifest, folder, {}, "", base::sha256_of_file(folder / "pack.json")};
    try {
        for (const PluginOption& option : host.find_modality(manifest.modality).manifest.options) {
            if (option.key != "decode") continue;
            pack.decodings = option.choices;
            pack.default_decoding = option.default_value;
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::not_found) return;  // nobody here can ask it
        throw;
    }
    packs_.push_back(std::move(pack));
}

const KnownPack& KnownPacks::find(const std::string& id) const {
    std::vector<std::string> ids;
    for (const KnownPack& pack : packs_) {
        if (pack.manifest.id == id) return pack;
        ids.push_back(pack.manifest.id);
    }
    throw Error(ErrorCode::not_found,
                "there is no pack " + base::in_quotes(id) + "; there " + (ids.empty() ? "are none" : "is " + base::choice_of(id, ids)));
}

const KnownPack& KnownPacks::for_kind(bool image) const {
    for (size_t i = 0; i < named_; ++i)
        if ((packs_[i].manifest.modality == "image") == image) return packs_[i];
    return find(image ? for_images : for_sentences);
}

Json KnownPacks::to_json(const std::vector<std::string>& open) const {
    const auto is_default = [&](const KnownPack& pack) {
        try {
            return &for_kind(pack.manifest.modality == "image") == &pack;
        } catch (const Error&) {
            return false;
        }
    };
    Json list = Json::array();
    for (const KnownPack& pack : packs_) {
        const PackManifest& manifest = pack.manifest;
        list.push_back({{"id", manifest.id},
                        {"version", manifest.version},
                        {"sha256", pack.sha256},
                        {"description", manifest.description},
                        {"licence", manifest.licence},
                        {"modality", manifest.modality},
                        {"classes", manifest.classes},
                        {"decodings", pack.decodings},
                        {"default_decoding", pack.default_decoding},
                        {"default", is_default(pack)},
                        {"open", std::find(open.begin(), open.end(), pack.folder.string()) != open.end()}});
    }
    return {{"packs", list}};
}

}  // namespace whynot::cli
