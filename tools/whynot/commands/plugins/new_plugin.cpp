// whynot plugins new.

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/text.h"
#include "commands/common.h"
#include "commands/plugins/plugins.h"
#include "console/json.h"
#include "console/terminal.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

/// What stands in the template's files where the plugin's name will be.
constexpr std::string_view stand_in = "whynot_template";

constexpr uint64_t largest_file = 1 << 20;  // bytes; ours have ten thousand at most

/// The name becomes an id, a file's name and a target of CMake.
void check_name(const std::string& name) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto other = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    if (name.empty() || name.size() > 64 || !letter(name.front()) || !std::all_of(name.begin(), name.end(), other)) {
        throw Error(ErrorCode::invalid_argument,
                    "expected a name of up to 64 of a-z, 0-9 and _ that begins with a letter, found " + base::in_quotes(name));
    }
    static const std::set<std::string> taken{"all",     "clean",         "edit_cache", "help",  "install",   "list_install_components",
                                             "package", "rebuild_cache", "test",       "torch", "make_pack", "package_source",
                                             "whynot",  "image",         "text",       "c10"};
    if (taken.count(name) > 0)
        throw Error(ErrorCode::invalid_argument, "the name " + base::in_quotes(name) + " is taken; choose another one");
}

std::string with_name(std::string text, const std::string& name) {
    for (size_t at = 0; (at = text.find(stand_in, at)) != std::string::npos; at += name.size()) text.replace(at, stand_in.size(), name);
    return text;
}

/// A folder that goes with all that is in it unless it was moved to its place.
struct TemporaryFolder {
    fs::path path;
    explicit TemporaryFolder(fs::path where) : path(std::move(where)) { fs::create_directory(path); }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

fs::path template_folder() {
    const fs::path folder = installed_data_folder() / "template";
    if (!fs::is_directory(folder)) {
        throw Error(ErrorCode::not_found, "expected what plugins begin with in " + base::escape_controls(folder.string()) +
                                              ", and there is no such folder; install whynot again");
    }
    return folder;
}

/// @returns the names of the files, in order
std::vector<std::string> copy_template(const std::string& name, const fs::path& target) {
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(template_folder())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());

    fs::create_directories(target.parent_path());
    const TemporaryFolder folder(base::temporary_beside(target));
    std::vector<std::string> names;
    for (const fs::path& file : files) {
        names.push_back(file.filename().string());
        write_file_atomically(folder.path / names.back(), with_name(base::read_file(file, largest_file, ErrorCode::io), name));
    }
    fs::rename(folder.path, target);  // over the empty folder, where there was one
    return names;
}

}  // namespace

int new_plugin(const PluginsCommand& command) {
    const std::string& name = command.plugin;
    check_name(name);
    const fs::path shown = command.out.empty() ? name : command.out;
    fs::path target;
    std::vector<std::string> names;
    try {
        target = fs::weakly_canonical(fs::absolute(shown));
        if (fs::exists(target) && !(fs::is_directory(target) && fs::is_empty(target))) {
            throw Error(ErrorCode::io, "expected a new or empty folder, and there is something in " +
                                           base::escape_controls(shown.string()) + "; choose another one with --out");
        }
        names = copy_template(name, target);
    } catch (const fs::filesystem_error& error) {
        throw Error(ErrorCode::io, "the folder " + base::escape_controls(shown.string()) + " cannot be made: " + error.code().message() +
                                       "; choose another one with --out");
    }

    if (command.json) {
        print_line({{"name", name}, {"directory", target.string()}, {"files", names}});
        return answered;
    }
    const auto in_it = [&](const char* path) { return for_shell((shown / path).string()); };
    print(base::escape_controls(shown.string()) + " holds the plugin '" + name +
          "'; README.md in it says how it works. To build and try it:\n\n" + "    cmake -S " + for_shell(shown.string()) + " -B " +
          in_it("build") + " && cmake --build " + in_it("build") + "\n    whynot explain --plugin-path \"$(realpath " +
          in_it("build/lib/whynot/plugins") + ")\" --pack " + for_shell((shown / "build/share/whynot/packs" / name).string()) +
          " \"3 4\"\n    whynot plugins check " + for_shell((shown / "build/lib/whynot/plugins" / (name + ".so")).string()) + " --pack " +
          for_shell((shown / "build/share/whynot/packs" / name).string()) + '\n');
    return answered;
}

}  // namespace whynot::cli
