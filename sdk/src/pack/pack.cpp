#include "whynot/pack.h"

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "pack/manifest.h"
#include "whynot/error.h"

namespace whynot {
namespace fs = std::filesystem;

namespace {

// Both canonical: is `path` below `directory`?
bool lies_in(const fs::path& path, const fs::path& directory) {
    return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

}  // namespace

bool Pack::has(std::string_view name) const noexcept {
    return std::any_of(manifest_.files.begin(), manifest_.files.end(), [&](const PackFile& file) { return file.name == name; });
}

fs::path Pack::file(std::string_view name) const {
    if (!has(name))
        throw Error(ErrorCode::bad_pack,
                    "pack " + base::in_quotes(manifest_.id) + " has no file " + base::in_quotes(name) + " in its manifest");
    return directory_ / name;
}

void Pack::expect_unchanged() const {
    for (size_t i = 0; i < identities_.size(); ++i) {
        const PackFile& file = manifest_.files[i];
        if (base::InputFile(directory_ / file.name).identity() != identities_[i])
            throw Error(ErrorCode::bad_pack, "pack " + base::in_quotes(manifest_.id) + ": the file " + base::in_quotes(file.name) +
                                                 " was changed while it was being opened; open the pack again");
    }
}

Pack open_pack(const fs::path& directory) {
    const std::string shown = base::escape_controls(directory.string());
    std::error_code error;
    Pack pack;
    pack.directory_ = fs::canonical(directory, error);
    if (error) throw base::file_error("open the pack", directory, error.value());
    if (!fs::is_directory(pack.directory_, error))
        throw Error(ErrorCode::bad_pack,
                    "cannot open the pack " + shown + ": expected a folder with a " + internal::manifest_name + ", found a file");
    if (!fs::exists(fs::symlink_status(pack.directory_ / internal::manifest_name, error)))
        throw Error(ErrorCode::not_found, "cannot open the pack " + shown + ": there is no " + internal::manifest_name + " in that folder");

    const fs::path manifest_path = pack.directory_ / internal::manifest_name;
    const std::string origin = base::escape_controls(manifest_path.string());
    if (const fs::path target = fs::canonical(manifest_path, error); !error && !lies_in(target, pack.directory_))
        throw Error(ErrorCode::bad_pack,
                    origin + " leads out of the pack's folder through a symbolic link; packs must be complete in themselves");
    const std::string text = base::read_file(manifest_path, internal::max_manifest_bytes, ErrorCode::bad_pack);
    pack.manifest_ = manifest_from_json(text, origin);
    pack.sha256_ = base::sha256_hex(text);

    const auto refuse = [&](const PackFile& file, const std::string& sentence) {
        throw Error(ErrorCode::bad_pack, "pack " + base::in_quotes(pack.manifest_.id) + " (" + shown + "): the file " +
                                             base::in_quotes(file.name) + " " + sentence);
    };
    // All that is cheap before all that is dear: a truncated pack is refused at once.
    for (const PackFile& file : pack.manifest_.files) {
        const fs::path path = fs::canonical(pack.directory_ / file.name, error);
        if (error) refuse(file, "is named in the manifest but cannot be found (" + error.message() + "); get the pack again");
        if (!lies_in(path, pack.directory_))
            refuse(file, "leads out of the pack's folder through a symbolic link; packs must be complete in themselves");
        if (!fs::is_regular_file(path, error)) refuse(file, "is not a regular file");
        const uint64_t size = base::InputFile(path).size();
        if (size != file.size)
            refuse(file, "should have " + std::to_string(file.size) + " bytes and has " + std::to_string(size) + "; get the pack again");
    }
    std::map<std::array<int64_t, 5>, std::string> known;  // one file under many names is read once
    for (const PackFile& file : pack.manifest_.files) {
        base::InputFile opened(pack.directory_ / file.name);
        pack.identities_.push_back(opened.identity());
        std::string& sha256 = known[opened.identity()];
        if (sha256.empty()) sha256 = base::sha256_of_file(opened);
        if (sha256 != file.sha256)
            refuse(file, "is altered: its SHA-256 should be " + file.sha256 + " and is " + sha256 + "; get the pack again");
    }
    return pack;
}

}  // namespace whynot
