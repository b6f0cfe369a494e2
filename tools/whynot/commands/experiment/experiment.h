#pragma once

/// `whynot experiment`.

#include <cstdint>
#include <string>

#include "commands/common.h"

namespace whynot::cli {

struct ExperimentCommand : CommonOptions {
    std::string name;
    std::string out;
    std::string pack;  ///< id or folder; empty: what the experiment says
    std::string html;  ///< a page of the result, a file; empty: none
    bool quick = false;
    uint64_t seed = 1;
};

int list_experiments(const ExperimentCommand& command);
int run_experiment(const ExperimentCommand& command);

}  // namespace whynot::cli
