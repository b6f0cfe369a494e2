#pragma once

// Pictures of 16 x 16 with three classes, small enough to train everything on in seconds: a ring, a bar standing, a bar lying.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

#include "corpora/toy_files.h"

namespace toy {

constexpr int64_t side = 16;

/// White on black, places and thickness drawn.
inline std::string image(std::mt19937& random, int label) {
    std::string pixels(side * side, '\0');
    const double x0 = 7.5 + static_cast<double>(random() % 300) / 100 - 1.5, y0 = 7.5 + static_cast<double>(random() % 300) / 100 - 1.5;
    const double thick = 1.2 + static_cast<double>(random() % 100) / 100, radius = 4 + static_cast<double>(random() % 100) / 100;
    for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x) {
            const double dx = static_cast<double>(x) - x0, dy = static_cast<double>(y) - y0;
            const double away = label == 0   ? std::abs(std::hypot(dx, dy) - radius)
                                : label == 1 ? std::max(std::abs(dx), std::abs(dy) - radius)
                                             : std::max(std::abs(dy), std::abs(dx) - radius);
            pixels[static_cast<size_t>(y * side + x)] = static_cast<char>(std::lround(255 / (1 + std::exp(4 * (away - thick)))));
        }
    return pixels;
}

/// Writes a corpus of them as `folder`/toy.
inline void write_corpus(const std::filesystem::path& folder, uint32_t train = 450, uint32_t held_out = 24) {
    std::mt19937 random(3);
    for (const auto& [split, count] : {std::pair<std::string, uint32_t>{"train", train}, {"test", held_out}}) {
        std::string pixels, labels;
        for (uint32_t i = 0; i < count; ++i) {
            pixels += image(random, static_cast<int>(i % 3));
            labels += static_cast<char>(i % 3);
        }
        whynot::test::write(folder / "toy" / (split + "-images"), whynot::test::idx({count, side, side}, pixels));
        whynot::test::write(folder / "toy" / (split + "-labels"), whynot::test::idx({count}, labels));
    }
    whynot::test::write(folder / "toy" / "corpus.json",
                        R"({"schema": "whynot.corpus/1", "name": "toy", "kind": "labelled-images", "title": "Rings and bars",
        "home": "made by the tests", "licence": "none needed", "classes": ["ring", "standing", "lying"],
        "files": [{"name": "train-images", "role": "images", "split": "train"}, {"name": "train-labels", "role": "labels", "split": "train"},
                  {"name": "test-images", "role": "images", "split": "held_out"}, {"name": "test-labels", "role": "labels", "split": "held_out"}]})");
}

/// A recipe that suits it. Measuring is what takes long, and here one image tells as much as many.
inline std::string recipe() {
    return R"({"codes": 20, "evaluation": {"images": 1, "oracle_images": 1, "batch": 8}, "classifier": {"epochs": 6, "batch": 20, "shift": 1},
               "generator": {"latent": 6, "channels": [8, 12], "hidden": 40, "epochs": 12, "batch": 20, "learning_rate": 0.005}})";
}

}  // namespace toy
