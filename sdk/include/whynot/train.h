#pragma once

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
    std::filesystem::path out;      ///< the pack's folder: new, empty, or one with checkpoints of the same recipe and seed to go on from
    std::string recipe;             ///< a JSON object; what it leaves out takes the recipe's defaults, what it does not know is an error
    uint64_t seed = 1;
};

/// The service `whynot.train/1`: makes a pack from a corpus.
class WHYNOT_API Trainer {
public:
    static constexpr const char* service_id = "whynot.train/1";
    virtual ~Trainer();

    /// The complete recipe with its defaults, as a JSON object: what `--recipe` may change.
    virtual std::string default_recipe() const = 0;

    /// Trains, measures, and writes the pack. Checkpoints in `out` let a stopped run go on; they are removed at the end.
    virtual void train(const TrainRequest& request, const Observer& observer) = 0;
};

/// What to measure.
struct EvaluateRequest {
    std::string corpus;  ///< name of a corpus under `corpora`, or a file with one input a line
    std::filesystem::path corpora;
    /// A folder for what takes long to make and is the same each time (language models, ...); need not be there. May be empty: nothing is kept.
    std::filesystem::path cache;
    int64_t limit = 500;  ///< how many questions
    uint64_t seed = 1;
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
