#include "drawing/image_file.h"

#include <gif_lib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>

#include "plugins/drawing/samples.h"
#include "whynot/error.h"

namespace whynot::drawing {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

template <typename Action>
std::string refusal(Action action, ErrorCode code = ErrorCode::invalid_input) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code);
        return error.what();
    }
    return "nothing was thrown";
}

std::string refusal_of(const std::string& file) {
    Notes notes;
    return refusal([&] { read_image_file(file, notes); });
}

Picture read(const std::string& file) {
    Notes notes;
    auto picture = read_image_file(file, notes);
    EXPECT_THAT(notes, IsEmpty());
    check_picture(picture);
    return picture;
}

void expect_same(const Picture& a, const Picture& b) {
    EXPECT_EQ(a.width, b.width);
    EXPECT_EQ(a.height, b.height);
    EXPECT_EQ(a.channels, b.channels);
    EXPECT_EQ(a.bytes, b.bytes);
}

Picture noise(int64_t width, int64_t height, int64_t channels) {
    std::mt19937 random(7);
    Picture picture{width, height, channels, {}};
    for (int64_t i = 0; i < width * height * channels; ++i) picture.bytes.push_back(static_cast<uint8_t>(random() >> 24));
    return picture;
}

/// A smooth picture, such as JPEG keeps well: lighter to the right and, less, downwards.
Picture slope(int64_t width, int64_t height, int64_t channels) {
    Picture picture{width, height, channels, {}};
    for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
            for (int64_t c = 0; c < channels; ++c)
                picture.bytes.push_back(static_cast<uint8_t>(40 + 150 * x / width + 60 * y / height - 15 * c));
        }
    }
    return picture;
}

// --- PNG -------------------------------------------------------------------------------------------------------------

TEST(Png, ComesBackAsItWasWritten) {
    for (const int64_t channels : {1, 2, 3, 4}) {
        for (const auto& size : {std::pair(1, 1), std::pair(1, 9), std::pair(28, 28), std::pair(113, 31)}) {
            const auto picture = noise(size.first, size.second, channels);
            const auto file = to_png(picture);
            expect_same(read(file), picture);
            EXPECT_EQ(to_png(picture), file);
        }
    }
}

TEST(Png, OfFewBitsBecomesBytesOfTheFullRange) {
    for (const bool interlaced : {false, true}) {
        expect_same(read(png_file(10, 2, {PNG_COLOR_TYPE_GRAY, 1, interlaced}, {{0b10110010, 0b01000000}, {0xFF, 0xFF}})),
                    {10, 2, 1, {255, 0, 255, 255, 0, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}});
        expect_same(read(png_file(4, 1, {PNG_COLOR_TYPE_GRAY, 2, interlaced}, {{0b00011011}})), {4, 1, 1, {0, 85, 170, 255}});
        expect_same(read(png_file(3, 1, {PNG_COLOR_TYPE_GRAY, 4, interlaced}, {{0x07, 0xF0}})), {3, 1, 1, {0, 119, 255}});
    }
}

TEST(Png, Of16BitsIsReadAsTheSamePictureOf8) {
    const auto eight = noise(17, 5, 1);
    std::vector<std::vector<uint8_t>> grey, coloured;
    for (int64_t y = 0; y < 5; ++y) {
        grey.emplace_back();
        coloured.emplace_back();
        for (int64_t x = 0; x < 17; ++x) {
            const uint8_t byte = eight.bytes[y * 17 + x];
            grey.back().insert(grey.back().end(), {byte, byte});
            coloured.back().insert(coloured.back().end(), {byte, byte, 7, 7, 255, 255});
        }
    }
    expect_same(read(png_file(17, 5, {PNG_COLOR_TYPE_GRAY, 16}, grey)), eight);
    const auto picture = read(png_file(17, 5, {PNG_COLOR_TYPE_RGB, 16}, coloured));
    for (size_t i = 0; i < eight.bytes.size(); ++i) {
        EXPECT_EQ(picture.bytes[3 * i], eight.bytes[i]);
        EXPECT_EQ(picture.bytes[3 * i + 1], 7);
        EXPECT_EQ(picture.bytes[3 * i + 2], 255);
    }
}

