#pragma once

/// Services that make packs and measure them.
///
///     #include <whynot/host.h>
///     #include <whynot/train.h>
///
///     void train(const whynot::Host& host) {
///         whynot::TrainRequest request;
///         request.corpus = "yelp";
///         request.corpora = "/home/me/corpora";
///         request.out = "mine";
///         const std::string plugin = host.find_service("text", whynot::Trainer::service_id).manifest.id;
///         auto& trainer = host.service<whynot::Trainer>(plugin);
///         whynot::guarded(plugin, "train", [&] { trainer.train(request, {}); });
///     }
///
/// Threads: one call at a time per folder. Errors: `invalid_argument` for a recipe or corpus that does not fit, `not_found` for one that
/// does not exist, `cancelled` when the observer says so.

#include <cstdint>
#include <filesystem>
#include <string>

#include "whynot/export.h"
#include "whynot/pack.h"
#include "whynot/progress.h"

namespace whynot {

/// What to train, from what, into where.
struct TrainRequest {
    std::string corpus;             ///< name of a corpus under `corpora`
    std::filesystem::path corpora;  ///< the folder that holds the corpora (WHYNOT_CORPORA)
    std::filesystem::path out;  ///< the pack's folder: new, empty, or with checkpoints of the same recipe and seed, from which it continues
    std::string recipe;         ///< a JSON object; what it leaves out has the recipe's default, an unknown key is an error
    uint64_t seed = 1;
    /// Id or folder of a pack whose generator the new one gets, instead of one of its own: a generator serves every classifier of such inputs.
    std::string generator;
    /// Id or folder of a pack that is taken as it is and gets a second opinion, trained on the corpus, beside its classifier: nothing else is
    /// trained. For text.
    std::string opinion_for = {};
};

/// The service `whynot.train/1`: makes a pack from a corpus.
class WHYNOT_API Trainer {
public:
    static constexpr const char* service_id = "whynot.train/1";
    virtual ~Trainer();

    /// The complete recipe with its defaults, as a JSON object: what `--recipe` may change.
    virtual std::string default_recipe() const = 0;

    /// Trains, measures, and writes the pack. A run that was stopped continues from the checkpoints in `out`, which are removed at the end.
    virtual void train(const TrainRequest& request, const Observer& observer) = 0;
};

/// What to measure.
struct EvaluateRequest {
    std::string corpus;  ///< name of a corpus under `corpora`, or a file with one input a line
    std::filesystem::path corpora;
    /// A folder for what takes long to compute and is the same each time (language models, ...). It need not exist. Empty: nothing is kept.
    std::filesystem::path cache;
    int64_t limit = 500;  ///< how many questions
    uint64_t seed = 1;
    double confidence = 0;  ///< the least probability of the foil in an answer; 0: the modality's own
};

/// The service `whynot.evaluate/1`: the quality of a pack's explanations, every figure with its N.
class WHYNOT_API Evaluator {
public:
    static constexpr const char* service_id = "whynot.evaluate/1";
    virtual ~Evaluator();

    /// A JSON object {"figures": [{"name", "value", "n", "unit"}...], "examples": [...]}.
    virtual std::string evaluate(const Pack& pack, const EvaluateRequest& request, const Observer& observer) = 0;
};

}  // namespace whynot
