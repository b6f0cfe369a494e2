#include "whynot/asking.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "solver/shape.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace whynot {
namespace {

template <class F>
auto call(const std::string& plugin, const char* operation, F&& f) {
    return plugin.empty() ? std::forward<F>(f)() : guarded(plugin, operation, std::forward<F>(f));
}

void check_questions(const RowQuestions& questions, int64_t rows) {
    const auto is_list = [](const at::Tensor& tensor) {
        return tensor.defined() && tensor.dim() == 1 && tensor.scalar_type() == at::kLong;
    };
    const int64_t count = questions.rows.defined() && questions.rows.dim() == 1 ? questions.rows.size(0) : rows;
    for (const auto& [name, tensor] : {std::pair("fact", questions.fact), std::pair("foil", questions.foil)})
        if (!is_list(tensor) || tensor.size(0) != count)
            throw Error(ErrorCode::invalid_argument, "RowQuestions::" + std::string(name) + " should be [" + std::to_string(count) +
                                                         "] int64, one class a question; it is " + internal::shape_of(tensor));
    if (!questions.rows.defined()) return;
    const bool fits = is_list(questions.rows) &&
                      (count == 0 || (questions.rows.min().item<int64_t>() >= 0 && questions.rows.max().item<int64_t>() < rows));
    if (!fits)
        throw Error(ErrorCode::invalid_argument, "RowQuestions::rows should be [q] int64, indices into a batch of " + std::to_string(rows) +
                                                     " rows; it is " + internal::shape_of(questions.rows));
}

at::Tensor every_row(const Batch& batch) { return at::arange(batch.size(), at::kLong); }

/// How many numbers a latent point has: k, or several times that of inputs of several parts.
int64_t numbers_of_point(const at::Tensor& points, const ModelInfo& info) {
    const int64_t found = points.dim() > 0 ? points.size(-1) : 0;
    return info.parts && found > 0 && found % info.latent_size == 0 ? found : info.latent_size;
}

}  // namespace

at::Tensor log_probabilities(Batch& batch, const ModelInfo& info, const AskOptions& options) {
    const at::Tensor said = call(options.plugin, "classify", [&] { return batch.classify(); });
    internal::check_shape(said, {batch.size(), static_cast<int64_t>(info.classes.size())}, "[B, C]", "classify", options.plugin);
    return at::log_softmax(said.detach().to(at::kDouble).cpu(), 1);
}

at::Tensor likeliest_other(const at::Tensor& log_probabilities, const at::Tensor& fact) {
    return log_probabilities.detach().scatter(1, fact.unsqueeze(1), -INFINITY).argmax(1);
}

RowQuestions default_questions(const at::Tensor& log_probabilities) {
    const at::Tensor fact = log_probabilities.argmax(1);
    return {{}, fact, likeliest_other(log_probabilities, fact)};
}

at::Tensor latent_start(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options) {
    check_questions(questions, batch.size());
    at::Tensor facts = questions.fact;
    if (questions.rows.defined()) facts = at::zeros({batch.size()}, at::kLong).index_put_({questions.rows}, questions.fact);
    const at::Tensor start = call(options.plugin, "find the latent start", [&] { return batch.start(facts, options.seed); });
    internal::check_shape(start, {batch.size(), numbers_of_point(start, info)}, "[B, k]", "start", options.plugin);
    return start.detach();
}

at::Tensor extra_starts(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options) {
    check_questions(questions, batch.size());
    if (options.extra_starts <= 0) return {};
    const at::Tensor rows = questions.rows.defined() ? questions.rows : every_row(batch);
    const at::Tensor extra = call(options.plugin, "find extra starts", [&] {
        return batch.extra_starts(rows, questions.fact, questions.foil, options.extra_starts, options.seed);
    });
    if (!extra.defined()) return {};
    const int64_t count = extra.dim() == 3 ? extra.size(1) : options.extra_starts;  // there may be fewer
    internal::check_shape(extra, {rows.size(0), count, numbers_of_point(extra, info)}, "[q, S, k]", "extra_starts", options.plugin);
    return extra.detach();
}

Problem to_problem(Batch& batch, const at::Tensor& start, const RowQuestions& questions, const AskOptions& options) {
    check_questions(questions, batch.size());
    Problem problem;
    problem.start = questions.rows.defined() ? start.index_select(0, questions.rows) : start;
    problem.fact = questions.fact;
    problem.foil = questions.foil;
    problem.log_likelihood = [&batch, rows = questions.rows, plugin = options.plugin](const at::Tensor& z, const at::Tensor& which) {
        const at::Tensor of_batch = rows.defined() ? rows.index_select(0, which) : which;
        return call(plugin, "compute log-likelihoods", [&] { return batch.log_likelihood(z, of_batch); });
    };
    return problem;
}

Problem ask(Batch& batch, const ModelInfo& info, const RowQuestions& questions, const AskOptions& options) {
    Problem problem = to_problem(batch, latent_start(batch, info, questions, options), questions, options);
    problem.extra_starts = extra_starts(batch, info, questions, options);
    return problem;
}

Problem ask(Batch& batch, const ModelInfo& info, const AskOptions& options) {
    return ask(batch, info, default_questions(log_probabilities(batch, info, options)), options);
}

}  // namespace whynot
