#pragma once

/// Studies to begin with. A preset says what happens, in which order and how often; the stimuli come from a pack (making.h).

#include <string>
#include <vector>

#include "base/json.h"
#include "study/making/design.h"

namespace whynot::cli::study {

/// How many items a step of trials has; half of each class.
struct Trials {
    std::string step;
    int64_t items = 0;
    bool catch_too = false;  ///< one more, that shows whether somebody reads along
};

struct Preset {
    std::string name;
    std::string about;  ///< a line, for lists
    std::string title;  ///< as participants see it
    bool of_texts = false;
    std::vector<Arm> arms;
    base::Json steps;  ///< those of study.json, items left out
    std::vector<Trials> trials;
    int64_t grid = 0;  ///< examples of each class
    base::Json exclude, analysis;
};

const std::vector<Preset>& presets();

/// Throws `invalid_argument` with the names that there are.
const Preset& preset(const std::string& name);

}  // namespace whynot::cli::study
