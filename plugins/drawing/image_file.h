#pragma once

/// PNG and JPEG files to pictures, and pictures to PNG and animated GIF. No Torch here: what reads strangers' bytes is small enough to be
/// fuzzed on its own.

#include <string>
#include <string_view>
#include <vector>

#include "whynot/picture.h"

namespace whynot::drawing {

/// Larger pictures are refused before memory is taken for them: no classifier looks at more, and a small file can claim any size.
constexpr int64_t max_pixels = 64 * 1000 * 1000;

/// What was done to the picture on the way, sentences for the explanation's warnings ("turned upright as the camera's orientation says",
/// "an animation: its first picture was taken").
using Notes = std::vector<std::string>;

/// Decodes the bytes of a PNG or JPEG file: any depth, grey, palette, colour, with and without opacity, JPEG turned upright by its EXIF
/// orientation. The content decides, not the name. 16 bits become 8, another gamma that the file declares becomes that of sRGB; other
/// colour profiles are not applied. Throws Error `invalid_input` with what was found and what to do: empty, another format (GIF, WebP,
/// ... are named), truncated or damaged (a JPEG decoder's warnings count), CMYK, PNG interlaced with 16 bits,
/// more than `max_pixels`.
///
/// Takes memory for the picture after its header was read and found within `max_pixels`: 4 bytes a pixel at most, a progressive JPEG
/// another 6 while it is decoded. Thread-safe.
Picture read_image_file(std::string_view bytes, Notes& notes);

/// Throws Error `invalid_argument` unless the picture is one: sides of at least 1, 1 to 4 channels, a byte for each.
void check_picture(const Picture& picture);

/// The bytes of a PNG file. Picture of any number of channels. The same picture gives the same bytes.
std::string to_png(const Picture& picture);

/// The bytes of an animated GIF that repeats for ever. All frames have the same size, 1 or 3 channels. Up to 256 colours in all frames
/// together are kept as they are; where there are more, the palette is made from them by halving the sets of colours that differ most
/// (P. Heckbert, "Color image quantization for frame buffer display", 1982). The same frames give the same bytes.
/// @param hundredths how long each frame stands, in 1/100 s; one a frame
/// Throws Error `invalid_argument` for frames and times that do not fit together.
std::string to_gif(const std::vector<Picture>& frames, const std::vector<int>& hundredths);

}  // namespace whynot::drawing
