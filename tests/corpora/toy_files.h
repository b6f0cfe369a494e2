#pragma once

/// Corpora of the tests' own making: plain and gzip files, IDX arrays.

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace whynot::test {

inline void write(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << text;
}

inline void write_gzip(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    const gzFile file = gzopen(path.c_str(), "wb");
    ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    ASSERT_EQ(gzclose(file), Z_OK);
}

/// An IDX file of unsigned bytes.
inline std::string idx(const std::vector<uint32_t>& shape, const std::string& bytes) {
    std::string file("\0\0\x08", 3);
    file += static_cast<char>(shape.size());
    for (const uint32_t size : shape)
        for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(size >> shift & 255);
    return file + bytes;
}

/// `from` in `text`, once, made `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace whynot::test
