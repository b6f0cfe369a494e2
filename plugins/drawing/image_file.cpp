#include "drawing/image_file.h"

#include <gif_lib.h>
#include <libexif/exif-data.h>
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "whynot/error.h"

namespace whynot::drawing {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::invalid_input, message); }
[[noreturn]] void mistake(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

bool has(std::string_view bytes, size_t offset, std::string_view what) {
    return bytes.size() >= offset && bytes.substr(offset, what.size()) == what;
}

/// What bytes that are neither PNG nor JPEG are, and the command that makes PNG of them, to say so.
std::string format_of(std::string_view bytes) {
    using namespace std::string_view_literals;
    struct Magic {
        size_t offset;
        std::string_view bytes;
        const char* name;
        const char* command;  ///< with Debian's package
    };
    static constexpr const char *magick = "convert FILE FILE.png (package imagemagick)",
                                *heif = "heif-convert FILE FILE.png (package libheif-examples)",
                                *djxl = "djxl FILE FILE.png (package libjxl-tools)";
    static constexpr Magic magics[] = {
        {0, "GIF8"sv, "a GIF picture", magick},
        {8, "WEBP"sv, "a WebP picture", "dwebp FILE -o FILE.png (package webp)"},
        {0, "BM"sv, "a BMP picture", magick},
        {0, "II*\0"sv, "a TIFF picture", magick},
        {0, "MM\0*"sv, "a TIFF picture", magick},
        {0, "II+\0"sv, "a TIFF picture (BigTIFF)", magick},
        {0, "MM\0+"sv, "a TIFF picture (BigTIFF)", magick},
        {4, "ftypavi"sv, "an AVIF picture", heif},
        {4, "ftyphei"sv, "a HEIC picture", heif},
        {4, "ftyphev"sv, "a HEIC picture", heif},
        {4, "ftypmif1"sv, "a HEIC picture", heif},
        {4, "ftypmsf1"sv, "a HEIC picture", heif},
        {4, "jP  \r\n"sv, "a JPEG 2000 picture", "opj_decompress -i FILE -o FILE.png (package libopenjp2-tools)"},
        {4, "JXL \r\n"sv, "a JPEG XL picture", djxl},
        {0, "\xFF\x0A"sv, "a JPEG XL picture", djxl},
        {0, "8BPS"sv, "a Photoshop file", magick},
        {0, "%PDF"sv, "a PDF document", "pdftoppm -png FILE FILE (package poppler-utils)"},
        {0, "\0\0\1\0"sv, "an icon", magick},
        {128, "DICM"sv, "a DICOM picture", "dcm2pnm --write-png FILE FILE.png (package dcmtk)"},
        {0, "\x93NUMPY"sv, "a NumPy array", "your own program: a picture of 8 bits"},
    };
    const std::string_view beginning = bytes.substr(0, 512);
    const auto with_command = [](const std::string& name, const std::string& command) { return name + "; make PNG of it: " + command; };
    for (const auto& magic : magics) {
        if (has(bytes, magic.offset, magic.bytes)) return with_command(magic.name, magic.command);
    }
    if (beginning.find("<svg") != std::string_view::npos)
        return with_command("an SVG drawing", "rsvg-convert FILE -o FILE.png (package librsvg2-bin)");
    const auto printable = [](unsigned char byte) { return byte >= 0x20 ? byte != 0x7F : byte == '\t' || byte == '\n' || byte == '\r'; };
    if (std::all_of(beginning.begin(), beginning.end(), printable)) return "text; is it the right file?";
    std::string hex;
    for (const unsigned char byte : bytes.substr(0, 4)) {
        hex += hex.empty() ? "" : " ";
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return "something else: it begins with the bytes " + hex + "; convert it to PNG";
}

[[noreturn]] void refuse_damaged(const char* format, const std::string& decoder) {
    refuse(std::string("expected a whole ") + format + " picture, found one that is truncated or damaged (" + decoder +
           "); save or copy it again");
}

void check_size(int64_t width, int64_t height) {
    if (width <= max_pixels / height) return;
    refuse("expected a picture of at most " + std::to_string(max_pixels / 1000000) + " million pixels, found " + std::to_string(width) +
           " x " + std::to_string(height) + "; make it smaller");
}

uint64_t big_endian(std::string_view bytes) {
    uint64_t value = 0;
    for (const unsigned char byte : bytes) value = value << 8 | byte;
    return value;
}

/// The chunk of that name in a PNG file, its content; nothing where there is none before the chunk `end` or the file's end.
std::optional<std::string_view> png_chunk(std::string_view png, std::string_view name, std::string_view end) {
    for (size_t at = 8; png.size() - at >= 12;) {
        const uint64_t length = big_endian(png.substr(at, 4));
        if (has(png, at + 4, end) || png.size() - at - 12 < length) return std::nullopt;
        if (has(png, at + 4, name)) return png.substr(at + 8, length);
        at += 12 + length;
    }
    return std::nullopt;
}

/// Whether a PNG file says that it has more than one picture: by its chunk acTL before the first IDAT. libpng knows no animations.
bool is_animated(std::string_view png) {
    const auto control = png_chunk(png, "acTL", "IDAT");
    return control && control->size() >= 4 && big_endian(control->substr(0, 4)) > 1;
}

constexpr std::string_view exif_mark("Exif\0\0", 6);

/// What the segments of a JPEG file say that stand before the picture itself.
struct JpegSegments {
    std::string_view exif;     ///< of the first that has EXIF, without the mark; whichever segments stand before it
    bool progressive = false;  ///< in several scans, each of which makes the picture finer
};

JpegSegments segments_of(std::string_view jpeg) {
    JpegSegments found;
    for (size_t at = 2; at + 4 <= jpeg.size() && jpeg[at] == '\xFF';) {
        const auto marker = static_cast<unsigned char>(jpeg[at + 1]);
        if (marker == 0xFF) {  // padding
            ++at;
            continue;
        }
        if (marker == 0xDA || marker == 0xD9) break;                 // the picture itself, or the end
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // no content
            at += 2;
            continue;
        }
        const uint64_t length = big_endian(jpeg.substr(at + 2, 2));
        if (length < 2 || jpeg.size() - at - 2 < length) break;
        const std::string_view content = jpeg.substr(at + 4, length - 2);
        if (marker == 0xE1 && found.exif.empty() && has(content, 0, exif_mark)) found.exif = content.substr(exif_mark.size());
        if (marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE) found.progressive = true;
        at += 2 + length;
    }
    return found;
}

/// EXIF's orientation, 1 to 8; 1 (upright) where the data do not tell. @param exif as it stands in a file, from the byte order on
int orientation_of(std::string_view exif) {
    if (exif.empty()) return 1;
    const std::string marked = std::string(exif_mark) + std::string(exif.substr(0, 1 << 16));
    const std::unique_ptr<ExifData, decltype(&exif_data_unref)> data(
        exif_data_new_from_data(reinterpret_cast<const unsigned char*>(marked.data()), static_cast<unsigned>(marked.size())),
        exif_data_unref);
    if (!data) return 1;
    const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (!entry || entry->format != EXIF_FORMAT_SHORT || entry->components != 1 || entry->size < 2) return 1;
    const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/// EXIF 2.3, 4.6.4: 2 to 4 are mirrored or turned by 180 degrees; 5 to 8 are the same with rows and columns exchanged.
Picture turned_upright(const Picture& stored, int orientation) {
    const bool exchanged = orientation >= 5;
    const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    Picture upright{exchanged ? stored.height : stored.width, exchanged ? stored.width : stored.height, stored.channels, {}};
    upright.bytes.reserve(stored.bytes.size());
    for (int64_t y = 0; y < upright.height; ++y) {
        for (int64_t x = 0; x < upright.width; ++x) {
            int64_t row = exchanged ? x : y;
            int64_t column = exchanged ? y : x;
            if (from_below) row = stored.height - 1 - row;
            if (from_right) column = stored.width - 1 - column;
            const auto* pixel = &stored.bytes[(row * stored.width + column) * stored.channels];
            upright.bytes.insert(upright.bytes.end(), pixel, pixel + stored.channels);
        }
    }
    return upright;
}

Picture upright(Picture stored, std::string_view exif, Notes& notes) {
    const int orientation = orientation_of(exif);
    if (orientation == 1) return stored;
    notes.push_back("turned upright as the camera's orientation says");
    return turned_upright(stored, orientation);
}

Picture read_png(std::string_view bytes, Notes& notes) {
    constexpr size_t first_name = 12;
    if (has(bytes, first_name, "CgBI"))
        refuse(
            "expected a PNG picture, found one of Apple's own kind (CgBI), which only its systems read; make PNG of it there: "
            "sips -s format png FILE --out NEW.png");
    png_image image = {};
    image.version = PNG_IMAGE_VERSION;
    const std::unique_ptr<png_image, decltype(&png_image_free)> guard(&image, png_image_free);
    if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) refuse_damaged("PNG", image.message);
    check_size(image.width, image.height);
    // libpng's simple interface reads these beyond its buffer (CVE-2025-65018), and where that is mended, in the wrong order. Both bytes
    // stand in the header, which has to be the first chunk; libpng itself lets strange chunks stand before it.
    constexpr size_t depth_at = 24, interlace_at = 28;
    if (!has(bytes, first_name, "IHDR")) refuse_damaged("PNG", "its header is not at its beginning");
    if (bytes[depth_at] == 16 && bytes[interlace_at] != 0)
        refuse("expected a PNG picture, found an interlaced one of 16 bits, which libpng does not read well; save it without interlacing");

    // Of 16 bits that do not say so libpng believes that they measure light; programs that write them mean sRGB, as with 8.
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    image.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;
    Picture picture{image.width, image.height, PNG_IMAGE_SAMPLE_CHANNELS(image.format), {}};
    picture.bytes.resize(PNG_IMAGE_SIZE(image));
    if (!png_image_finish_read(&image, nullptr, picture.bytes.data(), 0, nullptr)) refuse_damaged("PNG", image.message);
    if (is_animated(bytes)) notes.push_back("an animation: its first picture was taken");
    return upright(std::move(picture), png_chunk(bytes, "eXIf", "IEND").value_or(std::string_view()), notes);
}

Picture read_jpeg(std::string_view bytes, Notes& notes) {
    const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), tjDestroy);
    if (!decoder) throw Error(ErrorCode::internal, std::string("the JPEG decoder does not start: ") + tjGetErrorStr2(nullptr));
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto damaged = [&] { refuse_damaged("JPEG", tjGetErrorStr2(decoder.get())); };

    int width = 0, height = 0, subsampling = 0, colours = 0;
    if (tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height, &subsampling, &colours) != 0) damaged();
    if (width < 1 || height < 1) refuse_damaged("JPEG", "it has no picture, only tables");
    check_size(width, height);
    // Inks have no colours without the printer's profile, and programs do not agree whether 0 or 255 is full ink.
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
        refuse(
            "expected a JPEG picture in grey or in red, green and blue, found one in the four inks of a printer (CMYK); convert it to RGB");
    }

    const bool grey = colours == TJCS_GRAY;
    Picture picture{width, height, grey ? 1 : 3, {}};
    picture.bytes.resize(width * height * picture.channels);
    // The accurate transform is the same on all machines; a file of endlessly many scans is refused.
    const int flags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
    const auto decode = [&](std::string_view file) {
        return tjDecompress2(decoder.get(), reinterpret_cast<const unsigned char*>(file.data()), file.size(), picture.bytes.data(), width,
                             0, height, grey ? TJPF_GRAY : TJPF_RGB, flags) == 0;
    };
    const JpegSegments segments = segments_of(bytes);
    if (!decode(bytes)) {
        // Where nothing but the mark of the end is missing, the picture is whole. In several scans nobody knows which would be the last.
        const std::string reason = tjGetErrorStr2(decoder.get());
        if (segments.progressive || has(bytes, bytes.size() - 2, "\xFF\xD9") || !decode(std::string(bytes) + "\xFF\xD9"))
            refuse_damaged("JPEG", reason);
        notes.push_back("the file ends without JPEG's mark of the end; the picture is whole");
    }
    return upright(std::move(picture), segments.exif, notes);
}