TEST(Png, Of16BitsAndInterlacedIsRefused) {
    const std::vector<std::vector<uint8_t>> rows(3, std::vector<uint8_t>(3 * 6, 7));
    const auto file = png_file(3, 3, {PNG_COLOR_TYPE_RGB, 16, true}, rows);
    EXPECT_THAT(refusal_of(file), HasSubstr("without interlacing"));
    // libpng would read it with a chunk of any name before its header, where that header was not looked for.
    EXPECT_THAT(refusal_of(std::string(file).insert(8, chunk("abCd", std::string(40, '\1')))),
                HasSubstr("its header is not at its beginning"));
}

TEST(Png, WithAPaletteBecomesItsColours) {
    PngKind kind{PNG_COLOR_TYPE_PALETTE, 8, false, {{1, 2, 3}, {40, 50, 60}, {255, 0, 128}}};
    expect_same(read(png_file(3, 1, kind, {{2, 0, 1}})), {3, 1, 3, {255, 0, 128, 1, 2, 3, 40, 50, 60}});
    kind.opacity = {0, 77};
    expect_same(read(png_file(3, 1, kind, {{2, 0, 1}})), {3, 1, 4, {255, 0, 128, 255, 1, 2, 3, 0, 40, 50, 60, 77}});
}

TEST(Png, InterlacedIsTheSamePicture) {
    const auto picture = noise(19, 11, 3);
    std::vector<std::vector<uint8_t>> rows;
    for (int64_t y = 0; y < 11; ++y) rows.emplace_back(picture.bytes.begin() + y * 57, picture.bytes.begin() + (y + 1) * 57);
    expect_same(read(png_file(19, 11, {PNG_COLOR_TYPE_RGB, 8, true}, rows)), picture);
}

TEST(Png, OfAnotherGammaIsTurnedIntoSrgb) {
    const auto plain = png_file(3, 1, {}, {{0, 128, 255}});
    expect_same(read(with_chunk(plain, "gAMA", big_endian(45455))), {3, 1, 1, {0, 128, 255}});  // 1 / 2.2: sRGB already
    // 1: the numbers measure light; half the light is 188 in sRGB.
    const auto linear = read(with_chunk(plain, "gAMA", big_endian(100000)));
    EXPECT_EQ(linear.bytes[0], 0);
    EXPECT_NEAR(linear.bytes[1], 188, 2);  // libpng takes 1 / 2.2 for the curve of sRGB
    EXPECT_EQ(linear.bytes[2], 255);
}

TEST(Png, OfSeveralPicturesGivesTheFirstAndSaysSo) {
    const auto picture = noise(9, 9, 3);
    const auto animation = with_chunk(to_png(picture), "acTL", big_endian(12) + big_endian(0));
    Notes notes;
    expect_same(read_image_file(animation, notes), picture);
    EXPECT_THAT(notes, ElementsAre("an animation: its first picture was taken"));
    read(with_chunk(to_png(picture), "acTL", big_endian(1) + big_endian(0)));  // of one: no animation
    read(with_chunk(to_png(picture), "acTL", ""));
}

TEST(Png, CutAnywhereIsRefused) {
    const auto picture = noise(20, 20, 3);
    const auto file = to_png(picture);
    const size_t end = file.find("IEND") - 4;
    for (size_t size = 4; size < end; ++size) {
        const auto message = refusal_of(file.substr(0, size));
        ASSERT_THAT(message, StartsWith("expected a whole PNG picture, found one that is truncated or damaged (")) << size;
        ASSERT_THAT(message, HasSubstr("save or copy it again"));
    }
    expect_same(read(file.substr(0, end)), picture);  // all of the picture is there
}

