#pragma once

#include <filesystem>

namespace whynot::internal {

/// The folder of the shared library that holds this code, without symbolic links: where an installation or build tree is.
std::filesystem::path library_directory();

}  // namespace whynot::internal
