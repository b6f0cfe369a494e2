#pragma once

/// Questions about the rows of a `Batch`, as the `Problem` that the solver takes.
///
/// `Explainer` does this and everything after it. Whoever works with a `Model` directly, to measure it or to train with it, begins here:
///
///     whynot::Summary boundaries(whynot::Model& model, const std::vector<whynot::Input>& inputs) {
///         std::vector<whynot::ReadNotes> notes;
///         const std::unique_ptr<whynot::Batch> batch = model.read(inputs, notes);  // a row for each input that was not refused
///         const whynot::Problem problem = whynot::ask(*batch, model.info());       // why the likeliest class, and not the runner-up?
///         whynot::SolverOptions options;
///         options.typical_distance = model.info().typical_distance;
///         return whynot::solve(problem, options);
///     }
///
/// `ask` is these steps, which can also be taken one by one, to use what lies between them or to solve several problems from one start:
///
///     whynot::Problem step_by_step(whynot::Batch& batch, const whynot::ModelInfo& info) {
///         whynot::AskOptions options;
///         options.extra_starts = 2;
///         const at::Tensor said = whynot::log_probabilities(batch, info, options);                  // [B, C]
///         const whynot::RowQuestions questions = whynot::default_questions(said);                   // [q]: fact and foil
///         const at::Tensor start = whynot::latent_start(batch, info, questions, options);           // [B, k]
///         whynot::Problem problem = whynot::to_problem(batch, start, questions, options);
///         problem.extra_starts = whynot::extra_starts(batch, info, questions, options);             // [q, S, k]
///         return problem;
///     }
///
/// Sizes: B rows of the batch, q questions, C classes, k numbers of a latent point. Tensors are on the processor.
///
/// Ownership: a problem refers to its batch, which must outlive it. Threads: as the batch, one call at a time.
/// Errors: `invalid_argument` for questions that do not fit the batch; `internal` where the batch answers with another shape than
/// modality.h says; and whatever the batch throws, which names the plugin if `AskOptions::plugin` does.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/modality.h"
#include "whynot/problem.h"
#include "whynot/solver.h"

namespace whynot {

/// Questions about the rows of a batch: why `fact` and not `foil`?
struct RowQuestions {
    at::Tensor rows;        ///< [q], int64: indices into the batch; one may occur several times. Undefined: each row once, in order
    at::Tensor fact, foil;  ///< [q], int64: class indices
};

struct AskOptions {
    uint64_t seed = 1;         ///< for whatever the batch draws
    int64_t extra_starts = 0;  ///< so many further points to start from, as far as the modality has them
    std::string plugin;  ///< id of the plugin that the batch is of, for its errors (see `guarded`). Empty: the batch is the caller's own
};

/// What the classifier says of each row: log-probabilities, [B, C], double, normalised.
WHYNOT_API at::Tensor log_probabilities(Batch& batch, const ModelInfo& info, const AskOptions& options = {});

/// The likeliest class other than the fact, [n]. @param log_probabilities [n, C] @param fact [n]
WHYNOT_API at::Tensor likeliest_other(const at::Tensor& log_probabilities, const at::Tensor& fact);

/// One question a row: fact the likeliest class, foil the runner-up. @param log_probabilities [B, C]
WHYNOT_API RowQuestions default_questions(const at::Tensor& log_probabilities);

/// z0 of every row of the batch, [B, k]. The batch is told the facts; all questions about one row should have the same. Of a row that
/// nobody asks about the fact is class 0.
WHYNOT_API at::Tensor latent_start(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options = {});

/// Further points to start from, [q, S, k]; undefined where there are none. After `latent_start`.
WHYNOT_API at::Tensor extra_starts(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options);

/// The questions as the solver sees them, without extra starts. Asks the batch nothing yet. @param start as from `latent_start`
WHYNOT_API Problem to_problem(Batch& batch, const at::Tensor& start, const RowQuestions& questions, const AskOptions& options = {});

/// All of it: finds the starts and makes the problem.
WHYNOT_API Problem ask(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options = {});
/// The same for `default_questions`.
WHYNOT_API Problem ask(Batch& batch, const ModelInfo& info, const AskOptions& options = {});

}  // namespace whynot
