#pragma once

// Pictures of 16 x 16 under the names of corpora that experiments need: what looks a little like garments, and like faces.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "corpora/toy_files.h"

namespace toy {

/// Writes `folder`/`name`, so many images of each class. @param draw a value from 0 to 255 of (random numbers of the image, label, y, x, channel)
struct Drawn {
    double shift, light, third;  ///< -1 to 1, 0 to 1, 0 to 1: an image's own
};
using Draw = std::function<double(const Drawn&, int label, int y, int x, int channel)>;

inline void write_named(const std::filesystem::path& folder, const std::string& name, const std::vector<std::string>& classes,
                        uint32_t channels, uint32_t train, uint32_t held_out, const Draw& draw) {
    constexpr uint32_t side = 16;
    std::mt19937 random(5);
    const auto uniform = [&] { return static_cast<double>(random() % 10000) / 10000; };
    for (const auto& [split, count] : {std::pair<std::string, uint32_t>{"train", train}, {"test", held_out}}) {
        const auto number = static_cast<uint32_t>(count * classes.size());
        std::string pixels, labels;
        for (uint32_t i = 0; i < number; ++i) {
            const auto label = static_cast<int>(i % classes.size());
            const Drawn image{2 * uniform() - 1, uniform(), uniform()};
            for (int y = 0; y < static_cast<int>(side); ++y)
                for (int x = 0; x < static_cast<int>(side); ++x)
                    for (int c = 0; c < static_cast<int>(channels); ++c) {
                        const double value = draw(image, label, y, x, c) + 12 * (uniform() - 0.5);
                        pixels += static_cast<char>(std::lround(std::fmin(255, std::fmax(0, value))));
                    }
            labels += static_cast<char>(label);
        }
        const std::vector<uint32_t> grey{number, side, side}, colour{number, side, side, channels};
        whynot::test::write(folder / name / (split + "-images"), whynot::test::idx(channels == 1 ? grey : colour, pixels));
        whynot::test::write(folder / name / (split + "-labels"), whynot::test::idx({number}, labels));
    }
    std::string names;
    for (const std::string& one : classes) names += (names.empty() ? "\"" : ", \"") + one + "\"";
    whynot::test::write(folder / name / "corpus.json", R"({"schema": "whynot.corpus/1", "name": ")" + name +
                                                           R"(", "kind": "labelled-images",
        "title": "Toys", "home": "made by the tests", "licence": "none needed", "classes": [)" +
                                                           names + R"(],
        "files": [{"name": "train-images", "role": "images", "split": "train"}, {"name": "train-labels", "role": "labels", "split": "train"},
                  {"name": "test-images", "role": "images", "split": "held_out"}, {"name": "test-labels", "role": "labels", "split": "held_out"}]})");
}

/// A trunk with short sleeves, with long ones, and wide to the ground; two legs.
inline void write_garments(const std::filesystem::path& folder) {
    write_named(folder, "fashion-mnist", {"t-shirt", "shirt", "trouser", "coat"}, 1, 240, 6,
                [](const Drawn& image, int label, int y, int x, int) {
                    const double across = std::abs(x - 7.5 - image.shift), light = 140 + 90 * image.light;
                    const double half = label == 3 ? 6.5 : label == 2 ? 4 : 3;
                    const bool trunk = across < half && y > 1 && y < 15 && !(label == 2 && across < 1.5);
                    const bool sleeve = label < 2 && across < 6 && y > 1 && y < (label == 0 ? 6 : 13);
                    return trunk || sleeve ? light : 0.0;
                });
}

/// A face with hair above and beside it that is light or dark, two eyes, and of males a beard. Hair differs more than what a cue in the eyes adds.
inline void write_heads(const std::filesystem::path& folder) {
    write_named(folder, "faces", {"blond female", "dark male", "dark female"}, 3, 200, 6,
                [](const Drawn& image, int label, int y, int x, int c) {
                    const double tint = c == 0 ? 1 : c == 1 ? 0.85 : 0.7;
                    if (y < 4 || x < 4 || x > 11) return tint * (label == 0 ? 110 + 100 * image.light : 30 + 90 * image.light);
                    if (y == 8 && ((x >= 5 && x < 8) || (x >= 9 && x < 11))) return 40 + 30 * image.third;
                    if (label == 1 && y > 11) return tint * 80;
                    return tint * (170 + 50 * image.third);
                });
}

}  // namespace toy
