#pragma once

/// The contrastive solver: a `Problem` and `SolverOptions` go in, a `Summary` with one `Solution` a question comes out.
///
///     std::vector<at::Tensor> boundaries(const whynot::Problem& problem, double typical_distance) {
///         whynot::SolverOptions options;
///         options.typical_distance = typical_distance;  // ModelInfo::typical_distance
///         const whynot::Summary summary = whynot::solve(problem, options);
///         std::vector<at::Tensor> points;
///         for (const whynot::Solution& solution : summary.solutions)
///             if (solution.feasible) points.push_back(solution.z);  // otherwise `reason` says why not
///         return points;
///     }
///
/// The two methods
///
/// `sqp` works on the reduced constraints, one row for each class other than the fact (on the boundary the two families
/// of guards coincide, and their gradients would be dependent):
///
///     c_0 = l_fact - l_foil = 0          c_y = l_y - (l_fact + l_foil)/2 - eps <= 0
///
/// Each iteration minimises the l1-penalty model over d:
///
///     |z + d - z0|^2 / 2 + sigma |d|^2 / 2 + nu (|c_0 + A_0 d| + sum max(0, c_y + A_y d))
///
/// For the edge all rows are inequalities, c_y = l_y - l_foil <= 0, that of the fact among them; for the answer there is one,
/// c_0 = log sum_{y != foil} exp(l_y) - l_foil + lead <= 0.
///
/// It does so through the dual, a quadratic program with bounds only, which always has a solution. The step is taken if
/// the penalty function itself falls. The answer is the shortest feasible point that was met.
///
/// Three rules for what the plain iteration does badly. Where the gap is so flat that the linear model puts the boundary
/// absurdly far away (saturated generators), the search first walks out from z0 on rays along the gradient until the gap
/// changes sign, and finds the zero on that ray. Where the iterations end without a feasible point, it marches along the
/// gradient to a change of sign and starts again from there, once. And a third class that is below both, and whose
/// constraint was not active in the last step, keeps its gradient, updated by Broyden's formula; where that leads to no
/// feasible point, the question is solved again with all gradients computed.
///
/// `augmented-lagrangian` is the dissertation's own (equations 3.3 and 3.4, signs mended), with gradient descent
/// inside. It is there to reproduce the published behaviour and for comparison; it needs about forty times the work.
///
/// Batches, threads, determinism
///
/// All questions of a batch, and all their starts, advance together: one call of `log_likelihood` serves them all. Each
/// has its own multipliers, trust region and status, and leaves the batch when it is done. So a question's result
/// depends on the others only through the floating-point noise of batched matrix products. Nothing is random: the same
/// call, with the whole batch the same, gives the same solutions on the same machine with the same number of threads, if
/// `log_likelihood` does and no deadline cuts it short. No process-wide state is read or set, and several solves may run
/// in several threads if their `log_likelihood`s may.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/problem.h"