TEST(Png, WithAWrongByteIsRefusedOrTheSamePicture) {
    const auto picture = noise(20, 20, 3);
    const auto file = to_png(picture);
    size_t refused = 0;
    for (size_t i = 0; i < file.size(); ++i) {
        auto damaged = file;
        damaged[i] ^= 0x10;
        try {
            Notes notes;
            expect_same(read_image_file(damaged, notes), picture);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_input);
            ++refused;
        }
    }
    EXPECT_GT(refused, file.size() * 9 / 10);
}

TEST(Png, TooLargeIsRefusedFromItsHeader) {
    EXPECT_EQ(refusal_of(png_header(30000, 30000)),
              "expected a picture of at most 64 million pixels, found 30000 x 30000; make it smaller");
    EXPECT_THAT(refusal_of(png_header(1000000, 1000000)), HasSubstr("at most 64 million"));
    EXPECT_THAT(refusal_of(png_header(64000001, 1)), StartsWith("expected"));
    EXPECT_THAT(refusal_of(png_header(0, 5)), HasSubstr("damaged"));
    EXPECT_THAT(refusal_of(png_header(0xFFFFFFFF, 5)), HasSubstr("damaged"));
}

TEST(Png, IsNotMadeOfWhatIsNoPicture) {
    const auto code = ErrorCode::invalid_argument;
    for (const Picture& picture : {Picture{}, Picture{2, 2, 1, {1, 2, 3}}, Picture{1, 1, 5, {1, 2, 3, 4, 5}}, Picture{-1, -1, 1, {1}},
                                   Picture{int64_t{1} << 62, 4, 1, {}}, Picture{1, int64_t{1} << 62, 4, {}}}) {
        EXPECT_THAT(refusal([&] { to_png(picture); }, code), HasSubstr("1 to 4 channels with a byte for each"));
    }
}

// --- JPEG ------------------------------------------------------------------------------------------------------------

TEST(Jpeg, IsReadWithinWhatItsCompressionLoses) {
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
        for (const int64_t channels : {1, 3}) {
            const auto picture = slope(50, 37, channels);
            const auto back = read(jpeg_file(50, 37, channels == 1 ? TJPF_GRAY : TJPF_RGB, picture.bytes, flags));
            ASSERT_EQ(back.bytes.size(), picture.bytes.size());
            EXPECT_EQ(back.channels, channels);
            EXPECT_EQ(back.width, 50);
            for (size_t i = 0; i < back.bytes.size(); ++i) ASSERT_NEAR(back.bytes[i], picture.bytes[i], 6);
        }
    }
}

/// Where the dark corner of a picture is: "top left", ...
std::string dark_corner(const Picture& picture) {
    const auto at = [&](int64_t y, int64_t x) { return picture.bytes[(y * picture.width + x) * picture.channels]; };
    const int64_t bottom = picture.height - 1, right = picture.width - 1;
    for (const int64_t y : {int64_t{0}, bottom}) {
        for (const int64_t x : {int64_t{0}, right}) {
            if (at(y, x) < 60) return std::string(y ? "bottom" : "top") + (x ? " right" : " left");
        }
    }
    return "none";
}

