#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "whynot/export.h"

namespace whynot::internal {

/// A shared library's file, looked at before the loader maps it: the loader believes what a file says of itself, and of one that was cut
/// short it maps pages that are not there, which ends the process with the first of them that is touched.
class WHYNOT_API ElfFile {
public:
    /// Throws `bad_plugin` for what is no whole shared library of this kind of machine; `not_found` or `io` where it cannot be read.
    explicit ElfFile(const std::filesystem::path& path);

    /// Names of the symbols that it defines for others.
    std::vector<std::string> exports() const;

private:
    [[noreturn]] void refuse(const std::string& sentence) const;
    template <class T>
    std::vector<T> table(uint64_t offset, uint64_t count) const;

    const std::filesystem::path path_;
    base::InputFile file_;
    uint64_t sections_ = 0, section_count_ = 0;
};

}  // namespace whynot::internal
