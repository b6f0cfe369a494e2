#pragma once

/// What the environment says. Threads: reads it only.

#include <filesystem>
#include <string>

namespace whynot::cli {

/// A variable of the environment; empty where it is not set.
std::string variable(const char* name);

/// For what takes long to make and is the same each time: made by whoever keeps something there. Empty where the environment names no
/// place: then nothing is kept.
std::filesystem::path cache_folder();

}  // namespace whynot::cli
