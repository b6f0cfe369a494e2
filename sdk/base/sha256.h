#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace whynot::base {

class InputFile;

/// SHA-256 of what is fed to it, in pieces. OpenSSL does the work.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    void update(std::string_view bytes);
    /// 64 hexadecimal digits, lower case. Once only.
    std::string hex();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);

/// Of a regular file's contents; errors as in `InputFile`.
std::string sha256_of_file(const std::filesystem::path& path);
/// Of an open file, from where it is read on.
std::string sha256_of_file(InputFile& file);

/// Whether the text is a checksum as we write them.
bool is_sha256(std::string_view text) noexcept;

}  // namespace whynot::base
