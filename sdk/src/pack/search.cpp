#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "pack/manifest.h"
#include "whynot/error.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace whynot {
namespace fs = std::filesystem;

namespace {

bool looks_like_pack(const fs::path& directory) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(directory / internal::manifest_name, ignored));
}

}  // namespace

PackSearch default_pack_search(const std::vector<fs::path>& explicit_folders) {
    PackSearch search{explicit_folders};
    if (const char* variable = std::getenv("WHYNOT_PACK_PATH")) {
        const std::string paths = variable;
        for (size_t begin = 0; begin <= paths.size();) {
            const size_t end = std::min(paths.find(':', begin), paths.size());
            if (end > begin) search.folders.emplace_back(paths.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    search.folders.push_back(installed_data_folder() / "packs");
    return search;
}

std::vector<PackEntry> list_packs(const PackSearch& search) {
    std::vector<PackEntry> packs;
    std::set<fs::path> searched;
    std::map<std::string, fs::path> chosen;
    for (const fs::path& folder : search.folders) {
        std::error_code error;
        const fs::path real = fs::canonical(folder, error);
        if (error || !searched.insert(real).second) continue;
        std::vector<fs::path> directories;
        for (fs::directory_iterator entry(real, error), end; !error && entry != end; entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            if (name.front() != '.' && looks_like_pack(entry->path())) directories.push_back(entry->path());  // '.': being written
        }
        std::sort(directories.begin(), directories.end());
        for (const fs::path& directory : directories) {
            PackEntry pack{directory, {}, {}};
            try {
                pack.manifest = read_manifest(directory);
                const auto [first, fresh] = chosen.emplace(pack.manifest.id, directory);
                if (!fresh) pack.rejected = "hidden by the pack of the same id in " + base::escape_controls(first->second.string());
            } catch (const Error& reason) {
                pack.rejected = reason.what();
            }
            packs.push_back(std::move(pack));
        }
    }
    return packs;
}

Pack find_pack(const std::string& id_or_directory, const PackSearch& search) {
    if (id_or_directory.empty()) throw Error(ErrorCode::invalid_argument, "expected the id or the folder of a pack, found an empty text");
    if (id_or_directory.find('/') != std::string::npos) return open_pack(id_or_directory);

    const std::vector<PackEntry> packs = list_packs(search);
    std::vector<std::string> ids;
    for (const PackEntry& pack : packs) {
        if (!pack.rejected.empty()) continue;
        if (pack.manifest.id == id_or_directory) return open_pack(pack.directory);
        ids.push_back(pack.manifest.id);
    }
    if (looks_like_pack(id_or_directory)) return open_pack(id_or_directory);
    for (const PackEntry& pack : packs)
        if (pack.directory.filename() == id_or_directory && pack.manifest.id.empty()) throw Error(ErrorCode::bad_pack, pack.rejected);

    std::vector<std::string> folders;
    for (const fs::path& folder : search.folders) folders.push_back(base::escape_controls(folder.string()));
    std::sort(ids.begin(), ids.end());
    throw Error(ErrorCode::not_found, "there is no pack " + base::in_quotes(id_or_directory) + "; looked in " + base::joined(folders) +
                                          (ids.empty() ? " and found no packs at all" : ", where there are: " + base::joined(ids)) +
                                          ". Give the id of one of these or the folder of a pack");
}

}  // namespace whynot