TEST(Jpeg, IsTurnedUpright) {
    // Lighter to the right by much and downwards by less: upright, for every orientation, is what the standard's table says.
    const auto stored = slope(60, 40, 3);
    const auto file = jpeg_file(60, 40, TJPF_RGB, stored.bytes);
    const auto plain = read(file);
    const auto value = [](const Picture& picture, int64_t y, int64_t x) {
        return picture.bytes[(y * picture.width + x) * picture.channels];
    };
    const std::vector<std::string> corners = {"top left", "top right", "bottom right", "bottom left",
                                              "top left", "top right", "bottom right", "bottom left"};
    for (int orientation = 1; orientation <= 8; ++orientation) {
        Notes notes;
        const auto upright = read_image_file(with_orientation(file, orientation), notes);
        EXPECT_EQ(notes, orientation == 1 ? Notes{} : Notes{"turned upright as the camera's orientation says"});
        EXPECT_EQ(upright.width, orientation <= 4 ? 60 : 40);
        EXPECT_EQ(upright.height, orientation <= 4 ? 40 : 60);
        EXPECT_EQ(dark_corner(upright), corners[orientation - 1]) << orientation;
        // The stored row 0 is the upright top, bottom, left or right: its two ends say which way it runs.
        const int64_t b = upright.height - 1, r = upright.width - 1;
        const std::vector<std::pair<int, int>> row_ends[] = {{{0, 0}, {0, r}}, {{0, r}, {0, 0}}, {{b, r}, {b, 0}}, {{b, 0}, {b, r}},
                                                             {{0, 0}, {b, 0}}, {{0, r}, {b, r}}, {{b, r}, {0, r}}, {{b, 0}, {0, 0}}};
        const auto& ends = row_ends[orientation - 1];
        EXPECT_EQ(value(upright, ends[0].first, ends[0].second), value(plain, 0, 0)) << orientation;
        EXPECT_EQ(value(upright, ends[1].first, ends[1].second), value(plain, 0, 59)) << orientation;
    }
    expect_same(read(with_orientation(file, 0)), plain);
    expect_same(read(with_orientation(file, 9)), plain);
}

TEST(Jpeg, IsTurnedUprightWhereverItsExifStands) {
    const auto turned = with_orientation(jpeg_file(60, 40, TJPF_RGB, slope(60, 40, 3).bytes), 6);
    Notes notes;
    const auto expected = read_image_file(turned, notes);
    const std::string comment = "\xFF\xFE\0\x07hello"s, other_exif = "\xFF\xE1\0\x1Ehttp://ns.adobe.com/xap/1.0/"s, padding = "\xFF\xFF"s;
    for (const std::string& before : {comment, other_exif, comment + other_exif, padding + comment.substr(1)}) {
        auto file = turned;
        file.insert(2, before);
        expect_same(read_image_file(file, notes), expected);
    }
}

TEST(Png, IsTurnedUprightAsJpegIs) {
    const auto stored = slope(60, 40, 3);
    const auto png = to_png(stored), jpeg = jpeg_file(60, 40, TJPF_RGB, stored.bytes);
    const auto number = [](uint32_t value) {
        return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                           static_cast<char>(value)};
    };
    for (int orientation = 1; orientation <= 8; ++orientation) {
        const auto marked = with_orientation(jpeg, orientation);
        const size_t begin = marked.find("Exif") + 6;
        const std::string exif = "eXIf" + marked.substr(begin, marked.size() - jpeg.size() - (begin - 2));
        const auto crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(exif.data()), static_cast<uInt>(exif.size())));
        const std::string chunk = number(static_cast<uint32_t>(exif.size() - 4)) + exif + number(crc);
        for (const size_t place : {size_t{33}, png.size() - 12}) {  // behind the header, and before the end
            auto file = png;
            file.insert(place, chunk);
            Notes notes;
            const auto upright = read_image_file(file, notes);
            EXPECT_EQ(notes, orientation == 1 ? Notes{} : Notes{"turned upright as the camera's orientation says"});
            EXPECT_EQ(dark_corner(upright), dark_corner(read_image_file(marked, notes))) << orientation;
            EXPECT_EQ(upright.width, orientation <= 4 ? 60 : 40);
        }
    }
}

TEST(Png, OfApplesOwnKindIsNamed) {
    auto file = to_png(noise(9, 9, 3));
    file.insert(8, "\0\0\0\x04"s + "CgBI\x50\0\x20\x02\x2B\xD5\xB3\x7F"s);
    EXPECT_THAT(refusal_of(file), HasSubstr("(CgBI)"));
}

