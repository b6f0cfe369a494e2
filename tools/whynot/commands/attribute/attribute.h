#pragma once

/// `whynot attribute`.

#include <cstdint>
#include <string>
#include <vector>

#include "commands/common.h"

namespace whynot::cli {

struct AttributeCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;  ///< id or folder; empty: the default for the kind of input
    std::string method;
    std::string fact;
    std::string foil;
    bool alone = false;  ///< the fact alone, without a foil
    bool sweep = false;
    uint64_t seed = 1;
    std::string out;
    bool no_times = false;
    bool list = false;  ///< the methods that there are, instead
};

int attribute(const AttributeCommand& command);

}  // namespace whynot::cli
