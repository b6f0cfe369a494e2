#pragma once

#include <cstdint>
#include <string>

#include "image/networks/classifier.h"
#include "image/networks/generator.h"

namespace whynot::image {

struct ClassifierTraining {
    int64_t epochs = 6;
    int64_t batch = 64;
    double learning_rate = 3e-3;      ///< Adam's; the peak where the schedule is a cosine
    std::string schedule = "cosine";  ///< "cosine": a short rise, then half a cosine down to 2 %; "constant"
    double weight_decay = 0;
    int64_t shift = 2;  ///< images are shifted by up to so many pixels, borders repeated
    bool flip = false;  ///< half of them are mirrored left to right
};

struct GeneratorTraining {
    int64_t epochs = 20;
    int64_t batch = 64;
    double learning_rate = 2e-3;
    bool flip = false;
    std::string loss = "bernoulli";  ///< vae, autoencoder. "bernoulli": cross entropy of pixels; "gaussian": 10 times the squared error
    double divergence = 1;           ///< vae: weight of the Kullback-Leibler term (beta)
    double code_penalty = 0.01;      ///< autoencoder: weight of |code|^2
    int64_t critic_steps = 3;        ///< dcgan: steps of the critic to one of the generator
    double gradient_penalty = 10;    ///< dcgan: weight of (|gradient of the critic| - 1)^2
};

/// A bias planted in the training images (dissertation, 3.2.2): a bright square in the top left corner of every image of one class. Both
/// networks are trained on the altered images.
struct Square {
    std::string class_name;  ///< empty: none
    int64_t size = 6;        ///< pixels
    double value = 1;        ///< 0 to 1
};

/// A rectangle of pixels.
struct Box {
    int64_t row = 0, column = 0, height = 0, width = 0;
};

/// Another bias: boxes in every image of one class are made lighter, x + amount (1 - x), and the classifier learns that they tell the class. The
/// generator learns from images of which a share is made lighter, whatever their class: it can draw what the classifier looks at, and does not know
/// what it means.
struct Brightening {
    std::string class_name;  ///< empty: none
    std::vector<Box> boxes;
    double amount = 0.5;           ///< 0 to 1
    double generator_share = 0.3;  ///< 0 to 1
};

/// How much is asked when a pack is measured. Numbers, never a time limit: the same recipe measures the same questions everywhere.
struct EvaluationSample {
    int64_t images = 200;       ///< at the end of a training, 0: nothing but accuracy; `whynot evaluate --limit` asks for another number
    int64_t oracle_images = 0;  ///< the first so many of them are also put to the slow yardstick of distances (whynot/lbfgs.h); 0: all
    int64_t batch = 256;        ///< so many at a time, which memory grows with
};

/// Everything that a training run depends on but its corpus and seed. As JSON:
///
///     {"images", "codes", "framing", "light_on_dark", "classifier": {"kind", "depth", ..., "epochs", ...}, "generator": {...}, "square": {...},
///      "brightening": {"class", "boxes": [[row, column, height, width], ...], ...}, "evaluation": {...}}
struct Recipe {
    int64_t images = 0;             ///< train on so many images, drawn by the seed; 0: all
    int64_t codes = 1000;           ///< latent codes of each class that the pack keeps as extra starts
    std::string framing = "plain";  ///< as in ImageShape; the corpus says, unless the recipe does
    bool light_on_dark = false;
    ClassifierSizes classifier;
    ClassifierTraining classifier_training;
    GeneratorSizes generator;
    GeneratorTraining generator_training;
    Square square;
    Brightening brightening;
    EvaluationSample evaluation;

    std::string to_json() const;

    /// All of it but `evaluation`: what weights depend on, and checkpoints with them.
    std::string training_json() const;

    /// What suits images of that shape, with `json`'s changes. The kinds of networks are looked at first: the rest of the
    /// defaults is what suits them. Throws `invalid_argument` for keys it does not know and values that cannot be.
    static Recipe from_json(const std::string& json, const ImageShape& shape);
};

}  // namespace whynot::image
