#pragma once

/// Labelled images of one size, from IDX files (the format of MNIST; its description stands in corpora/README.md).
///
///     const corpora::ImageCorpus corpus = corpora::read_images(std::getenv("WHYNOT_CORPORA"), "fashion-mnist");
///     corpus.classes()[corpus.train.labels[0]];   // "ankle boot"
///     corpus.train.pixels.data();                 // [60000, 28, 28, 1] bytes
///
/// Train and held-out images stand in the order of the files. That order is not random: in some corpora the labels run 0, 1, ..., 9,
/// 0, 1, ..., or the writers come one after the other. Who trains shuffles; who takes a sample goes by `image_hash`.
///
/// Threads: pure functions.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "corpora/files.h"
#include "corpora/manifest.h"

namespace whynot::corpora {

/// Labelled images of one size.
struct LabelledImages {
    int64_t count = 0;
    int64_t channels = 0;  ///< 1: grey, 3: red, green, blue
    int64_t height = 0;
    int64_t width = 0;
    std::vector<uint8_t> pixels;  ///< [count, height, width, channels], 0 to 255
    std::vector<int64_t> labels;  ///< [count], indices into the classes; -1: of none of them (in `train` only)

    int64_t image_bytes() const { return height * width * channels; }
};

struct ImageCorpus {
    CorpusManifest manifest;
    std::string sha256;  ///< of all files, uncompressed, one after the other in the manifest's order
    /// `train` may hold images of no class, labelled -1: a generator learns from them, a classifier must leave them out.
    LabelledImages train, held_out;

    const std::vector<std::string>& classes() const { return manifest.classes; }
};

/// Reads a corpus of images; MNIST takes half a second, in which `watch` is called every few milliseconds.
/// @throws Error as `find_corpus`; not_found for a missing file, io for one that cannot be read or whose gzip is damaged,
///         invalid_input for one whose content is not what the manifest and the format say
ImageCorpus read_images(const std::filesystem::path& corpora, const std::string& name, const Watch& watch = {});

/// FNV-1a-64 of an image's bytes: the order in which samples are taken from held_out, the same for everybody.
uint64_t image_hash(const LabelledImages& images, int64_t index);

}  // namespace whynot::corpora
