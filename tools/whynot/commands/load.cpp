#include "commands/load.h"

#include <boost/dll/shared_library.hpp>
#include <filesystem>
#include <string>

#include "base/text.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

template <class Found>
const Found& load(const char* name, const char* entry) {
    const fs::path file = installed_plugin_folder().parent_path() / name;
    const std::string shown = base::escape_controls(file.string());
    std::error_code unreadable;
    if (!fs::exists(file, unreadable))
        throw Error(ErrorCode::io, "expected a part of this program, " + shown +
                                       ", and there is no such file. 'cmake --build build' builds it; tools/demo alone does not");
    // Never closed: LibTorch does not survive it. Local: what the library brings along must not meet what plugins bring along.
    static auto* const library = new boost::dll::shared_library;
    try {
        library->load(file, boost::dll::load_mode::rtld_lazy | boost::dll::load_mode::rtld_local);
    } catch (const std::system_error& error) {
        throw Error(ErrorCode::io, "a part of this program could not be loaded; install it again. " + std::string(error.what()));
    }
    const Found& found = *library->get<const Found*()>(entry)();
    if (std::string(found.version) != WHYNOT_VERSION)
        throw Error(ErrorCode::io, shown + " is of whynot " + found.version + ", and this program of " WHYNOT_VERSION "; install it again");
    return found;
}

}  // namespace

const Commands& commands() { return load<Commands>("whynot_commands.so", WHYNOT_COMMANDS_ENTRY); }

const CorpusCommands& corpus_commands() { return load<CorpusCommands>("whynot_corpus.so", WHYNOT_CORPUS_COMMANDS_ENTRY); }

const ServeCommands& serve_commands() { return load<ServeCommands>("whynot_serve.so", WHYNOT_SERVE_COMMANDS_ENTRY); }

}  // namespace whynot::cli
