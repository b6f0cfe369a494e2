#include "image/model/fit.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "drawing/drawing.h"
#include "whynot/error.h"

namespace whynot::image {
namespace {

using at::indexing::Slice;

constexpr double one_colour = 4.0 / 255;  ///< what JPEG makes of an even ground stays below
constexpr double figure_share = 20.0 / 28;

[[noreturn]] void mistake(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

std::string size_of(int64_t width, int64_t height) { return std::to_string(width) + " x " + std::to_string(height); }

void check_shape(const ImageShape& shape) {
    if ((shape.channels == 1 || shape.channels == 3) && shape.height >= 1 && shape.width >= 1 &&
        (shape.framing == "plain" || shape.framing == "digit")) {
        return;
    }
    mistake("expected an image shape of 1 or 3 channels, sides of at least 1 and framing \"plain\" or \"digit\", found " +
            std::to_string(shape.channels) + " channels, " + size_of(shape.width, shape.height) + ", \"" + shape.framing + "\"");
}

template <typename Number>
Number luminance(Number red, Number green, Number blue) {
    return red == green && green == blue ? red : Number(0.299) * red + Number(0.587) * green + Number(0.114) * blue;  // ITU-R BT.601
}

/// The lightness of what can be seen of a picture with opacity, 0 to 1; -1 where all of it is opaque.
double visible_lightness(const Picture& picture) {
    const int64_t colours = picture.channels - 1;
    double opacity = 0, light = 0;
    bool opaque = true;
    for (auto pixel = picture.bytes.begin(); pixel != picture.bytes.end(); pixel += picture.channels) {
        const double alpha = pixel[colours];
        opaque = opaque && alpha == 255;
        opacity += alpha;
        light += alpha * (colours == 1 ? pixel[0] : luminance<double>(pixel[0], pixel[1], pixel[2])) / 255;
    }
    return opaque ? -1 : light / std::max(opacity, 1.0);
}

/// Opacity and channels: [shape.channels, h, w] of the picture's own size. A loop of our own, so that a photograph takes memory once.
at::Tensor as_tensor(const Picture& picture, const ImageShape& shape, drawing::Notes& notes) {
    const bool has_opacity = picture.channels % 2 == 0;
    const bool coloured = picture.channels >= 3;
    float ground = 1;
    if (has_opacity) {
        const double lightness = visible_lightness(picture);
        if (shape.light_on_dark && lightness > 0.5) ground = 0;
        if (lightness >= 0) notes.push_back(std::string("transparent parts were laid over ") + (ground > 0 ? "white" : "black"));
    }

    const auto image = at::empty({shape.channels, picture.height, picture.width}, at::kFloat);
    const int64_t pixels = picture.height * picture.width;
    auto* out = image.data_ptr<float>();
    int saturation = 0;
    for (int64_t i = 0; i < pixels; ++i) {
        const uint8_t* pixel = &picture.bytes[i * picture.channels];
        const float opacity = has_opacity ? pixel[picture.channels - 1] / 255.0f : 1.0f;
        float parts[3];
        for (int c = 0; c < 3; ++c) parts[c] = pixel[coloured ? c : 0] / 255.0f * opacity + ground * (1 - opacity);
        if (shape.channels == 3) {
            for (int c = 0; c < 3; ++c) out[c * pixels + i] = parts[c];
        } else {
            out[i] = luminance(parts[0], parts[1], parts[2]);
            if (coloured) {
                const auto range = std::minmax({pixel[0], pixel[1], pixel[2]});
                saturation = std::max(saturation, range.second - range.first);
            }
        }
    }
    if (saturation > 8) notes.push_back(colours_turned_grey);
    return image;
}

/// [c, h, w] to [h, w].
at::Tensor lightness_of(const at::Tensor& image) {
    return image.size(0) == 1 ? image[0] : 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2];
}

/// The median of the border of each channel, [c, 1, 1]. The border is 1/28 of the shorter side wide, at least a pixel.
at::Tensor ground_of(const at::Tensor& image) {
    const int64_t height = image.size(1), width = image.size(2);
    const int64_t wide = std::max<int64_t>(1, std::min(height, width) / 28);
    const auto part = [&](Slice rows, Slice columns) { return image.index({Slice(), rows, columns}).flatten(1); };
    const Slice between(wide, std::max(wide, height - wide));
    const auto border = at::cat({part(Slice(0, wide), Slice()), part(Slice(height - wide, height), Slice()), part(between, Slice(0, wide)),
                                 part(between, Slice(width - wide, width))},
                                1);
    return std::get<0>(border.median(1)).reshape({-1, 1, 1});
}

at::Tensor resized(const at::Tensor& image, int64_t height, int64_t width) {
    return at::_upsample_bilinear2d_aa(image.unsqueeze(0), {height, width}, false).squeeze(0);
}

/// A side after scaling: at least a pixel, at most `most`.
int64_t scaled(int64_t side, double scale, int64_t max) {
    return std::clamp<int64_t>(std::llround(static_cast<double>(side) * scale), 1, max);
}

at::Tensor framed_plainly(const at::Tensor& image, const ImageShape& shape) {
    const double scale = std::min(static_cast<double>(shape.height) / static_cast<double>(image.size(1)),
                                  static_cast<double>(shape.width) / static_cast<double>(image.size(2)));
    const int64_t height = scaled(image.size(1), scale, shape.height), width = scaled(image.size(2), scale, shape.width);
    const int64_t top = (shape.height - height) / 2, left = (shape.width - width) / 2;
    auto frame = ground_of(image).expand({shape.channels, shape.height, shape.width}).clone();
    frame.index_put_({Slice(), Slice(top, top + height), Slice(left, left + width)}, resized(image, height, width));
    return frame;
}

/// First and one past the last index of what is true, along a vector.
std::pair<int64_t, int64_t> range_of(const at::Tensor& mask) {
    const auto where = mask.nonzero();
    return {where.min().item<int64_t>(), where.max().item<int64_t>() + 1};
}

at::Tensor framed_as_digit(const at::Tensor& image, const ImageShape& shape, drawing::Notes& notes) {
    const auto ground = ground_of(image);
    auto figure = image - ground;
    auto ink = lightness_of(figure);
    ink = shape.light_on_dark ? ink.clamp_min(0) : ink.abs();
    const auto inked = ink > 0.2 * ink.max();
    const auto [top, bottom] = range_of(inked.any(1));
    const auto [left, right] = range_of(inked.any(0));
    const double scale = figure_share * std::min(static_cast<double>(shape.height) / static_cast<double>(bottom - top),
                                                 static_cast<double>(shape.width) / static_cast<double>(right - left));
    const int64_t height = scaled(bottom - top, scale, shape.height), width = scaled(right - left, scale, shape.width);
    const Slice rows(top, bottom), columns(left, right);
    figure = resized(figure.index({Slice(), rows, columns}), height, width);
    ink = resized(ink.index({rows, columns}).unsqueeze(0), height, width)[0];

    // Where the figure's corner goes, so that its centre of mass is in the middle, as far as there is room.
    const auto corner = [&](const at::Tensor& mass, int64_t side) {
        const auto places = at::arange(mass.size(0), at::kFloat) + 0.5;
        const double centre = ((mass * places).sum() / mass.sum()).item<double>();
        return std::clamp<int64_t>(std::llround(static_cast<double>(side) / 2 - centre), 0, side - mass.size(0));
    };
    const int64_t y = corner(ink.sum(1), shape.height), x = corner(ink.sum(0), shape.width);

    auto frame = ground.expand({shape.channels, shape.height, shape.width}).clone();
    if (shape.light_on_dark) {
        frame.zero_();
        // Thin lines of a large drawing and pencil on grey paper come out faint; pens of the digits that the networks know reach full light.
        const double peak = ink.max().item<double>();
        if (peak < 0.9) {
            figure = figure / peak;
            notes.push_back("faint ink was strengthened");
        }
    }
    auto place = frame.index({Slice(), Slice(y, y + height), Slice(x, x + width)});
    place.add_(figure);
    return frame.clamp_(0, 1);
}

/// Whether the figure is darker than its ground.
bool is_dark_on_light(const at::Tensor& image, bool cut_out) {
    const auto lightness = lightness_of(image);
    const double ground = ground_of(lightness.unsqueeze(0)).item<double>();
    if (cut_out) {  // even grey paper: the figure is what differs most
        return ground - lightness.min().item<double>() > lightness.max().item<double>() - ground;
    }
    return ground > 0.5 && ground > lightness.mean().item<double>() + 1.0 / 255;
}

}  // namespace

bool is_blank(const at::Tensor& image) { return (image.amax({1, 2}) - image.amin({1, 2})).max().item<double>() < one_colour; }

at::Tensor fit(const Picture& picture, const ImageShape& shape, drawing::Notes& notes) {
    drawing::check_picture(picture);
    check_shape(shape);
    const at::NoGradGuard no_gradients;
    auto image = as_tensor(picture, shape, notes);
    const bool has_size = picture.height == shape.height && picture.width == shape.width;
    const bool even = is_blank(image);
    const bool cut_out = !has_size && !even && shape.framing == "digit";

    if (shape.light_on_dark && !even && is_dark_on_light(image, cut_out)) {
        image = 1 - image;
        notes.push_back("dark on light was inverted to light on dark");
    }
    if (!has_size) {
        notes.push_back(size_of(picture.width, picture.height) + " pixels were fitted to " + size_of(shape.width, shape.height) +
                        (cut_out ? ", the figure scaled and centred" : ""));
        image = cut_out ? framed_as_digit(image, shape, notes) : framed_plainly(image, shape);
    }
    if (even) notes.push_back("the picture is of a single colour");
    return image;
}

Picture to_picture(const at::Tensor& image) {
    if (image.dim() != 3 || (image.size(0) != 1 && image.size(0) != 3) || image.numel() == 0) {
        mistake("expected an image [1 or 3, height, width], found a tensor of " + std::to_string(image.dim()) + " dimensions and " +
                std::to_string(image.numel()) + " numbers");
    }
    const auto bytes = (image.detach().to(at::kCPU, at::kFloat).clamp(0, 1) * 255 + 0.5).to(at::kByte).permute({1, 2, 0}).contiguous();
    const auto* first = bytes.data_ptr<uint8_t>();
    return {image.size(2), image.size(1), image.size(0), {first, first + bytes.numel()}};
}

std::vector<float> floats(const at::Tensor& image) {
    const at::Tensor values = image.to(at::kFloat).contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

Picture draw_change(const at::Tensor& image, const at::Tensor& change) {
    const at::Tensor grey = image.mean(0, true).to(at::kFloat), scaled = (change / change.abs().max().clamp_min(1e-12)).to(at::kFloat);
    return drawing::draw_difference(floats(grey), floats(grey + scaled), 1, image.size(1), image.size(2)).picture;
}

}  // namespace whynot::image
