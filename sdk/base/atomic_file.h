#pragma once

/// Writing files whole or not at all.

#include <filesystem>
#include <string>
#include <string_view>

namespace whynot::base {

/// A file that appears under its name, replacing an older one, only when `commit` is called: it is written beside its place, flushed
/// to the disk and renamed. Whatever fails throws `io` with the system's words; the destructor removes what was not committed.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::string_view bytes);
    void commit();

private:
    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int descriptor_ = -1;
};

/// A hidden name beside `path` that no other writer uses now.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

/// Writes everything to an open descriptor; `io`, naming `path`, on whatever stops it.
void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path);

/// Makes what a file or folder holds survive a power cut.
void flush_to_disk(const std::filesystem::path& path);

}  // namespace whynot::base
