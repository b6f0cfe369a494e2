#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "pack/manifest.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/pack.h"

namespace whynot {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& what, const fs::path& path, const std::error_code& error) {
    throw Error(ErrorCode::io, "cannot " + what + " " + base::escape_controls(path.string()) + ": " + error.message());
}

void make_directories(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) fail("make the folder", path, error);
}

void move_folder(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) fail("write the pack", to, error);
}

}  // namespace

struct PackWriter::State {
    fs::path directory;  // the pack to be, absolute
    fs::path temporary;  // where it grows; empty until there is something, so that a long training that is killed leaves nothing beside
    bool finished = false;
    std::vector<std::string> disposable;

    ~State() {
        std::error_code ignored;
        if (!temporary.empty()) fs::remove_all(temporary, ignored);
    }

    void begin() {
        if (!temporary.empty()) return;
        const fs::path folder = base::temporary_beside(directory);
        std::error_code error;
        fs::create_directory(folder, error);
        if (error) fail("make a folder beside", directory, error);
        temporary = folder;
    }

    // Whether the target exists and holds anything, all of it disposable; throws when it holds something else.
    bool holds_disposable() const {
        std::error_code error;
        const fs::file_status status = fs::status(directory, error);
        if (!fs::exists(status)) return false;
        if (!fs::is_directory(status))
            throw Error(ErrorCode::io,
                        "cannot write a pack to " + base::escape_controls(directory.string()) + ": there is a file of that name");
        bool any = false;
        fs::directory_iterator entries(directory, error);
        if (error) fail("look into", directory, error);
        for (const fs::directory_entry& entry : entries) {
            const std::string name = entry.path().filename().string();
            if (std::find(disposable.begin(), disposable.end(), name) == disposable.end())
                throw Error(ErrorCode::io, "cannot write a pack to " + base::escape_controls(directory.string()) +
                                               ": the folder is not empty (" + base::in_quotes(name) + " is in it); choose a new folder");
            any = true;
        }
        return any;
    }
};

PackWriter::PackWriter(const fs::path& directory, const std::vector<std::string>& disposable) : state_(std::make_unique<State>()) {
    if (directory.empty()) throw Error(ErrorCode::invalid_argument, "a pack needs a folder to be written to, found an empty path");
    std::error_code error;
    state_->directory = fs::weakly_canonical(fs::absolute(directory), error);
    if (error) fail("write a pack to", directory, error);
    if (!state_->directory.has_filename()) state_->directory = state_->directory.parent_path();  // "out/"
    state_->disposable = disposable;
    state_->holds_disposable();
    const fs::path parent = state_->directory.parent_path();
    make_directories(parent);
    if (access(parent.c_str(), W_OK | X_OK) != 0) fail("make a folder beside", state_->directory, {errno, std::generic_category()});
}

PackWriter::~PackWriter() = default;

void PackWriter::add(const std::string& name, std::string_view bytes) { write_file_atomically(path(name), bytes); }

fs::path PackWriter::path(const std::string& name) {
    if (state_->finished) throw Error(ErrorCode::invalid_argument, "this pack is finished; nothing can be added to it");
    if (!internal::is_pack_file_name(name))
        throw Error(ErrorCode::invalid_argument, base::in_quotes(name) +
                                                     " cannot be a file of a pack: expected a relative name without '.', '..' "
                                                     "or backslashes, other than " +
                                                     internal::manifest_name);
    state_->begin();
    const fs::path path = state_->temporary / name;
    make_directories(path.parent_path());
    return path;
}

Pack PackWriter::finish(PackManifest manifest) {
    State& state = *state_;
    if (state.finished) throw Error(ErrorCode::invalid_argument, "this pack is finished already");
    state.begin();

    manifest.files.clear();
    std::error_code error;
    fs::recursive_directory_iterator entries(state.temporary, error);
    if (error) fail("look into", state.temporary, error);
    for (const fs::directory_entry& entry : entries) {
        if (entry.is_directory(error) && !entry.is_symlink(error)) continue;
        const std::string name = entry.path().lexically_relative(state.temporary).generic_string();
        if (entry.is_symlink(error) || !entry.is_regular_file(error) || !internal::is_pack_file_name(name))
            throw Error(ErrorCode::bad_pack,
                        base::in_quotes(name) + " cannot be a file of a pack: expected a regular file with a plain name");
        base::flush_to_disk(entry.path());
        manifest.files.push_back({name, base::InputFile(entry.path()).size(), base::sha256_of_file(entry.path())});
    }
    std::sort(manifest.files.begin(), manifest.files.end(), [](const PackFile& a, const PackFile& b) { return a.name < b.name; });
    write_file_atomically(state.temporary / internal::manifest_name, to_json(manifest));
    Pack pack = open_pack(state.temporary);  // nothing is put in place that could not be opened there

    if (state.holds_disposable()) {
        // Folders cannot be exchanged in one step: put the old one aside, and back if the new one does not get into its place.
        const fs::path old = base::temporary_beside(state.directory);
        move_folder(state.directory, old);
        try {
            move_folder(state.temporary, state.directory);
        } catch (const Error&) {
            move_folder(old, state.directory);
            throw;
        }
        fs::remove_all(old, error);
    } else {
        move_folder(state.temporary, state.directory);
    }
    state.temporary.clear();
    state.finished = true;
    base::flush_to_disk(state.directory.parent_path());
    pack.directory_ = state.directory;
    return pack;
}

}  // namespace whynot
