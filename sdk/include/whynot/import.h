#pragma once

/// Packs from models that exist already, as TorchScript files.
///
///     whynot::ImportRequest request;
///     request.files = {{"classifier", "cats.pt"}};
///     request.classes = {"cat", "dog"};
///     request.input = R"({"channels": 3, "height": 64, "width": 64, "mean": [0.5], "std": [0.25]})";
///     request.out = "cats";
///     std::string findings = importer.import_model(request, {});        // a pack that classifies
///     importer.train_generator({whynot::open_pack("cats"), "photos", "mine"}, {});   // one that explains
///
/// A TorchScript file is a program: opening it runs what its author wrote. Use only files of people you trust.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/pack.h"
#include "whynot/progress.h"

namespace whynot {

/// What a model is made of, and what its files do not tell.
struct ImportRequest {
    /// By what they are: "classifier"; for images "encoder" and "decoder", both or neither; for text "embedding", and "vocabulary" or "tokenizer".
    std::map<std::string, std::filesystem::path> files;
    std::vector<std::string> classes;  ///< names, in the order of the classifier's outputs
    /// What the classifier emits. It is found out on a sample; what is given here must agree with that.
    std::optional<Emits> emits;
    /// JSON text: what the modality must know of the input. For images {"channels", "height", "width", "mean", "std"} with optional
    /// "framing" and "light_on_dark" (plugins/image/model/fit.h); the classifier is given (image - mean) / std of images in [0, 1]. For text with a
    /// tokenizer, all optional: {"case": "lower" or "keep", "before": [pieces], "after": [pieces]} (plugins/text/pieces/piece_reader.h).
    std::string input = "{}";
    std::filesystem::path data;  ///< inputs like those to be explained, for images a folder; needed with an encoder and a decoder
    std::filesystem::path out;   ///< the pack's folder, new or empty
    std::string licence;         ///< of the model, a sentence
    uint64_t seed = 1;
    /// For text: id or folder of a pack whose generator is to explain the model; it is named, not copied. Empty: none.
    std::string generator;
    /// What the model's own code says of some inputs, JSON lines {"text": ..., "probabilities": [...]}: compared before anything else is done, and
    /// refused where a probability is off by more than 1e-4. Empty: nothing is compared.
    std::filesystem::path verify;
};

/// A generator to be trained for a classifier that a pack has.
struct GeneratorRequest {
    std::optional<Pack> pack;    ///< absent, for text only: a generator alone, which other packs name
    std::filesystem::path data;  ///< inputs like those to be explained, unlabelled; for images a folder
    std::filesystem::path out;   ///< the new pack's folder: new, empty, or with checkpoints of the same request, from which it continues
    std::string recipe = "{}";   ///< JSON text, as in TrainRequest; what it says of classifiers is not used
    uint64_t seed = 1;
    std::vector<std::string> corpora = {};      ///< for text, instead of `data`: names of corpora, whose labels are not looked at
    std::filesystem::path corpora_folder = {};  ///< where they are
    /// For text: the pack as it is, which names another's generator, with a word model of its own for answers in place of that generator's.
    bool words_only = false;
};

/// The service `whynot.import/1`.
class WHYNOT_API Importer {
public:
    static constexpr const char* service_id = "whynot.import/1";
    virtual ~Importer();

    /// Tests the model, and writes it as a pack if everything fits: shapes, number of classes, what it emits, that a batch gives the same as its
    /// rows alone, that gradients exist and are right. Without a generator the pack can only classify.
    /// @returns a JSON object of what was found, for people
    ///
    /// Throws `invalid_input` naming what does not fit and what to do, `invalid_argument` for a request that is incomplete.
    virtual std::string import_model(const ImportRequest& request, const Observer& observer) = 0;

    /// Trains a generator on the data, and writes a pack of it with the pack's classifier.
    virtual void train_generator(const GeneratorRequest& request, const Observer& observer) = 0;
};

}  // namespace whynot
