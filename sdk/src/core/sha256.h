#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "whynot/export.h"

namespace whynot {

/// SHA-256 of what is fed to it, in pieces. OpenSSL does the work.
class WHYNOT_API Sha256 {
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

WHYNOT_API std::string sha256_hex(std::string_view bytes);

/// Of a regular file's contents; errors as in `InputFile`.
WHYNOT_API std::string sha256_of_file(const std::filesystem::path& path);

/// Whether the text is a checksum as we write them.
WHYNOT_API bool is_sha256(std::string_view text) noexcept;

}  // namespace whynot