TEST(Jpeg, WithoutItsEndIsReadWithANote) {
    const auto file = jpeg_file(24, 24, TJPF_RGB, noise(24, 24, 3).bytes);
    Notes notes;
    expect_same(read_image_file(file.substr(0, file.size() - 2), notes), read(file));
    EXPECT_THAT(notes, ElementsAre(HasSubstr("without JPEG's mark of the end")));
    const auto progressive = jpeg_file(24, 24, TJPF_RGB, noise(24, 24, 3).bytes, TJFLAG_PROGRESSIVE);
    EXPECT_THAT(refusal_of(progressive.substr(0, progressive.size() - 2)), HasSubstr("truncated")) << "a finer scan may be missing";
}

TEST(Jpeg, BearsABrokenExifSegment) {
    const auto picture = slope(16, 16, 1);
    const auto file = jpeg_file(16, 16, TJPF_GRAY, picture.bytes);
    const auto turned = with_orientation(file, 6);
    for (size_t i = 12; i < turned.size() - file.size() + 2; ++i) {
        for (const int byte : {0, 1, 8, 0x7F, 0xFF}) {
            auto damaged = turned;
            damaged[i] = static_cast<char>(byte);
            Notes notes;
            check_picture(read_image_file(damaged, notes));
        }
    }
}

TEST(Jpeg, CutAnywhereIsRefused) {
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
        const auto file = jpeg_file(24, 24, TJPF_RGB, noise(24, 24, 3).bytes, flags);
        for (size_t size = 3; size < file.size() - 2; ++size) {
            ASSERT_THAT(refusal_of(file.substr(0, size)),
                        StartsWith("expected a whole JPEG picture, found one that is truncated or damaged ("))
                << size << " of " << file.size();
        }
    }
}

TEST(Jpeg, OfInksIsRefused) {
    EXPECT_EQ(
        refusal_of(jpeg_file(8, 8, TJPF_CMYK, noise(8, 8, 4).bytes)),
        "expected a JPEG picture in grey or in red, green and blue, found one in the four inks of a printer (CMYK); convert it to RGB");
}

TEST(Jpeg, TooLargeIsRefusedFromItsHeader) {
    auto file = jpeg_file(8, 8, TJPF_GRAY, noise(8, 8, 1).bytes);
    const size_t frame = file.find("\xFF\xC0");
    file.replace(frame + 5, 4, "\xEA\x60\xEA\x60");  // 60000; the format ends at 65500
    EXPECT_EQ(refusal_of(file), "expected a picture of at most 64 million pixels, found 60000 x 60000; make it smaller");
    file.replace(frame + 5, 4, "\0\x08\0\0"s);
    EXPECT_THAT(refusal_of(file), HasSubstr("damaged"));
}

TEST(Jpeg, OfTablesOnlyIsRefused) {
    auto file = jpeg_file(8, 8, TJPF_GRAY, noise(8, 8, 1).bytes);
    EXPECT_THAT(refusal_of(file.substr(0, file.find("\xFF\xC0")) + "\xFF\xD9"), HasSubstr("damaged"));
}

// --- anything else ---------------------------------------------------------------------------------------------------

