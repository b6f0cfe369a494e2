#pragma once

/// What commands share that take minutes.

#include <filesystem>
#include <string>

#include "console/terminal.h"
#include "whynot/progress.h"

namespace whynot::cli {

/// A variable of the environment; empty where it is not set.
std::string variable(const char* name);

/// For what takes long to make and is the same each time: made by whoever keeps something there. Empty where the environment names no
/// place: then nothing is kept.
std::filesystem::path cache_folder();

/// Shows progress as a bar, logs above it, and stops at a signal. `status` must outlive it.
Observer observer(StatusLine& status);

}  // namespace whynot::cli