namespace whynot {

enum class Method { sqp, augmented_lagrangian };

/// Which point is searched: always the one nearest to z0.
///
/// | target   | constraints                                             | says                              |
/// |----------|---------------------------------------------------------|-----------------------------------|
/// | boundary | l_fact = l_foil, and no third class above both          | as likely the foil as the fact    |
/// | edge     | l_foil >= l_y for every other class y                   | as likely the foil as anything    |
/// | answer   | l_foil - lead >= log sum exp l_y over all other y       | this would be the foil            |
///
/// Where no class stands between fact and foil, boundary and edge are the same point. Where one does, there may be no boundary with
/// its guards nearby; the edge is there wherever the generator draws the foil at all, and the class that is as likely is the one that
/// stands between. `points.h` finds all three.
enum class Target { boundary, edge, answer };

/// "sqp", "augmented-lagrangian".
WHYNOT_API const char* to_string(Method method) noexcept;
/// The method of that name; Error `invalid_argument` lists the names.
WHYNOT_API Method method_from_string(const std::string& name);

/// "boundary", "edge", "answer".
WHYNOT_API const char* to_string(Target target) noexcept;

/// How a question ended. `Solution::feasible` says whether z meets the constraints.
enum class Status {
    found,        ///< z meets every constraint and the search ended by its own rules: at rest, stalled, or out of iterations
    best_effort,  ///< the best so far where a deadline or a budget ended it early, or a point that misses the constraints
                  ///< narrowly
    infeasible,   ///< no point was found that comes near the constraints; z is the nearest to them
    stopped,      ///< the callback ended it early; z is the best so far
    refused,      ///< it was no question for the solver: an input that could not be read, no such class
};

/// As in JSON: "found", "best-effort", "infeasible", "stopped", "refused".
WHYNOT_API const char* to_string(Status status) noexcept;
WHYNOT_API Status status_from_string(const std::string& name);

/// What a callback answers.
enum class CallbackAnswer {
    proceed,  ///< go on
    stop,     ///< end this stage; questions that are not finished in it return their best so far as Status::stopped
    abort,    ///< give up: `solve` throws Error `cancelled`
};

/// What a callback is told: in `solve` once an iteration, that is a call of `log_likelihood` for all that are still in the
/// batch; in `Explainer::explain` also before the other parts of its work.
struct IterationReport {
    /// The stages of an answer. `solve` knows the search only; the two others are the Explainer's.
    enum class Stage {
        start,   ///< the inputs were read. Called before the latent start, before the extra starts, and before the search
        search,  ///< an iteration is done
        render,  ///< called before each group of answers is made from boundary points
    };
    Stage stage = Stage::search;
    int64_t iteration = 0;      ///< from 0 in each stage
    int64_t questions = 0;      ///< B
    int64_t rows_active = 0;    ///< questions not yet finished: start, search: at rest; render: answered, of those on the boundary
    int64_t rows_feasible = 0;  ///< questions with a point that meets the constraints
    int64_t forward = 0;        ///< forward evaluations so far, of rows
    int64_t backward = 0;       ///< backward evaluations so far, of rows
    double seconds = 0;         ///< since `solve`, or `Explainer::explain`, was called
};

/// Constants of the augmented Lagrangian. Names on the right: the dissertation's.
struct AugmentedLagrangianOptions {
    double penalty = 1.0;          ///< c0, the first penalty
    double penalty_growth = 1.01;  ///< beta: c grows by this factor ...
    double penalty_ratio = 0.24;   ///< gamma: ... where |h| did not fall below this share of its last value
    /// Step of the gradient descent. Beyond 2 / (2 + c |grad h|^2) it diverges: 0.003 to 0.005 suits images; 0.01 fails
    /// on half of them and suits sentences.
    double step = 0.003;
    int64_t inner_steps = 20;  ///< gradient steps between two updates of the multipliers
};

/// How to solve. The defaults are good for images and for sentences once `typical_distance` is set.
struct SolverOptions {
    Method method = Method::sqp;

    Target target = Target::boundary;
    double lead =
        2.2;  ///< of the foil over all other classes together, nats, for `Target::answer`: its probability is 1 / (1 + exp(-lead)), here .9

    /// Keep every third class below fact and foil. Off: the plain projection onto the boundary of two classes (xGEMs),
    /// where a third class wins in 8 % of answers for the runner-up as foil and in 60 % for a random foil.
    bool guards = true;
    double guard_slack = 0.0;     ///< eps: how far, in nats, a third class may be above fact and foil, on the boundary
    double gap_tolerance = 0.01;  ///< nats; a point is feasible where |gap| < it and every guard is exceeded by at most it

    /// How far explanations typically lie from their inputs in this latent space. Steps are bounded by half of it.
    double typical_distance = 1.0;

    /// Iterations for each start: steps for sqp, updates of the multipliers for augmented-lagrangian. 0: 50 and 60.
    int64_t max_iterations = 0;

