#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/text.h"

namespace whynot::base {

Error file_error(const std::string& what, const std::filesystem::path& path, int error_number) {
    const bool missing = error_number == ENOENT || error_number == ENOTDIR;
    return Error(missing ? ErrorCode::not_found : ErrorCode::io,
                 "cannot " + what + " " + escape_controls(path.string()) + ": " + std::generic_category().message(error_number));
}

InputFile::InputFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    if (descriptor_ < 0) throw file_error("read", path, errno);
    struct stat status;
    const bool known = fstat(descriptor_, &status) == 0;
    if (known && S_ISREG(status.st_mode)) {
        size_ = static_cast<uint64_t>(status.st_size);
        identity_ = {static_cast<int64_t>(status.st_dev), static_cast<int64_t>(status.st_ino), status.st_size, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec};
        return;
    }
    const int error_number = errno;
    close(descriptor_);
    if (!known) throw file_error("read", path, error_number);
    throw Error(ErrorCode::io, "cannot read " + escape_controls(path.string()) + ": expected a regular file, found " +
                                   (S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket"));
}

InputFile::~InputFile() { close(descriptor_); }

size_t InputFile::read_some(void* data, size_t count) {
    for (;;) {
        const ssize_t got = ::read(descriptor_, data, count);
        if (got >= 0) return static_cast<size_t>(got);
        if (errno != EINTR) throw file_error("read", path_, errno);
    }
}

void InputFile::read(void* data, size_t count) {
    char* to = static_cast<char*>(data);
    while (count > 0) {
        const size_t got = read_some(to, count);
        if (got == 0) throw Error(ErrorCode::io, "cannot read " + escape_controls(path_.string()) + ": it became shorter while being read");
        to += got;
        count -= got;
    }
}

void InputFile::read_at(uint64_t offset, void* data, size_t count) const {
    char* to = static_cast<char*>(data);
    while (count > 0) {
        const ssize_t got = pread(descriptor_, to, count, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw file_error("read", path_, errno);
        if (got == 0) throw Error(ErrorCode::io, "cannot read " + escape_controls(path_.string()) + ": it became shorter while being read");
        to += got;
        offset += static_cast<uint64_t>(got);
        count -= static_cast<size_t>(got);
    }
}

std::string read_file(const std::filesystem::path& path, uint64_t limit, ErrorCode code) {
    InputFile file(path);
    if (file.size() > limit)
        throw Error(code, escape_controls(path.string()) + " has " + std::to_string(file.size()) + " bytes; at most " +
                              std::to_string(limit) + " are expected of it");
    std::string bytes(file.size(), '\0');
    file.read(bytes.data(), bytes.size());
    return bytes;
}

}  // namespace whynot::base
