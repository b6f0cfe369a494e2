#pragma once

// Picture files made on the spot, for the tests and the fuzzer. No other code of whynot is used here.

#include <png.h>
#include <turbojpeg.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace whynot::drawing::test {

using namespace std::string_literals;

inline std::string big_endian(uint32_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
    return bytes;
}

inline uint32_t big_endian(std::string_view bytes) {
    uint32_t value = 0;
    for (const unsigned char byte : bytes.substr(0, 4)) value = value << 8 | byte;
    return value;
}

/// The checksum of a PNG chunk.
inline uint32_t crc(std::string_view bytes) {
    uint32_t value = 0xFFFFFFFF;
    for (const unsigned char byte : bytes) {
        value ^= byte;
        for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320 ^ value >> 1 : value >> 1;
    }
    return ~value;
}

inline std::string chunk(const std::string& name, const std::string& data) {
    return big_endian(static_cast<uint32_t>(data.size())) + name + data + big_endian(crc(name + data));
}

/// A PNG file with a chunk before its chunk `before`.
inline std::string with_chunk(std::string png, const std::string& name, const std::string& data, const std::string& before = "IDAT") {
    return png.insert(png.find(before) - 4, chunk(name, data));
}

/// What a PNG file says of itself, with nothing behind it.
inline std::string png_header(uint32_t width, uint32_t height) {
    return "\x89PNG\r\n\x1A\n"s + chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\x00\x00\x00\x00"s) + chunk("IDAT", "") +
           chunk("IEND", "");
}

struct PngKind {
    int colour_type = PNG_COLOR_TYPE_GRAY;
    int depth = 8;
    bool interlaced = false;
    std::vector<png_color> palette = {};
    std::vector<png_byte> opacity = {};  ///< of the palette's first colours
    int compression = 6;
};

/// A PNG file of these packed rows, with libpng's full interface, which can write what whynot only reads.
inline std::string png_file(uint32_t width, uint32_t height, const PngKind& kind, std::vector<std::vector<uint8_t>> rows) {
    std::string bytes;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    const auto write = [](png_structp file, png_bytep data, png_size_t size) {
        static_cast<std::string*>(png_get_io_ptr(file))->append(reinterpret_cast<char*>(data), size);
    };
    png_set_write_fn(png, &bytes, write, [](png_structp) {});
    png_set_compression_level(png, kind.compression);
    png_set_IHDR(png, info, width, height, kind.depth, kind.colour_type, kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (!kind.palette.empty()) png_set_PLTE(png, info, kind.palette.data(), static_cast<int>(kind.palette.size()));
    if (!kind.opacity.empty()) png_set_tRNS(png, info, kind.opacity.data(), static_cast<int>(kind.opacity.size()), nullptr);
    png_write_info(png, info);
    std::vector<png_bytep> pointers;
    for (auto& row : rows) pointers.push_back(row.data());
    png_write_image(png, pointers.data());
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return bytes;
}

/// A JPEG file of quality 95, no chroma subsampling but for `flags` and `format` of TurboJPEG.
inline std::string jpeg_file(int width, int height, int format, const std::vector<uint8_t>& bytes, int flags = 0) {
    const tjhandle encoder = tjInitCompress();
    unsigned char* out = nullptr;
    unsigned long size = 0;
    const int result = tjCompress2(encoder, bytes.data(), width, 0, height, format, &out, &size,
                                   format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 95, flags | TJFLAG_ACCURATEDCT);
    if (result != 0) std::abort();
    const std::string file(reinterpret_cast<char*>(out), size);
    tjFree(out);
    tjDestroy(encoder);
    return file;
}

/// The file with an EXIF segment that has an orientation only.
inline std::string with_orientation(std::string jpeg, int orientation) {
    const std::string tiff = "MM\0*\0\0\0\x08\0\x01"s + "\x01\x12\0\x03\0\0\0\x01\0"s + static_cast<char>(orientation) + "\0\0\0\0\0\0"s;
    const std::string exif = "Exif\0\0"s + tiff;
    const auto size = static_cast<uint32_t>(exif.size() + 2);
    return jpeg.insert(2, "\xFF\xE1"s + static_cast<char>(size >> 8) + static_cast<char>(size & 255) + exif);
}

}  // namespace whynot::drawing::test
