#pragma once

#include <cstdlib>
#include <filesystem>

namespace whynot::test {

/// The folder of real corpora, empty when there is none.
inline std::filesystem::path corpora() {
    const char* folder = std::getenv("WHYNOT_CORPORA");
    return folder == nullptr ? "" : folder;
}

}  // namespace whynot::test
