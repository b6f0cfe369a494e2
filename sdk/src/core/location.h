#pragma once

#include <filesystem>

#include "whynot/export.h"

namespace whynot {

/// The folder of the shared library that holds this code, without symbolic links: where an installation or build tree is.
std::filesystem::path library_directory();

/// DATADIR/whynot of the installation or build tree that this library belongs to: packs, schemas, the template of plugins.
WHYNOT_API std::filesystem::path data_directory();

}  // namespace whynot