/// The pixel's colour as one number, red first.
uint32_t colour_at(const Picture& picture, int64_t pixel) {
    const auto* bytes = &picture.bytes[pixel * picture.channels];
    return picture.channels == 1 ? bytes[0] * 0x010101u : static_cast<uint32_t>(bytes[0] << 16 | bytes[1] << 8 | bytes[2]);
}

int part(uint32_t colour, int channel) { return colour >> (16 - 8 * channel) & 255; }

/// At most 256 colours for those of the frames, and which of them stands for which colour.
struct Palette {
    std::vector<uint32_t> colours;
    std::unordered_map<uint32_t, uint8_t> index;

    explicit Palette(const std::vector<Picture>& frames) {
        std::unordered_map<uint32_t, double> counts;
        for (const auto& frame : frames) {
            for (int64_t i = 0; i < frame.width * frame.height; ++i) ++counts[colour_at(frame, i)];
        }
        std::vector<Counted> all(counts.begin(), counts.end());
        std::sort(all.begin(), all.end());  // the map's own order is nobody's promise

        // The set of the largest squared error is divided at its mean, until there are enough sets or no error.
        std::vector<Set> sets = {measured({all.data(), all.data() + all.size()})};
        while (sets.size() < 256) {
            Set& worst = *std::max_element(sets.begin(), sets.end(), [](const Set& a, const Set& b) { return a.error < b.error; });
            if (worst.error <= 0) break;
            const int channel = worst.widest;
            const double mean = worst.mean[channel];
            Counted* middle =
                std::stable_partition(worst.begin, worst.end, [&](const Counted& c) { return part(c.first, channel) < mean; });
            const Set upper = measured({middle, worst.end});
            worst = measured({worst.begin, middle});
            sets.push_back(upper);
        }
        for (const auto& set : sets) {
            for (const Counted* one = set.begin; one != set.end; ++one) index[one->first] = static_cast<uint8_t>(colours.size());
            uint32_t colour = 0;
            for (const double mean : set.mean) colour = colour << 8 | static_cast<uint32_t>(mean + 0.5);
            colours.push_back(colour);
        }
    }

private:
    using Counted = std::pair<uint32_t, double>;
    struct Set {
        Counted* begin;
        Counted* end;
        std::array<double, 3> mean = {};
        double error = 0;  ///< along the channel in which the colours differ most
        int widest = 0;
    };

