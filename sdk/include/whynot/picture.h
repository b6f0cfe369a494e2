#pragma once

/// Pictures in memory: image files that were read, and the pictures of an explanation.

#include <cstdint>
#include <string>
#include <vector>

namespace whynot {

/// 8 bits a channel, sRGB, rows from the top, no padding: `bytes` is [height, width, channels].
struct Picture {
    int64_t width = 0;
    int64_t height = 0;
    int64_t channels = 1;  ///< 1: grey, 2: grey and opacity, 3: red, green, blue, 4: those and opacity
    std::vector<uint8_t> bytes;
};

/// One picture of an explanation: "input", "boundary", "difference".
struct NamedPicture {
    std::string name;
    Picture picture;
};

/// A step on the way from an input to its answer, and what the classifier says of this very picture.
struct Frame {
    std::string name;  ///< "input", "boundary" or "edge", "answer" where it is one of these; empty between them
    Picture picture;
    std::vector<double> probabilities;  ///< [C], in the order of the pack's classes
};

}  // namespace whynot
