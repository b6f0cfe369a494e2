#pragma once

/// What an explanation looks like: the difference over the greyed input, the contact sheet, the morph. No Torch here.

#include <cstdint>
#include <string>
#include <vector>

#include "whynot/picture.h"

namespace whynot::drawing {

/// The change from input to boundary over the input.
///
/// The input is shown in grey at 45 % contrast; where the boundary is lighter the picture is red, where it is darker blue, with an opacity of
/// |change| / scale. The scale is the largest |change|, but at least 0.2, so that a change of nothing does not show as noise.
/// For three channels the change is that of the luminance.
struct Difference {
    Picture picture;   ///< 3 channels, size of the input
    double scale = 0;  ///< the change that full colour stands for, 0 to 1
};

/// @param input, boundary values in [0, 1] or beyond, [channels, height, width] row-major, not clipped
Difference draw_difference(const std::vector<float>& input, const std::vector<float>& boundary, int64_t channels, int64_t height,
                           int64_t width);

/// One picture of the sheet with the lines under it.
struct Panel {
    Picture picture;                  ///< 1 or 3 channels
    std::vector<std::string> lines;   ///< UTF-8, the first in bold; too long a line is made smaller, then cut
    double scale = 0;                 ///< of a difference (Difference::scale): a colour bar stands below its lines; 0: none
    std::string low = {}, high = {};  ///< what the ends of that bar stand for; empty: remove and add
};

/// A contact sheet on white: a title, below it what the panels show in a sentence, panels side by side, in rows of six at most, enlarged to about 260 pixels (larger ones are reduced), their lines, and below a
/// difference a colour bar from "-scale low" over 0 to "+scale high". Letters that DejaVu Sans lacks show as boxes.
/// Fontconfig finds the font; where it can write its cache nowhere, neither for all users nor for this one, it complains on standard error.
/// @return 3 channels
/// Throws Error `invalid_argument` for text that is not UTF-8 and for no panels.
Picture draw_sheet(const std::string& title, const std::string& sentence, const std::vector<Panel>& panels);

/// A table of numbers as squares, the darker the larger, each row and column with its name, under a title. No Torch, no modality: the text
/// plugin draws the letters of words with it.
/// @param darkness 0 (white) to 1, [rows, columns] row-major
/// @return 3 channels
/// Throws Error `invalid_argument` for sizes that do not fit together and for text that is not UTF-8.
Picture draw_matrix(const std::string& title, const std::vector<std::string>& rows, const std::vector<std::string>& columns,
                    const std::vector<double>& darkness);

/// A line of a chart.
struct Curve {
    std::string name;            ///< UTF-8, stands at the line's right end
    std::vector<double> values;  ///< one for each place
    bool bold = false;           ///< what to look at
};

/// What an axis of a chart measures, and from where to where.
struct Axis {
    std::string name;  ///< UTF-8
    double low = 0, high = 1;
};

/// Values over places, as lines: a title, a sentence below it, both axes with numbers, each line in a colour of its own with its name in the same
/// colour. The eleventh line has the first one's colour again, and is dashed. What lies beyond an axis is cut off.
/// @param places of the values along x, in ascending order; at least two
/// @return 3 channels
/// Throws Error `invalid_argument` for sizes that do not fit together, for axes without length, for what is no number and for text that is not UTF-8.
Picture draw_curves(const std::string& title, const std::string& sentence, const Axis& x, const Axis& y, const std::vector<double>& places,
                    const std::vector<Curve>& curves);

/// Pictures one below the other on white, as wide as the widest. @return 3 channels
/// Throws Error `invalid_argument` for none, and for one with opacity.
Picture stacked(const std::vector<Picture>& pictures);

/// Every pixel becomes a square, so many times larger that the longer side has at least `side` pixels.
Picture enlarge(const Picture& picture, int64_t side);

/// The frames of an animation that goes along `path` and back, each enlarged to at least `side` pixels. The frames of a path of n are 2 n - 2.
/// @param stops indices of `path` that stand longer: its ends, the boundary on the way
/// @param hundredths gets how long each frame stands, in 1/100 s
std::vector<Picture> draw_morph(const std::vector<Picture>& path, const std::vector<size_t>& stops, int64_t side,
                                std::vector<int>& hundredths);

}  // namespace whynot::drawing
