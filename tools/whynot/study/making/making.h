#pragma once

/// Makes a study from a preset and a pack: picks what is shown, has it explained in the way of each arm, and freezes it all in a folder.

#include <functional>
#include <string>
#include <vector>

#include "serve/asker.h"
#include "serve/known_packs.h"
#include "study/making/presets.h"

namespace whynot::cli::study {

struct Making {
    const Preset& preset;
    const KnownPack& pack;
    std::vector<std::string> classes;  ///< two of the pack's; empty: the two that it takes for one another most often
    std::vector<Input> inputs;         ///< to choose from; empty: those that the pack's corpus keeps from training
    std::string method;                ///< of the maps; empty: "grad-cam" for pictures where the model has it, the plugin's first for texts
    uint64_t seed = 1;
    std::string title;  ///< empty: the preset's
};

/// Told what is being done, and how much of it is done, from 0 to 1.
using Told = std::function<void(const std::string&, double)>;

/// Makes `folder`, which may not be there yet, or be empty. What goes wrong leaves none behind. Throws `invalid_argument` where the inputs are too few.
void make_study(const Making& making, Asker& asker, const std::filesystem::path& folder, const Told& told);

}  // namespace whynot::cli::study
