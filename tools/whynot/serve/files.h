#pragma once

/// The files of the explorer and of a study's page, which the build puts into the program: no folder has to be found, and no file can be named.

#include <string>

namespace whynot::cli {

struct File {
    std::string type, content;
};

/// Null: there is none at that path.
const File* file_at(const std::string& path);
const File* study_file_at(const std::string& path);

}  // namespace whynot::cli