    static Set measured(Set set) {
        double count = 0;
        for (const Counted* one = set.begin; one != set.end; ++one) {
            count += one->second;
            for (int c = 0; c < 3; ++c) set.mean[c] += one->second * part(one->first, c);
        }
        for (auto& mean : set.mean) mean /= count;
        if (set.end - set.begin < 2) return set;  // one colour: its mean is itself, whatever rounding says
        for (int c = 0; c < 3; ++c) {
            double error = 0;
            for (const Counted* one = set.begin; one != set.end; ++one) {
                const double distance = part(one->first, c) - set.mean[c];
                error += one->second * distance * distance;
            }
            if (error > set.error) {
                set.error = error;
                set.widest = c;
            }
        }
        return set;
    }
};

int append(GifFileType* gif, const GifByteType* bytes, int size) {
    try {
        static_cast<std::string*>(gif->UserData)->append(reinterpret_cast<const char*>(bytes), size);
        return size;
    } catch (...) {  // nothing may be thrown through giflib
        return 0;
    }
}

}  // namespace

Picture read_image_file(std::string_view bytes, Notes& notes) {
    if (bytes.empty()) refuse("expected a PNG or JPEG picture, found an empty file");
    if (has(bytes, 0, "\x89PNG")) return read_png(bytes, notes);
    if (has(bytes, 0, "\xFF\xD8\xFF")) return read_jpeg(bytes, notes);
    refuse("expected a PNG or JPEG picture, found " + format_of(bytes));
}

