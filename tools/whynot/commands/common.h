#pragma once

/// What all commands share. No LibTorch and no CLI11 here.

#include <string>

#include "whynot/export.h"
#include "whynot/version.h"

namespace whynot::cli {

/// What scripts may rely on. A signal is never one of these.
enum ExitCode {
    answered = 0,
    failed = 1,
    usage = 2,       ///< Error `invalid_argument`, or a command line that cannot be read
    none_found = 3,  ///< at least one input has no answer
};

/// What several commands take.
struct CommonOptions {
    std::string plugin_path;     ///< folders separated by `:`
    int threads = 0;             ///< 0: the command chooses, see `set_threads`
    std::string device = "cpu";  ///< the device to compute on, of those that explain or classify
    bool json = false;
    std::string line;  ///< the command line as it was given, for pages that say how they were made
};

}  // namespace whynot::cli
