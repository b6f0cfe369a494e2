#pragma once

/// The three points of one search: where the foil becomes as likely as the fact, where nothing is likelier than the foil, and where
/// anybody would call it the foil (`Target` in solver.h).
///
///     std::vector<at::Tensor> answers(const whynot::Problem& problem, const whynot::SolverOptions& options) {
///         const whynot::Points points = whynot::solve_points(problem, options, 0.9);
///         std::vector<at::Tensor> shown;
///         for (const std::optional<whynot::Solution>& answer : points.answers)
///             if (answer && answer->feasible) shown.push_back(answer->z);  // the foil has a probability of at least 0.9 there
///         return shown;
///     }
///
/// Each search begins where the one before ended, so that the later ones cost little. Distances are measured to z0 in all of them.

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "whynot/export.h"
#include "whynot/problem.h"
#include "whynot/solver.h"

namespace whynot {

/// What was found for each question of a batch, in its order.
struct WHYNOT_API Points {
    Summary boundary;  ///< of the first search; its solutions are the boundary points
    /// Where the boundary was not reached, and something was found: the edge.
    std::vector<std::optional<Solution>> edges;
    std::vector<int64_t> between;  ///< where the edge was reached: the class that stands between, as likely there as the foil; otherwise -1
    /// Where the boundary or the edge was reached. Not feasible: the foil is likelier there than any other class, but has not the
    /// probability that was asked for, or nothing was found at all (`reason` says which).
    std::vector<std::optional<Solution>> answers;
    /// Probabilities of the classes at the boundary, or at the edge where that was reached instead; and at the answer. [B, C], double.
    at::Tensor at_boundary, at_answer;

    /// Boundary or edge: the point that explains question i; null where neither was reached.
    const Solution* reached(size_t i) const;
    /// Evaluations of question i over all searches.
    int64_t forward(size_t i) const;
    int64_t backward(size_t i) const;
};

/// `SolverOptions::lead` for an answer of at least that confidence: its log-odds, and 1.5 nats more, so that a classifier of the same kind that had
/// no part in the search mostly agrees.
WHYNOT_API double lead_for(double confidence);

/// Throws Error `invalid_argument` for what is no confidence: from .5 to below 1.
WHYNOT_API void check_confidence(double confidence);

/// So many extra starts a problem should bring beyond the `SolverOptions::starts` - 1 that each question is searched from: where no boundary is found
/// from those, it is searched from these too. On Fashion-MNIST that finds the boundary of 3 to 9 more of 100 distant foils. (A
/// modality should give the same first starts however many it is asked for.)
constexpr int64_t starts_in_reserve = 5;

/// Searches all three. @param confidence of the foil at the answer, from .5 to below 1; 0: no answer is searched
/// @param options `target` and `lead` are not used; deadline and evaluations are those of all searches together, and the callback is called
///     in each of them. What ends one ends those after it
/// Throws Error as `solve` does.
WHYNOT_API Points solve_points(const Problem& problem, const SolverOptions& options, double confidence);

}  // namespace whynot
