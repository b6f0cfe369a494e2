// Reads thousands of damaged picture files with the sanitizers watching. Each is a valid file of some kind, changed at random, always the
// same way: whatever comes must be refused with an Error or become a whole picture. Prints the seed of a case that fails.
//
//     fuzz [CASES [FIRST]]

#include <cstdio>
#include <exception>
#include <random>

#include "drawing/image_file.h"
#include "plugins/drawing/samples.h"
#include "whynot/error.h"

namespace {

using namespace whynot::drawing::test;

/// One file of each kind, of a pattern with edges and slopes.
std::vector<std::string> seeds() {
    constexpr int width = 23, height = 19;
    std::vector<std::string> files;
    const auto pattern = [&](int bytes) {
        std::vector<std::vector<uint8_t>> rows(height, std::vector<uint8_t>(bytes));
        for (int y = 0; y < height; ++y) {
            for (int i = 0; i < bytes; ++i) rows[y][i] = static_cast<uint8_t>(y < 9 ? 7 * i + 11 * y : i % 5 * 60);
        }
        return rows;
    };
    const std::vector<png_color> palette = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 99, 199}};
    auto indices = pattern(width);
    for (auto& row : indices) {
        for (auto& index : row) index = static_cast<uint8_t>(index % palette.size());
    }
    for (const int compression : {0, 6}) {  // without compression most damage reaches the pixels
        for (const bool interlaced : {false, true}) {
            const auto add = [&](int type, int depth, std::vector<std::vector<uint8_t>> rows) {
                PngKind kind{type, depth, interlaced};
                kind.compression = compression;
                if (type == PNG_COLOR_TYPE_PALETTE) {
                    kind.palette = palette;
                    kind.opacity = {128, 255, 0};
                }
                files.push_back(png_file(width, height, kind, std::move(rows)));
            };
            add(PNG_COLOR_TYPE_GRAY, 1, pattern((width + 7) / 8));
            add(PNG_COLOR_TYPE_GRAY, 8, pattern(width));
            add(PNG_COLOR_TYPE_GRAY, 16, pattern(2 * width));
            add(PNG_COLOR_TYPE_GRAY_ALPHA, 8, pattern(2 * width));
            add(PNG_COLOR_TYPE_RGB, 8, pattern(3 * width));
            add(PNG_COLOR_TYPE_RGB_ALPHA, 16, pattern(8 * width));
            add(PNG_COLOR_TYPE_PALETTE, 8, indices);
        }
    }
    files.push_back(with_chunk(files[1], "gAMA", big_endian(100000u)));
    files.push_back(with_chunk(files[4], "acTL", big_endian(3u) + big_endian(0u)));
    files.push_back(with_chunk(files[4], "tRNS", "\0\x01\0\x02\0\x03"s));
    files.push_back(with_chunk(with_chunk(files[2], "bKGD", "\x12\x34"s), "sBIT", "\x0C"s));

    std::vector<uint8_t> pixels(width * height * 4);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i / 7);
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
        files.push_back(jpeg_file(width, height, TJPF_GRAY, pixels, flags));
        files.push_back(jpeg_file(width, height, TJPF_RGB, pixels, flags));
        files.push_back(with_orientation(files.back(), 6));
        files.push_back(jpeg_file(width, height, TJPF_CMYK, pixels, flags));
    }
    return files;
}

/// Where the chunks of a PNG file begin, as far as they hang together.
std::vector<size_t> chunks_of(const std::string& png) {
    std::vector<size_t> starts;
    for (size_t at = 8; at + 12 <= png.size();) {
        starts.push_back(at);
        at += size_t{12} + big_endian(std::string_view(png).substr(at, 4));
    }
    return starts;
}

class Mutator {
public:
    explicit Mutator(uint32_t seed) : random_(seed) {}

    std::string operator()(const std::vector<std::string>& files) {
        std::string file = files[below(files.size())];
        for (size_t changes = below(2) ? 1 : 1 + below(4); changes > 0 && !file.empty(); --changes) change(file, files);
        // Most damaged chunks would be refused for their checksum alone, and nothing behind it be tried.
        if (file.rfind("\x89PNG", 0) == 0 && below(8) != 0) mend_checksums(file);
        return file;
    }

private:
    size_t below(size_t limit) { return random_() % limit; }  // not a distribution: those differ between libraries

