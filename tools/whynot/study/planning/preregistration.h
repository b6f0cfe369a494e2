#pragma once

/// The text of a preregistration: what a design declares, in words, with the plan. What only its authors know stands in [brackets].

#include <string>

#include "study/making/design.h"
#include "study/planning/power.h"

namespace whynot::cli::study {

/// Markdown. It says whether data existed when it was written.
std::string preregistration(const Design& design, const Plan& plan, const Assumptions& assumptions);

}  // namespace whynot::cli::study
