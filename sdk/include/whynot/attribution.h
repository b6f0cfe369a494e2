#pragma once

/// Attribution: which parts of an input a classifier's decision rests on, by published methods, as a map over the input.
///
/// It is there to be compared with, and because people ask for it. An explanation (explainer.h) shows an input that would be the foil; a map only
/// says where somebody should look. A plugin brings its methods as the service `whynot.attribution/1`:
///
///     #include "whynot/modality.h"
///
///     class PointAttribution : public whynot::Attribution {
///     public:
///         std::vector<whynot::AttributionMethod> methods() const override {
///             return {{"gradient", "the derivative by each number", "Simonyan et al. 2014, arXiv:1312.6034", ""}};
///         }
///         std::vector<whynot::AttributionMap> attribute(whynot::Model& model, whynot::Batch& batch, const whynot::AttributionRequest& request) override;
///     };
///
/// and a host application asks through an `Explainer`:
///
///     #include <iostream>
///
///     #include "whynot/explainer.h"
///
///     void print_map(whynot::Explainer& explainer) {
///         whynot::AttributionOptions options;
///         options.method = "occlusion";
///         for (const whynot::Attributed& one : explainer.attribute({{{"the food was gross .", ""}, {}}}, options))
///             std::cout << whynot::to_json(one) << "\n";
///     }
///
/// What a map says. A classifier has a logit l_c for each class. A map of fact A and foil B explains the gap
///
///     h(x) = l_A(x) - l_B(x)
///
/// and a map of one class alone its logit l_A. The score of a part is positive where what stands there speaks for the fact, negative where it
/// speaks for the foil. Its unit is the method's: nats, probability, nats a unit of the input.
///
/// The dissertation contrasts two maps by a sweep (S. Feghahati, Deep Contrastive Explanation, 2020, 3.2.1): with the maps M_A and M_B of both classes,
/// each divided by its largest score,
///
///     E_w = w M_B - M_A,   w = 0.005, 0.010, ..., 2
///
/// and the mean of those E_w that, added to the input, lower A's probability and raise B's. `sweep` asks for minus that mean, so that its signs are those
/// above; a modality that cannot add a map to an input refuses it.
///
/// Threads: as `Batch` and `Explainer`, one call at a time. Time: `attribute` calls `check_interruption` in its loops.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "whynot/explanation.h"
#include "whynot/export.h"
#include "whynot/picture.h"
#include "whynot/question.h"

namespace whynot {

class Batch;  // modality.h
class Model;

/// One method, for lists.
struct AttributionMethod {
    std::string name;    ///< "integrated-gradients": a-z, 0-9 and -
    std::string title;   ///< what it does, a line
    std::string source;  ///< where it was published
    std::string needs;   ///< what not every model has, a sentence; empty: any model will do
    /// Whether the map depends on the classifier. One that does not is a control: a yardstick that it tops proves nothing.
    bool asks_classifier = true;
};

/// One row of a batch, and what is asked about it.
struct AttributionQuestion {
    int64_t row = 0;
    int64_t fact = 0;
    int64_t foil = -1;      ///< -1: the fact alone
    std::string name = {};  ///< what to call its files: no other question has it, and it is fit for a file name
};

struct AttributionRequest {
    std::string method;
    std::vector<AttributionQuestion> questions;
    bool sweep = false;  ///< the dissertation's contrast, as above; every question has a foil then
    uint64_t seed = 1;   ///< of whatever is drawn; a map depends on its own question and the seed alone
    std::string out;     ///< folder for files, existing; empty: write none
};

/// The map of one question.
struct AttributionMap {
    std::vector<int64_t> shape;          ///< [h, w] of an image, of whose channels the scores are added up; [m] of a sentence of m words
    std::vector<double> scores;          ///< row-major, finite
    std::vector<std::string> parts;      ///< the name of each score's part, a word; empty where parts have none, as pixels
    std::string unit;                    ///< "nats"
    std::string terminal;                ///< the same for people, lines as `Rendering::terminal`
    std::vector<NamedPicture> pictures;  ///< for a preview, as those of `Rendering`: "input", "map"
    std::vector<std::pair<std::string, std::string>> files;  ///< what was written: its name ("sheet"), and its path relative to `out`
    std::vector<std::string> warnings;
    std::string failure;  ///< why this question has no map, a sentence; empty: it has
};

/// The service `whynot.attribution/1`. Frozen once released: a new method is a new id, never an added virtual.
class WHYNOT_API Attribution {
public:
    static constexpr const char* service_id = "whynot.attribution/1";
    virtual ~Attribution();

    /// The same each time, the plainest first.
    virtual std::vector<AttributionMethod> methods() const = 0;

    /// One map a question, in order.
    /// @param model, batch of this plugin's own modality
    /// Throws `invalid_argument` for an unknown method, a model that lacks what the method needs, and a sweep that cannot be.
    virtual std::vector<AttributionMap> attribute(Model& model, Batch& batch, const AttributionRequest& request) = 0;
};

/// How inputs are attributed.
struct AttributionOptions {
    std::string method;  ///< empty: the plugin's first
    bool alone = false;  ///< a map of the fact's own logit: no foil
    bool sweep = false;  ///< see above
    uint64_t seed = 1;
    std::string out;    ///< folder for pictures, existing; empty: none are written
    bool times = true;  ///< false: the record has no times, so that the same request gives the same bytes
};

/// The record of one map, and its pictures.
struct Attributed {
    static constexpr const char* schema = "whynot.attribution-record/1";

    std::string id;                  ///< the caller's, or `question_id`, the method and "sweep" with dashes between
    Explanation::Question question;  ///< foil empty: the fact alone
    Explanation::Pack pack;
    std::string method;
    bool sweep = false;
    uint64_t seed = 1;
    std::string reason;                ///< why there is no map, a sentence; empty: there is one
    ClassProbabilities probabilities;  ///< of the input
    AttributionMap map;                ///< its terminal lines and pictures are not part of the record
    std::optional<double> seconds;     ///< the batch's share
    std::vector<std::string> warnings;
};

/// As one line of JSON, without a newline:
///
///     schema, id, question {modality, input (a text, or {path, sha256}), fact, foil | null}, pack {id, version, sha256}, method {name, sweep, seed},
///     status "found" | "refused", reason | null, probabilities, map {shape, unit, scores, parts?, files?} | null, seconds?, warnings
WHYNOT_API std::string to_json(const Attributed& attributed);

}  // namespace whynot