    void change(std::string& file, const std::vector<std::string>& files) {
        const size_t at = below(file.size());
        const auto chunks = file.rfind("\x89PNG", 0) == 0 ? chunks_of(file) : std::vector<size_t>();
        switch (below(9)) {
            case 0: file[at] ^= static_cast<char>(1 << below(8)); break;
            case 1: file[at] = static_cast<char>(below(256)); break;
            case 2: file[at] = "\x00\x01\x7F\x80\xFF"[below(5)]; break;
            case 3: file.resize(at); break;
            case 4: file.erase(at, 1 + below(8)); break;
            case 5: file.insert(at, file.substr(below(file.size()), 1 + below(40))); break;
            case 6: {
                const auto& other = files[below(files.size())];
                file = file.substr(0, at) + other.substr(below(other.size()));
                break;
            }
            case 7:  // the header: sizes, depths, tables
                file[std::min<size_t>(at, below(48))] = static_cast<char>(below(256));
                break;
            case 8:
                if (chunks.empty()) {  // the length of a JPEG segment
                    const size_t marker = file.find('\xFF', at);
                    if (marker != std::string::npos && marker + 3 < file.size()) file[marker + 3] = static_cast<char>(below(256));
                } else {
                    const size_t start = chunks[below(chunks.size())];
                    const auto length = big_endian(std::string_view(file).substr(start, 4));
                    const uint32_t lengths[] = {0, length - 1, length + 1, length / 2, 0x7FFFFFFF, 0xFFFFFFFF, uint32_t(random_())};
                    file.replace(start, 4, big_endian(lengths[below(7)]));
                }
                break;
        }
    }

    static void mend_checksums(std::string& png) {
        for (const size_t start : chunks_of(png)) {
            const size_t length = big_endian(std::string_view(png).substr(start, 4));
            if (start + 12 + length > png.size()) return;
            png.replace(start + 8 + length, 4, big_endian(crc(std::string_view(png).substr(start + 4, 4 + length))));
        }
    }

    std::mt19937 random_;
};

/// Whether the file was read, or refused; anything else throws.
bool read(const std::string& file) {
    whynot::drawing::Notes notes;
    whynot::Picture picture;
    try {
        // Of its exact size, so that a byte too far is seen.
        const std::vector<char> bytes(file.begin(), file.end());
        picture = whynot::drawing::read_image_file({bytes.data(), bytes.size()}, notes);
    } catch (const whynot::Error& error) {
        if (error.code() != whynot::ErrorCode::invalid_input || std::string_view(error.what()).size() < 20) throw;
        return false;
    }
    whynot::drawing::check_picture(picture);
    if (picture.width * picture.height > whynot::drawing::max_pixels) throw std::runtime_error("more pixels than allowed");
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    const uint32_t cases = count > 1 ? static_cast<uint32_t>(std::atoi(arguments[1])) : 40000;
    const uint32_t first = count > 2 ? static_cast<uint32_t>(std::atoi(arguments[2])) : 0;
    const auto files = seeds();
    size_t whole = 0;
    for (const auto& file : files) whole += read(file);
    if (whole != files.size() - 6) {  // all but the two of inks and the four interlaced of 16 bits
        std::fprintf(stderr, "of %zu sound files %zu were read\n", files.size(), whole);
        return 1;
    }
    size_t pictures = 0;
    for (uint32_t seed = first; seed < first + cases; ++seed) {
        try {
            pictures += read(Mutator(seed)(files));
        } catch (const std::exception& error) {
            std::fprintf(stderr, "case %u: %s\n", seed, error.what());
            return 1;
        }
    }
    std::printf("%u damaged files: %zu read, the others refused\n", cases, pictures);
    return pictures > cases / 25 ? 0 : 1;  // were all refused, nothing but the beginning would have been tried
}
