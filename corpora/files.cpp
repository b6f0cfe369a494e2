#include "corpora/files.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "whynot/error.h"

namespace whynot::corpora {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void too_large(const fs::path& path, uint64_t limit) {
    throw Error(ErrorCode::invalid_input, path.string() + " holds more than " + std::to_string(limit) +
                                              " bytes (uncompressed), the limit for a file of a corpus; split it, or fetch it again");
}

std::string read_plain(const fs::path& path, uint64_t limit, const Watch& watch) {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    std::array<char, 1 << 16> buffer;
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
        text.append(buffer.data(), static_cast<size_t>(in.gcount()));
        if (text.size() > limit) too_large(path, limit);
        if (watch) watch();
    }
    if (in.bad() || !in.is_open()) throw Error(ErrorCode::io, "cannot read " + path.string() + ": " + std::strerror(errno));
    return text;
}

/// @param plain_too what is no gzip file is read as it is
std::string read_gzip(const fs::path& path, uint64_t limit, bool plain_too, const Watch& watch) {
    const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (!file) throw Error(ErrorCode::io, "cannot read " + path.string() + ": " + std::strerror(errno));
    gzbuffer(file.get(), 1 << 17);
    std::string text;
    std::array<char, 1 << 16> buffer;
    int got = 0;
    while ((got = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
        text.append(buffer.data(), static_cast<size_t>(got));
        if (text.size() > limit) too_large(path, limit);
        if (watch) watch();
    }
    int status = Z_OK;
    const char* message = gzerror(file.get(), &status);
    if (status != Z_OK || got < 0)
        throw Error(ErrorCode::io, path.string() + " is a damaged or truncated gzip file (" + message + "); fetch it again");
    if (!plain_too && gzdirect(file.get()) != 0)
        throw Error(ErrorCode::io, path.string() + " is no gzip file although its name ends with .gz; fetch it again");
    return text;
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit, const Watch& watch) {
    const bool zipped = path.extension() == ".gz";
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return zipped ? read_gzip(path, limit, false, watch) : read_plain(path, limit, watch);
    fs::path plain = path;
    if (zipped && fs::is_regular_file(plain.replace_extension(), ignored)) return read_plain(plain, limit, watch);
    throw Error(ErrorCode::not_found, "the corpus file " + path.string() + " is missing" + (zipped ? ", and so is " + plain.string() : "") +
                                          "; 'whynot corpus fetch' gets it where it can be had, and corpora/README.md says more");
}

std::string read_content(const fs::path& path, uint64_t limit) { return read_gzip(path, limit, true, {}); }

std::string gzip(std::string_view content) {
    z_stream stream{};
    constexpr int as_gzip = 15 + 16;  // the largest window, and a header that holds neither name nor time
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, as_gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw Error(ErrorCode::internal, "zlib could not start");
    std::string result;
    std::array<char, 1 << 16> buffer;
    int status = Z_OK;
    while (status == Z_OK) {
        if (stream.avail_in == 0) {  // zlib counts in 32 bits
            const std::string_view piece = content.substr(0, 1 << 30);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
            stream.avail_in = static_cast<uInt>(piece.size());
            content.remove_prefix(piece.size());
        }
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        status = deflate(&stream, content.empty() ? Z_FINISH : Z_NO_FLUSH);
        result.append(buffer.data(), buffer.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw Error(ErrorCode::internal, "zlib could not compress");
    return result;
}

void bad(const fs::path& path, const std::string& what) { throw Error(ErrorCode::invalid_input, path.string() + ": " + what); }

bool stays_inside(const fs::path& path) {
    return !path.empty() && path.is_relative() &&
           std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part.empty() || part == "." || part == ".."; });
}

std::string url_path(std::string_view path) {
    std::string text;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("/-._~").find(c) != std::string_view::npos;
        text += plain ? std::string(1, c) : std::string("%") + "0123456789ABCDEF"[byte >> 4] + "0123456789ABCDEF"[byte & 15];
    }
    return text;
}

}  // namespace whynot::corpora
