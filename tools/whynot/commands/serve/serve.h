#pragma once

/// `whynot serve`: the explorer. It lives in a library of its own, LIBDIR/whynot/whynot_serve.so, so that only it carries Boost.Beast; the models come
/// with the other commands' library, when the first of them is asked.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "commands/common.h"

namespace whynot::cli {

class Asker;
struct StudyCommand;

struct ServeCommand : CommonOptions {
    std::vector<std::string> packs;  ///< ids or folders, first in the list
    int port = 8741;                 ///< or the next free one; 0: any
    bool no_browser = false;
    bool end_with_input = false;  ///< when standard input ends: whoever started it has ended
    int64_t memory = 2000;        ///< MB that models may take together
};

struct ServeCommands {
    const char* version;  ///< WHYNOT_VERSION: program and library belong to one build
    int (*serve)(const ServeCommand&, const std::function<std::unique_ptr<Asker>()>& open_asker);
    // `whynot study`, which has the same server: commands/study/study.h
    int (*make_study)(const StudyCommand&, const std::function<std::unique_ptr<Asker>()>& open_asker);
    int (*serve_study)(const StudyCommand&);
    int (*delete_from_study)(const StudyCommand&);
    int (*simulate_study)(const StudyCommand&);
    int (*plan_study)(const StudyCommand&);
    int (*analyse_study)(const StudyCommand&);
};

}  // namespace whynot::cli

/// The one symbol of the library.
extern "C" WHYNOT_API const whynot::cli::ServeCommands* whynot_serve_commands();
#define WHYNOT_SERVE_COMMANDS_ENTRY "whynot_serve_commands"
