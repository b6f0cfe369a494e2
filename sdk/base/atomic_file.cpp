#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "base/text.h"

namespace whynot::base {
namespace fs = std::filesystem;

namespace {

Error writing_error(const fs::path& path, int error_number) { return Error(ErrorCode::io, file_error("write", path, error_number).what()); }

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

fs::path temporary_beside(const fs::path& path) {
    static std::atomic<unsigned> counter{0};
    for (;;) {
        const std::string name = "." + path.filename().string() + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
        const fs::path candidate = folder_of(path) / name;
        std::error_code ignored;
        if (!fs::exists(fs::symlink_status(candidate, ignored))) return candidate;
    }
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count >= 0)
            bytes.remove_prefix(static_cast<size_t>(count));
        else if (errno != EINTR)
            throw writing_error(path, errno);
    }
}

void flush_to_disk(const fs::path& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw writing_error(path, errno);
    const int failed = fsync(descriptor) != 0 ? errno : 0;
    close(descriptor);
    // Some file systems cannot flush folders and say EINVAL; there is nothing to be done about that.
    if (failed != 0 && failed != EINVAL) throw writing_error(path, failed);
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path) {
    std::error_code ignored;
    const fs::file_status found = fs::status(path, ignored);
    if (fs::exists(found) && !fs::is_regular_file(found))  // renaming over /dev/full would replace the device
        throw Error(ErrorCode::io, "cannot write " + escape_controls(path.string()) + ": something that is no regular file is there");
    temporary_ = temporary_beside(path);
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw writing_error(path, errno);
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) { write_all(descriptor_, bytes, path_); }

void AtomicFile::commit() {
    if (fsync(descriptor_) != 0) throw writing_error(path_, errno);
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (close(descriptor) != 0) throw writing_error(path_, errno);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw writing_error(path_, errno);
    temporary_.clear();
    flush_to_disk(folder_of(path_));
}

}  // namespace whynot::base
