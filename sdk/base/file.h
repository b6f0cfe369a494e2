#pragma once

/// Reading files that strangers made: regular files only (a pipe would wait for ever), with a bound on their size.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "whynot/error.h"

namespace whynot::base {

/// An error of the file system: "cannot <what> <path>: <the system's words for errno>". `not_found` for ENOENT and ENOTDIR, else `io`.
Error file_error(const std::string& what, const std::filesystem::path& path, int error_number);

class InputFile {
public:
    /// Throws `not_found` or `io`.
    explicit InputFile(const std::filesystem::path& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    uint64_t size() const noexcept { return size_; }

    /// Which file this is, and when it was last changed: device, inode, size, seconds and nanoseconds. Another one after a change.
    const std::array<int64_t, 5>& identity() const noexcept { return identity_; }

    /// Up to `count` bytes; 0 at the end.
    size_t read_some(void* data, size_t count);

    /// Exactly `count` bytes; `io` when the file ends before.
    void read(void* data, size_t count);

    /// Exactly `count` bytes from `offset` on, wherever `read` is.
    void read_at(uint64_t offset, void* data, size_t count) const;

private:
    std::filesystem::path path_;
    int descriptor_;
    uint64_t size_ = 0;
    std::array<int64_t, 5> identity_{};
};

/// A whole file; `code` (as a rule `bad_pack` or `invalid_input`) when it has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit, ErrorCode code);

}  // namespace whynot::base