TEST(ImageFile, SaysWhatItWasGivenInstead) {
    EXPECT_EQ(refusal_of(""), "expected a PNG or JPEG picture, found an empty file");
    EXPECT_EQ(refusal_of("This is no picture.\n"), "expected a PNG or JPEG picture, found text; is it the right file?");
    EXPECT_EQ(refusal_of("GIF89a..."),
              "expected a PNG or JPEG picture, found a GIF picture; make PNG of it: convert FILE FILE.png (package imagemagick)");
    EXPECT_THAT(refusal_of("RIFF\x10\0\0\0WEBPVP8 "s), HasSubstr("found a WebP picture"));
    EXPECT_THAT(refusal_of("BM\x46\0\0\0"s), HasSubstr("found a BMP picture"));
    EXPECT_THAT(refusal_of("II*\0\x08\0"s), HasSubstr("found a TIFF picture"));
    EXPECT_THAT(refusal_of("MM\0*\0\0"s), HasSubstr("found a TIFF picture"));
    EXPECT_THAT(refusal_of("\0\0\0\x1C"s + "ftypavif"), HasSubstr("found an AVIF picture"));
    EXPECT_THAT(refusal_of("\0\0\0\x1C"s + "ftypheic"), HasSubstr("found a HEIC picture"));
    EXPECT_THAT(refusal_of("<svg xmlns='http://www.w3.org/2000/svg'/>"), HasSubstr("found an SVG drawing"));
    EXPECT_THAT(refusal_of("\0\0\0\x18"s + "ftyphevc"), HasSubstr("found a HEIC picture; make PNG of it: heif-convert FILE FILE.png"));
    EXPECT_THAT(refusal_of("II+\0\x08\0"s), HasSubstr("found a TIFF picture (BigTIFF)"));
    EXPECT_THAT(refusal_of(std::string(128, '\0') + "DICM\2\0"), HasSubstr("found a DICOM picture; make PNG of it: dcm2pnm"));
    EXPECT_THAT(refusal_of("\x93NUMPY\1\0v\0{}"s), HasSubstr("found a NumPy array"));
    EXPECT_THAT(refusal_of("<?xml version='1.0'?>\n<svg/>"), HasSubstr("rsvg-convert"));
    EXPECT_THAT(refusal_of("\x01\x02\xAB"), HasSubstr("it begins with the bytes 01 02 ab;"));
    EXPECT_THAT(refusal_of("\0"s), HasSubstr("the bytes 00;"));
    for (const auto& beginning : {"\x89PNG"s, "\xFF\xD8\xFF"s, "\x89PNG\r\n\x1A\n"s})
        EXPECT_THAT(refusal_of(beginning), HasSubstr("damaged"));
}