void check_picture(const Picture& picture) {
    const auto size = static_cast<int64_t>(picture.bytes.size());
    if (picture.width >= 1 && picture.width <= size && picture.height >= 1 && picture.channels >= 1 && picture.channels <= 4) {
        const int64_t row = picture.width * picture.channels;
        if (size % row == 0 && size / row == picture.height) return;
    }
    mistake("expected a picture of 1 to 4 channels with a byte for each, found " + std::to_string(picture.width) + " x " +
            std::to_string(picture.height) + " pixels, " + std::to_string(picture.channels) + " channels, " +
            std::to_string(picture.bytes.size()) + " bytes");
}

std::string to_png(const Picture& picture) {
    check_picture(picture);
    if (std::max(picture.width, picture.height) > PNG_UINT_31_MAX)
        mistake("expected a picture that fits into a PNG file, found one too wide");
    static constexpr png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    png_image image = {};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = formats[picture.channels - 1];
    const std::unique_ptr<png_image, decltype(&png_image_free)> guard(&image, png_image_free);
    std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
    png_alloc_size_t size = bytes.size();
    if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.bytes.data(), 0, nullptr)) {
        throw Error(ErrorCode::internal, std::string("libpng could not write a picture: ") + image.message);
    }
    bytes.resize(size);
    return bytes;
}

