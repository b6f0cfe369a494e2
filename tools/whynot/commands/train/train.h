#pragma once

/// `whynot train` and `whynot evaluate`.

#include <cstdint>
#include <string>

#include "commands/common.h"

namespace whynot::cli {

struct TrainCommand : CommonOptions {
    std::string modality;
    std::string corpus;
    std::string out;
    std::string recipe;      ///< a file; empty: the defaults
    std::string classifier;  ///< its kind; empty: the recipe's
    std::string generator;   ///< of which pack; empty: one of its own
    uint64_t seed = 1;
    bool print_recipe = false;
    bool opinion_only = false;    ///< with `pack` and `corpus`
    bool words_only = false;      ///< with `pack` and `corpus`
    bool generator_only = false;  ///< with `pack` and `data` instead of `corpus`
    std::string pack;
    std::string data;
};

struct EvaluateCommand : CommonOptions {
    std::string pack;
    std::string corpus;
    int64_t limit = 500;
    double confidence = 0;  ///< 0: the modality's own
    uint64_t seed = 1;
    std::string html;  ///< a page of the figures, a file; empty: none
};

int train(const TrainCommand& command);
int evaluate(const EvaluateCommand& command);

}  // namespace whynot::cli
