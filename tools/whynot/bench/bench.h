#pragma once

/// `whynot bench`.

#include <cstdint>
#include <string>
#include <vector>

#include "commands/common.h"

namespace whynot::cli {

struct BenchCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;    ///< id or folder; empty: the default for the kind of input, for a corpus the pack of its name
    std::string corpus;  ///< names, separated by commas
    std::string batches = "1,16,64,256";
    std::string methods = "sqp,augmented-lagrangian,augmented-lagrangian-lbfgs";
    std::string foil;  ///< empty: the runner-up
    int64_t limit = 256;
    int64_t starts = 1;
    double seconds = 4;
    double step = 0;  ///< of the gradient descent; 0: the solver's
    uint64_t seed = 1;
    std::string html;  ///< a page of the result, a file; empty: none
};

int bench(const BenchCommand& command);

}  // namespace whynot::cli
