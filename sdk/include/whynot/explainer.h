#pragma once

/// From a question to its explanation: the whole method in one call.
///
///     #include <iostream>
///
///     #include "whynot/report.h"
///
///     int main() {
///         whynot::Host host;  // finds the plugins
///         whynot::Explainer explainer(host, whynot::find_pack("yelp", whynot::default_pack_search()));
///         const whynot::Answer answer = explainer.explain("the food was gross .");
///         std::cout << whynot::to_terminal(answer.record, answer.terminal, {});
///     }
///
/// An explainer opens its pack once and answers any number of questions, in batches or one by one.
///
/// Threads: one call at a time an explainer; several explainers may work in several threads.
///
/// Errors: what concerns one input (empty text, not UTF-8, a foil that is already the fact) refuses that question with a reason and
/// leaves the others alone; what concerns all of them is thrown.
///
/// What repeats: the same call (the same questions in the same order, options and seed) gives the same records but for
/// `cost.seconds`, on the same machine with the same build and number of threads, as long as no deadline ends it early. In another
/// batch the last digits of a question's figures differ, because matrix products are summed in another order.
///
/// Deadline and callback (`SolverOptions`) cover all of a call of `explain`. They are asked after the inputs were read and classified,
/// after the latent start, after the extra starts, in each iteration of the search, and before each group of answers (as many as
/// LibTorch has threads, or one more). Nothing that is under way is interrupted: a call overshoots its deadline by what is left of
/// the step that it is in, at most the longest of these, and where that is the search by the evaluation of the boundary points.
///
/// | ended                      | by the deadline | by `stop` | the record has                              |
/// |----------------------------|-----------------|-----------|---------------------------------------------|
/// | before the search          | best-effort     | stopped   | the probabilities of the input              |
/// | in the search              | best-effort     | stopped   | its figures too, of the best point so far   |
/// | before its answer was made | best-effort     | stopped   | the figures of the boundary point, no answer |
///
/// `reason` says which. `stop` ends the search, or what comes before and after it, not the call: the callback is asked again before the
/// answers are made of what was found. `abort` makes `explain` throw `cancelled` wherever it is.

#include <memory>
#include <string>
#include <vector>

#include "whynot/answer.h"
#include "whynot/attribution.h"
#include "whynot/explanation.h"
#include "whynot/export.h"
#include "whynot/host.h"
#include "whynot/pack.h"
#include "whynot/question.h"
#include "whynot/solver.h"

namespace whynot {

struct ExplainOptions {
    SolverOptions solver;   ///< `typical_distance` is taken from the pack; `target` and `lead` are not used: all points are searched
    double confidence = 0;  ///< the least probability of the foil in an answer, from .5 to below 1; 0: the modality's own
    int64_t answers = 1;    ///< how many different answers are wanted, up to 20; for what is answered by edits, such as sentences
    std::vector<std::string> keep;  ///< words that no answer may change; likewise
    bool strict = false;            ///< refuse inputs that are unlike what the model was made for (`Strangeness` above 1)
    std::string decode;             ///< how the boundary becomes an answer, one of the modality's ways; empty: its default
    uint64_t seed = 1;              ///< of everything that is drawn
    std::string out;                ///< folder for the pictures of an explanation, existing; empty: none are written
    bool frames = false;            ///< `Answer::frames` too: the way from the input to its answer, of what is shown as a picture
    bool times = true;              ///< false: the record has no times, so that the same request gives the same bytes
};

/// One question and its input.
struct Ask {
    Input input;
    Question question;
};

class WHYNOT_API Explainer {
public:
    /// Opens a pack through the plugin that provides its modality. `host` must outlive the explainer.
    /// Throws `not_found` when no plugin provides it, `bad_pack` when the plugin cannot use it.
    Explainer(Host& host, Pack pack, const std::string& device = "cpu");
    ~Explainer();
    Explainer(Explainer&&) noexcept;
    Explainer& operator=(Explainer&&) noexcept;

    const Pack& pack() const;

    /// Explains a batch: one answer a question, in order.
    std::vector<Answer> explain(const std::vector<Ask>& questions, const ExplainOptions& options = {});
    /// Explains one text.
    Answer explain(const std::string& text, const Question& question = {}, const ExplainOptions& options = {});

    /// What the pack's plugin has to say where a decision comes from, by methods of attribution (attribution.h): one record a question, in order.
    /// Throws `not_found` where the plugin has no such methods, `invalid_argument` for one that it does not have.
    std::vector<Attributed> attribute(const std::vector<Ask>& questions, const AttributionOptions& options = {});
    std::vector<AttributionMethod> attribution_methods() const;

    /// Asks the classifier only.
    std::vector<Classification> classify(const std::vector<Input>& inputs);

    /// Seconds that opening the pack took.
    double load_seconds() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace whynot