    /// How many points to start from, z0 included; the others are the first of `Problem::extra_starts`, as far as there
    /// are some. One or two more are worth their price: a saturated generator has no gradient where the change would
    /// have to be made, and a start beyond the boundary does not need one.
    int64_t starts = 3;

    /// 0: none. `solve` checks it between calls of `log_likelihood`; one call is always made. For the Explainer it is the
    /// deadline of a whole call of `explain` (see there).
    double deadline_seconds = 0;
    int64_t max_evaluations = 0;  ///< forward evaluations a question, all its starts together; never exceeded. 0: no limit

    AugmentedLagrangianOptions augmented_lagrangian;

    bool trace = false;  ///< keep every evaluated point's figures in `Solution::trace`

    /// Called on the thread that solves, see `IterationReport`; may be empty. What it throws passes through.
    std::function<CallbackAnswer(const IterationReport&)> callback;

    /// Empty if every option is in range, else a sentence that names the first that is not and what it may be.
    WHYNOT_API std::string check() const;
};

/// The third class, neither fact nor foil, that comes nearest to both or passes them.
struct ThirdClass {
    int64_t index = -1;  ///< -1: there are only two classes
    double margin = 0;   ///< l_y - (l_fact + l_foil)/2 at z, nats; above 0 it is more likely than fact and foil on the boundary
};

/// The figures of one evaluated point.
struct TracePoint {
    int64_t start = 0;       ///< which start's search: 0 is z0
    int64_t evaluation = 0;  ///< the question's forward evaluations up to and with this one
    double gap = 0;
    double margin = 0;  ///< `ThirdClass::margin`; 0 with two classes
    double distance = 0;
};

/// The answer to one question.
struct Solution {
    at::Tensor z;  ///< z_e, [k], type and device of `Problem::start`
    Status status = Status::refused;
    bool feasible = false;  ///< z meets the constraints within the tolerance: this is the test to write
    std::string reason;     ///< what happened, a sentence; empty where found
    double gap = 0;         ///< l_fact - l_foil at z, nats
    ThirdClass max_third;
    double distance = 0;                   ///< |z - z0|
    int64_t forward = 0;                   ///< evaluations: rows given to `log_likelihood` for this question
    int64_t backward = 0;                  ///< gradients computed for this question
    int64_t iterations = 0;                ///< of the start that won
    int64_t evaluations_to_feasible = -1;  ///< forward evaluations when the first feasible point was met; -1: never
    int64_t start = 0;                     ///< the start that won: 0 is z0, s the extra start s - 1
    std::vector<TracePoint> trace;
};

/// What a solve did and what it cost. Counters and times are -1 until it ran.
struct WHYNOT_API Summary {
    std::string message = "whynot::solve was not called";
    std::string method_given;         ///< as asked for
    std::string method_used;          ///< "sqp + march" where some question needed the march along the gradient
    std::vector<Solution> solutions;  ///< one a question, in order

    int64_t questions = -1, found = -1, best_effort = -1, infeasible = -1, stopped = -1;
    int64_t feasible = -1;                ///< questions whose z meets the constraints, whatever their status
    int64_t iterations = -1;              ///< rounds of the batch
    int64_t forward = -1, backward = -1;  ///< evaluations of rows
    double seconds = -1;                  ///< all of it
    double seconds_forward = -1;          ///< inside `log_likelihood`, the copy of its result included
    double seconds_backward = -1;         ///< inside its derivatives
    double median_distance = -1;          ///< of the feasible; -1: none

    /// Every question has a point that meets its constraints.
    bool is_usable() const;
    /// One line.
    std::string brief_report() const;
    /// A table to paste into a bug report.
    std::string full_report() const;
};

/// Answers every question of the batch.
/// Throws Error `invalid_argument` for options out of range, for tensors whose shapes or types do not fit (they are
/// named) and for a `log_likelihood` that returns another shape or is not differentiable; `cancelled` where the
/// callback aborts. A value that is not finite ends the search of its own row only.
WHYNOT_API Summary solve(const Problem& problem, const SolverOptions& options = {});

}  // namespace whynot