TEST(ImageFile, PrintsNothing) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto png = to_png(noise(9, 9, 3)), jpeg = with_orientation(jpeg_file(9, 9, TJPF_RGB, noise(9, 9, 3).bytes), 3);
    for (const auto& file : {png, jpeg}) {
        for (size_t i = 4; i < file.size(); ++i) {
            auto damaged = file;
            damaged[i] ^= 0x55;
            try {
                Notes notes;
                read_image_file(damaged, notes);
                read_image_file(file.substr(0, i), notes);
            } catch (const Error&) {
            }
        }
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// --- GIF -------------------------------------------------------------------------------------------------------------

struct Animation {
    std::vector<Picture> frames;
    std::vector<int> hundredths;
    std::string loop;  ///< what the extension NETSCAPE2.0 says
};

Animation read_gif(const std::string& file) {
    struct Source {
        const std::string& file;
        size_t at;
    } source = {file, 0};
    int error = 0;
    GifFileType* gif = DGifOpen(
        &source,
        [](GifFileType* opened, GifByteType* bytes, int size) {
            auto& from = *static_cast<Source*>(opened->UserData);
            const size_t count = std::min<size_t>(size, from.file.size() - from.at);
            std::memcpy(bytes, from.file.data() + from.at, count);
            from.at += count;
            return static_cast<int>(count);
        },
        &error);
    Animation animation;
    EXPECT_NE(gif, nullptr);
    EXPECT_EQ(DGifSlurp(gif), GIF_OK);
    EXPECT_EQ(source.at, file.size());
    for (int i = 0; i < gif->ImageCount; ++i) {
        const SavedImage& image = gif->SavedImages[i];
        Picture frame{image.ImageDesc.Width, image.ImageDesc.Height, 3, {}};
        for (int64_t p = 0; p < frame.width * frame.height; ++p) {
            const auto& colour = gif->SColorMap->Colors[image.RasterBits[p]];
            frame.bytes.insert(frame.bytes.end(), {colour.Red, colour.Green, colour.Blue});
        }
        animation.frames.push_back(frame);
        GraphicsControlBlock control = {};
        EXPECT_EQ(DGifSavedExtensionToGCB(gif, i, &control), GIF_OK);
        animation.hundredths.push_back(control.DelayTime);
        for (int e = 0; i == 0 && e + 1 < image.ExtensionBlockCount; ++e) {
            const auto text = [&](int index) {
                const auto& block = image.ExtensionBlocks[index];
                return std::string(reinterpret_cast<const char*>(block.Bytes), block.ByteCount);
            };
            if (text(e) == "NETSCAPE2.0") animation.loop = text(e + 1);
        }
    }
    DGifCloseFile(gif, &error);
    return animation;
}

TEST(Gif, ComesBackWithItsFramesTimesAndLoop) {
    std::vector<Picture> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(slope(40, 30, 1));
    for (auto& byte : frames[1].bytes) byte = static_cast<uint8_t>(255 - byte);
    frames[2] = noise(40, 30, 1);
    const auto file = to_gif(frames, {100, 8, 0});
    EXPECT_EQ(file.substr(0, 6), "GIF89a");
    EXPECT_EQ(to_gif(frames, {100, 8, 0}), file);
    const auto animation = read_gif(file);
    ASSERT_EQ(animation.frames.size(), 3u);
    EXPECT_THAT(animation.hundredths, ElementsAre(100, 8, 0));
    EXPECT_EQ(animation.loop, "\1\0\0"s);
    for (size_t i = 0; i < 3; ++i) {  // 256 greys at most: all kept
        EXPECT_EQ(animation.frames[i].width, 40);
        EXPECT_EQ(animation.frames[i].height, 30);
        for (size_t p = 0; p < frames[i].bytes.size(); ++p) {
            for (size_t c = 0; c < 3; ++c) ASSERT_EQ(animation.frames[i].bytes[3 * p + c], frames[i].bytes[p]);
        }
    }
}

TEST(Gif, KeepsFewColoursAndComesNearMany) {
    Picture few{3, 1, 3, {255, 0, 0, 12, 34, 56, 0, 0, 255}};
    EXPECT_EQ(read_gif(to_gif({few}, {1})).frames.at(0).bytes, few.bytes);

    Picture many{96, 96, 3, {}};  // greys tinted red and blue, some thousands of colours
    for (int y = 0; y < 96; ++y) {
        for (int x = 0; x < 96; ++x) {
            const int grey = 2 * y, tint = x - 48;
            for (const int part : {grey + std::max(tint, 0), grey, grey + std::max(-tint, 0)})
                many.bytes.push_back(static_cast<uint8_t>(part));
        }
    }
    const auto back = read_gif(to_gif({many}, {1})).frames.at(0);
    double squares = 0;
    for (size_t i = 0; i < many.bytes.size(); ++i) squares += std::pow(back.bytes[i] - many.bytes[i], 2);
    EXPECT_LT(std::sqrt(squares / static_cast<double>(many.bytes.size())), 5);
    EXPECT_EQ(to_gif({many}, {1}), to_gif({many}, {1}));
}

TEST(Gif, OfOneColourAndOnePixelCanBeWritten) {
    EXPECT_EQ(read_gif(to_gif({{1, 1, 1, {200}}}, {5})).frames.at(0).bytes, (std::vector<uint8_t>{200, 200, 200}));
}

TEST(Gif, RefusesFramesAndTimesThatDoNotFit) {
    const auto message = [](const std::vector<Picture>& frames, const std::vector<int>& times) {
        return refusal([&] { to_gif(frames, times); }, ErrorCode::invalid_argument);
    };
    const Picture one{1, 1, 1, {0}}, other{2, 1, 1, {0, 0}}, clear{1, 1, 2, {0, 0}};
    EXPECT_THAT(message({}, {}), HasSubstr("at least one frame"));
    EXPECT_THAT(message({one}, {1, 2}), HasSubstr("found 1 frames and 2 times"));
    EXPECT_THAT(message({one, other}, {1, 2}), HasSubstr("of one size"));
    EXPECT_THAT(message({clear}, {1}), HasSubstr("2 channels"));
    EXPECT_THAT(message({one}, {-1}), HasSubstr("found -1"));
    EXPECT_THAT(message({{70000, 1, 1, std::vector<uint8_t>(70000)}}, {1}), HasSubstr("65535"));
}

}  // namespace
}  // namespace whynot::drawing
