#pragma once

/// What lies between the server, which needs no tensors and answers its first page at once, and the models, which need LibTorch.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "whynot/answer.h"
#include "whynot/attribution.h"
#include "whynot/page.h"

namespace whynot::cli {

enum class Task { explain, classify, attribute, samples, held_out };

/// What one job asks of one pack.
struct AskRequest {
    Task task = Task::explain;
    std::string pack;                   ///< its folder
    std::vector<Input> inputs;          ///< with their bytes: no file is read for a request
    std::vector<Question> questions;    ///< one an input
    std::vector<std::string> problems;  ///< one an input: why it cannot be asked, a sentence; empty: it can
    std::vector<std::string> keep;
    double confidence = 0;
    int64_t answers = 1;
    std::string decode;
    uint64_t seed = 1;
    std::string method;  ///< of attribution; empty: what methods there are
    bool frames = true;
    int64_t first = 1;  ///< the number of the first answer in a list
    int64_t limit = 0;  ///< of held-out inputs: so many at most, of the corpus that the pack was trained on
};

/// What came of it: that which was asked for, the others empty.
struct AskResult {
    Task task = Task::explain;
    std::vector<Answer> answers;
    int64_t first = 1;  ///< the number of the first of them
    std::vector<Classification> classifications;
    std::vector<Attributed> attributions;
    std::vector<AttributionMethod> methods;
    std::vector<Input> samples;  ///< or inputs held out
    PackIdentity pack;
};

struct AskProgress {
    enum class Stage { loading, start, search, render };
    Stage stage = Stage::loading;
    int64_t done = 0, of = 0;  ///< questions
};

/// Models that answer. Threads: `ask` one call at a time, `open` any.
class Asker {
public:
    /// Told how far it is; false: stop.
    using Watch = std::function<bool(const AskProgress&)>;

    virtual ~Asker() = default;
    /// Throws `whynot::Error`, `cancelled` where the watch said so. What concerns one question alone is in its record.
    virtual AskResult ask(const AskRequest& request, const Watch& watch) = 0;
    /// The folders of the packs that are open.
    virtual std::vector<std::string> open() const = 0;
};

}  // namespace whynot::cli