std::string to_gif(const std::vector<Picture>& frames, const std::vector<int>& hundredths) {
    constexpr int max = 65535;
    if (frames.empty() || frames.size() != hundredths.size()) {
        mistake("expected at least one frame and a time for each, found " + std::to_string(frames.size()) + " frames and " +
                std::to_string(hundredths.size()) + " times");
    }
    for (const auto& frame : frames) {
        check_picture(frame);
        if (frame.width != frames[0].width || frame.height != frames[0].height || frame.channels != frames[0].channels ||
            frame.channels % 2 == 0 || std::max(frame.width, frame.height) > max) {
            mistake("expected frames of one size up to 65535 a side, of 1 or 3 channels, found one of " + std::to_string(frame.width) +
                    " x " + std::to_string(frame.height) + " with " + std::to_string(frame.channels) + " channels");
        }
    }
    for (const int time : hundredths) {
        if (time < 0 || time > max) mistake("expected times of 0 to 65535 hundredths of a second, found " + std::to_string(time));
    }

    const Palette palette(frames);
    int bits = 1;
    while (size_t{1} << bits < palette.colours.size()) ++bits;
    const std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)> map(GifMakeMapObject(1 << bits, nullptr), GifFreeMapObject);
    if (!map) throw std::bad_alloc();
    for (size_t i = 0; i < palette.colours.size(); ++i) {
        const uint32_t colour = palette.colours[i];
        map->Colors[i] = {static_cast<uint8_t>(part(colour, 0)), static_cast<uint8_t>(part(colour, 1)),
                          static_cast<uint8_t>(part(colour, 2))};
    }

    std::string bytes;
    int error = 0;
    const auto close = [](GifFileType* gif) { EGifCloseFile(gif, nullptr); };
    std::unique_ptr<GifFileType, decltype(close)> gif(EGifOpen(&bytes, append, &error), close);
    if (!gif) throw std::bad_alloc();
    const auto check = [&](int result) {
        if (result == GIF_ERROR)
            throw Error(ErrorCode::internal, "giflib could not write an animation, error " + std::to_string(gif->Error));
    };

    const int width = static_cast<int>(frames[0].width), height = static_cast<int>(frames[0].height);
    EGifSetGifVersion(gif.get(), true);
    check(EGifPutScreenDesc(gif.get(), width, height, bits, 0, map.get()));
    // Netscape's extension: 1, then how often the animation is repeated, 0 for ever.
    check(EGifPutExtensionLeader(gif.get(), APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(gif.get(), 11, "NETSCAPE2.0"));
    check(EGifPutExtensionBlock(gif.get(), 3, "\1\0\0"));
    check(EGifPutExtensionTrailer(gif.get()));

    std::vector<GifPixelType> line(width);
    for (size_t i = 0; i < frames.size(); ++i) {
        const GraphicsControlBlock control = {DISPOSE_DO_NOT, false, hundredths[i], NO_TRANSPARENT_COLOR};
        std::array<GifByteType, 4> extension = {};
        EGifGCBToExtension(&control, extension.data());
        check(EGifPutExtension(gif.get(), GRAPHICS_EXT_FUNC_CODE, static_cast<int>(extension.size()), extension.data()));
        check(EGifPutImageDesc(gif.get(), 0, 0, width, height, false, nullptr));
        for (int64_t y = 0; y < height; ++y) {
            for (int64_t x = 0; x < width; ++x) line[x] = palette.index.at(colour_at(frames[i], y * width + x));
            check(EGifPutLine(gif.get(), line.data(), width));
        }
    }
    if (EGifCloseFile(gif.release(), &error) == GIF_ERROR) {
        throw Error(ErrorCode::internal, "giflib could not end an animation, error " + std::to_string(error));
    }
    return bytes;
}

}  // namespace whynot::drawing
