#pragma once

/// From a picture of any size to what a pack's networks look at.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "drawing/image_file.h"

namespace whynot::image {

/// What a pack's networks look at: `input` in pack.json.
struct ImageShape {
    int64_t channels = 1;  ///< 1: grey, 3: red, green, blue
    int64_t height = 28;
    int64_t width = 28;
    /// How pictures of another size become this size. "plain": the whole picture, resized until it fits, in the middle of the colour of
    /// its border. "digit": a figure on an even ground, the way MNIST made its digits: the figure's box scaled to 20/28 of the side, its
    /// centre of mass in the middle; the ground is taken away, and where the figure is light on dark, faint ink is strengthened.
    std::string framing = "plain";
    bool light_on_dark = false;  ///< figures are lighter than their ground; a picture that has it the other way round is inverted

    bool operator==(const ImageShape& other) const {
        return channels == other.channels && height == other.height && width == other.width && framing == other.framing &&
               light_on_dark == other.light_on_dark;
    }
};

/// Fits a picture to a shape, in this order:
///
/// 1. opacity is laid over white; over black where the shape is light on dark and what is opaque is light;
/// 2. colours become grey by luminance (ITU-R BT.601), or grey three equal channels;
/// 3. where the shape is light on dark and the picture dark on light, it is inverted;
/// 4. it is framed and resized (bilinear, antialiased), both in sRGB values as the usual data sets were.
///
/// A picture that has the size already is neither framed nor resized, and inverted only where its border (the median) is lighter than one
/// half and than the picture on average; otherwise its values are bytes / 255 exactly.
///
/// @param notes gets a sentence for each thing that was done, and one for a picture of a single colour
/// @return [channels, height, width], float, in [0, 1]
/// Throws Error `invalid_argument` for a picture or a shape that is none.
at::Tensor fit(const Picture& picture, const ImageShape& shape, drawing::Notes& notes);

/// Whether there is nothing in a fitted picture: all of it is of one colour, as near as JPEG keeps one.
bool is_blank(const at::Tensor& image);

/// The note of a picture whose colours are not those of the shape.
constexpr const char* colours_turned_grey = "colours were turned to grey";

/// The other way: [channels, height, width] to a picture of 1 or 3 channels; values are clipped to [0, 1].
Picture to_picture(const at::Tensor& image);

/// A change over its greyed image, red lighter and blue darker, the largest in full colour. @param image [channels, h, w] @param change [h, w]
Picture draw_change(const at::Tensor& image, const at::Tensor& change);

/// The values of a tensor, row-major, as drawings take them.
std::vector<float> floats(const at::Tensor& image);

constexpr int64_t shown_side = 280;  ///< pixels: how large what people look at is drawn

}  // namespace whynot::image
