#include <algorithm>
#include <map>

#include "solver/box_qp.h"
#include "solver/run.h"
#include "solver/segment.h"

namespace whynot::internal {
namespace {

double dot(const double* a, const double* b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

// Constants of the method, measured on images and sentences; distances are in units of the typical one.

// Steps and models.
constexpr int64_t usual_iterations = 50;
constexpr int64_t answer_iterations = 20;  // for an answer, which begins next to it: what is not found by then comes from another start
constexpr double step_cap = 0.5;           // longest step
constexpr double near_margin = -1.0;       // third classes below it need no gradient; at -2 a tenth more work for the same answers
constexpr double curvature_limit = 8;

// A step is judged by the share of the predicted fall of the penalty function that it achieves.
constexpr double accepted_share = 0.01;   // from here on it is taken
constexpr double poor_share = 0.25;       // below it, the next one is damped more
constexpr double good_share = 0.75;       // above it, the next one is damped less
constexpr double corrected_share = 0.5;   // at most, where it took a second-order correction
constexpr double least_predicted = 1e-9;  // a smaller prediction counts as this one

// Damping, sigma.
constexpr double first_damping = 0.5;
constexpr double damping_growth = 4;
constexpr double least_damping = 0.1;       // below it, none
constexpr double correction_damping = 1.0;  // from here on steps are short anyway, and no correction is tried
constexpr double damping_limit = 1e4;

// Penalty, nu. It bounds the multipliers.
constexpr double first_penalty = 0.25;
constexpr double penalty_growth = 4;
constexpr double penalty_limit = 1000;
constexpr double at_bound = 0.999;    // of the penalty: a multiplier from here on is at its bound, and the penalty too small
constexpr double penalty_excess = 8;  // times the largest multiplier: a penalty above it is halved

// Rest.
constexpr int stall_limit = 3;         // iterations without a shorter feasible point
constexpr int answer_stall_limit = 1;  // the same for an answer, which begins next to it and need not be the shortest to the last percent
constexpr double stall_share = 0.002;  // what counts as shorter
constexpr double rest_share = 0.02;    // a step shorter than this share of the distance is rest

// Before and after the iterations: rays, roots, the march.
constexpr double flat_factor = 4.0;  // a boundary predicted farther than this is no prediction
constexpr double ray_growth = 2;     // of the radius, from one ray to the next
constexpr int ray_limit = 12;
constexpr double root_target = 0.05;  // nats; close enough for a linear model to take over
constexpr double march_step = 0.1;    // the first
constexpr double march_growth = 1.25;
constexpr int march_limit = 15;
constexpr int64_t march_iterations = 25;  // that may follow it

/// An l1-penalty SQP from one start. See solver.h for the method, and `Phase` for what may come before and after its
/// iterations.
class SqpRun final : public Run {
public:
    SqpRun(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start)
        : Run(question, options, start_index, std::move(start)),
          cap_(step_cap * options.typical_distance),
          begin_(point()),
          iteration_limit_(options.max_iterations             ? options.max_iterations
                           : options.target == Target::answer ? answer_iterations
                                                              : usual_iterations) {}

    bool marched() const override { return marched_; }

private:
    /// What the point that is being evaluated is for.
    enum class Phase {
        start,       // at z0, or at an extra start: the far end of a segment from z0
        root,        // a zero of the gap on a segment
        ray,         // out from z0, while the gap is flat
        trial,       // z + d of an iteration
        correction,  // the same, second order
        march,       // along the gradient to a change of sign, after iterations that found nothing
    };
    // What follows what. Every phase may also end the run.
    //
    //     from         where                                                  to
    //     start        an extra start, with a change of sign since z0         root
    //                  the gap is flat, and this is no other begin than z0    ray
    //                  otherwise                                              trial
    //     ray          a change of sign since z0                              root
    //                  the gap is still flat                                  ray, a longer one
    //                  otherwise, or no longer ray is allowed                 trial
    //     root         the gap is small enough, or the bracket is             trial
    //                  otherwise                                              root, in a smaller bracket
    //     trial        no fall of the penalty function, and long steps        correction
    //                  otherwise                                              trial, from the better point
    //     correction   always                                                 trial, from the better point
    //     march        a change of sign since the last point                  root
    //                  otherwise                                              march, farther
    //
    // Where a trial would come next, but the iterations are over without a feasible point (`rest`):
    //
    //                  gradients of guards were kept (`move_to`), first time  start, now with all of them computed
    //                  the gap is not small, first time                       march

    void step(Point point, std::vector<double>& weights) override {
        switch (phase_) {
            case Phase::start:
                if (point.distance == 0) question_.first_at_start = first(point);
                if (start_index() > 0 && Segment::crosses(question_.first_at_start, first(point))) {
                    return find_root(Segment({question_.start, question_.start + k_}, question_.first_at_start, point.z, first(point)));
                }
                return move_to(std::move(point), weights);
            case Phase::root:
                if (std::abs(first(point)) > (marched_ ? options_.gap_tolerance / 2 : root_target) && segment_.narrow(first(point))) {
                    point_ = segment_.point();
                    return;
                }
                return move_to(std::move(point), weights);
            case Phase::ray: return move_to(std::move(point), weights);
            case Phase::march:
                if (Segment::crosses(first(current_), first(point))) {
                    return find_root(Segment(current_.z, first(current_), point.z, first(point)));
                }
                return move_to(std::move(point), weights);
            case Phase::trial:
            case Phase::correction: return judge(std::move(point), weights);
        }
    }

    /// Makes `point` the iterate and asks for the gradients of the gap and of the margins that matter there. A third class that is below
    /// both and that the last step did not lean on keeps its gradient, which a secant brings up to date: a tenth less work, and points
    /// no farther.
    void move_to(Point point, std::vector<double>& weights) {
        const bool from_iterate = phase_ == Phase::trial || phase_ == Phase::correction;
        if (from_iterate)
            update_guard_gradients(point);
        else
            guard_gradients_.clear();
        current_ = std::move(point);
        const size_t classes = current_.values.size();
        const auto row = [&] {
            weights.resize(weights.size() + classes, 0.0);
            return weights.data() + weights.size() - classes;
        };
        first_weights(current_, row());
        near_.clear();
        kept_.clear();
        if (!guarded() || phase_ == Phase::ray || phase_ == Phase::march) return;
        for (int64_t y = 0; y < static_cast<int64_t>(classes); ++y) {
            if (!is_third(y) || guard(current_, y) <= near_margin) continue;
            if (keeping_ && guard_gradients_.count(y) > 0 && guard(current_, y) < 0 && multipliers_[y] == 0) {
                kept_any_ = true;
                kept_.push_back(y);
                continue;
            }
            near_.push_back(y);
            double* third = row();
            third[y] = 1;
            third[question_.foil] = on_boundary_ ? -0.5 : -1;
            if (on_boundary_) third[question_.fact] = -0.5;
        }
    }

    void use_gradients(const double* gradients, int64_t n) override {
        jacobian_.assign(gradients, gradients + n * k_);
        for (int64_t i = 1; i < n; ++i) guard_gradients_[near_[i - 1]].assign(gradients + i * k_, gradients + (i + 1) * k_);
        for (const int64_t y : kept_) {
            near_.push_back(y);
            jacobian_.insert(jacobian_.end(), guard_gradients_[y].begin(), guard_gradients_[y].end());
        }
        slope_ = std::sqrt(dot(gradients, gradients, k_));
        if (phase_ == Phase::march) return march();
        if (phase_ == Phase::ray) return ray_answered();
        const bool may_walk = start_index() > 0 || current_.distance == 0;  // not where the search begins elsewhere: rays are z0's
        if (phase_ == Phase::start && may_walk && first_violation(current_) > flat_factor * options_.typical_distance * slope_) {
            return next_ray(0);
        }
        if (phase_ == Phase::trial || phase_ == Phase::correction) learn_curvature(last_z_, last_force_);
        build_model();
        propose();
    }

    /// Broyden's update from current_ to `point`: along the step each gradient says then what its margin did.
    void update_guard_gradients(const Point& point) {
        std::vector<double> step(k_);
        for (int64_t i = 0; i < k_; ++i) step[i] = point.z[i] - current_.z[i];
        const double square = dot(step.data(), step.data(), k_);
        if (square == 0) return;
        for (auto& [y, gradient] : guard_gradients_) {
            const double missed = guard(point, y) - guard(current_, y) - dot(gradient.data(), step.data(), k_);
            for (int64_t i = 0; i < k_; ++i) gradient[i] += missed / square * step[i];
        }
    }

    // --- before the iterations: rays

    void next_ray(double radius) {
        if (slope_ == 0 || ++rays_ > ray_limit) {
            build_model();
            return propose();
        }
        radius_ = radius == 0 ? cap_ : radius * ray_growth;
        const double scale = (first(current_) > 0 ? -1 : 1) * radius_ / slope_;
        for (int64_t i = 0; i < k_; ++i) point_[i] = question_.start[i] + scale * jacobian_[i];
        phase_ = Phase::ray;
    }

    void ray_answered() {
        const std::vector<double> origin(question_.start, question_.start + k_);
        double slope = 0;  // along the ray, from z0 to here
        for (int64_t i = 0; i < k_; ++i) slope += jacobian_[i] * (current_.z[i] - origin[i]);
        if (Segment::crosses(question_.first_at_start, first(current_))) {
            Segment segment(origin, question_.first_at_start, current_.z, first(current_));
            segment.use_slope_at_end(slope);
            return find_root(std::move(segment));
        }
        // Where the linear model puts the boundary no farther out than the next ray would go, the iterations do better.
        const double predicted = std::abs(first(current_) - slope) / std::max(slope_, 1e-300);
        if (predicted > ray_growth * radius_) return next_ray(radius_);
        build_model();
        propose();
    }

    void find_root(Segment segment) {
        segment_ = std::move(segment);
        point_ = segment_.point();
        phase_ = Phase::root;
    }

    // --- the iterations

    /// |c_0|, or max(0, c_0) where that is an inequality, + sum max(0, c_y): all classes, also those whose gradient was not worth having.
    double excess(const Point& point) const {
        double sum = first_violation(point);
        if (guarded())
            for (int64_t y = 0; y < static_cast<int64_t>(point.values.size()); ++y)
                if (is_third(y)) sum += std::max(0.0, guard(point, y));
        return sum;
    }

    double merit(const Point& point) const { return point.distance * point.distance / 2 + penalty_ * excess(point); }

    int rows() const { return 1 + static_cast<int>(near_.size()); }

    /// The constraints of the model's rows at `point`.
    std::vector<double> constraints(const Point& point) const {
        std::vector<double> c{first(point)};
        for (const int64_t y : near_) c.push_back(guard(point, y));
        return c;
    }

    /// The curvature of the Lagrangian along the last step, as a secant sees it. The model's Hessian is a multiple of
    /// the identity; with the constraints' curvature in that multiple, iterates stop overshooting along a curved
    /// boundary (a tenth fewer evaluations).
    void learn_curvature(const std::vector<double>& last_z, const std::vector<double>& last_force) {
        const std::vector<double> force = constraint_force();
        double sy = 0, ss = 0;
        for (int64_t i = 0; i < k_; ++i) {
            const double s = current_.z[i] - last_z[i];
            ss += s * s;
            sy += s * (s + force[i] - last_force[i]);
        }
        if (ss > 0) curvature_ = std::clamp(sy / ss, 1.0, curvature_limit);
    }

    /// A'w with the multipliers of the last model and the gradients of now.
    std::vector<double> constraint_force() const {
        std::vector<double> sum(k_, 0.0);
        for (int i = 0; i < rows(); ++i) {
            const double w = multipliers_[i ? near_[i - 1] : question_.foil];
            for (int64_t j = 0; j < k_; ++j) sum[j] += w * jacobian_[i * k_ + j];
        }
        return sum;
    }

    void build_model() {
        const int n = rows();
        pull_.resize(k_);
        for (int64_t i = 0; i < k_; ++i) pull_[i] = question_.start[i] - current_.z[i];
        constraints_ = constraints(current_);
        gram_.resize(n * n);
        along_pull_.resize(n);
        for (int i = 0; i < n; ++i) {
            for (int j = 0; j <= i; ++j) gram_[i * n + j] = gram_[j * n + i] = dot(&jacobian_[i * k_], &jacobian_[j * k_], k_);
            along_pull_[i] = dot(&jacobian_[i * k_], pull_.data(), k_);
        }
        multipliers_.resize(current_.values.size(), 0.0);
    }

    /// The model's minimiser d for constraints c, as long as the cap allows; `weights_` are its multipliers.
    /// Returns whether the cap shortened it.
    bool solve_model(const std::vector<double>& c) {
        const int n = rows();
        const double damp = curvature_ * (1 + damping_);
        std::vector<double> K(n * n), r(n);
        for (int i = 0; i < n * n; ++i) K[i] = gram_[i] / damp;
        for (int i = 0; i < n; ++i) r[i] = c[i] + along_pull_[i] / damp;
        box_qp(n, K.data(), r.data(), on_boundary_ ? -penalty_ : 0, penalty_, weights_.data());
        direction_ = pull_;
        for (int i = 0; i < n; ++i)
            for (int64_t j = 0; j < k_; ++j) direction_[j] -= weights_[i] * jacobian_[i * k_ + j];
        const double length = std::sqrt(dot(direction_.data(), direction_.data(), k_)) / damp;
        const double scale = std::min(1.0, cap_ / std::max(length, 1e-300)) / damp;
        for (double& x : direction_) x *= scale;
        length_ = std::min(length, cap_);
        return length > cap_;
    }

    double largest_multiplier() const {
        double largest = 0;
        for (int i = 0; i < rows(); ++i) largest = std::max(largest, std::abs(weights_[i]));
        return largest;
    }

    void propose() {
        if (iterations_ >= iteration_limit_) return rest(true);
        ++iterations_;
        // Warm start: each class keeps its multiplier; the gap's stands under the foil.
        const int n = rows();
        weights_.resize(n);
        weights_[0] = multipliers_[question_.foil];
        for (int i = 1; i < n; ++i) weights_[i] = multipliers_[near_[i - 1]];
        // A multiplier at the penalty's bound says that the penalty is too small to ask for feasibility. Raising it now
        // costs no evaluation.
        while (!solve_model(constraints_) && largest_multiplier() >= at_bound * penalty_ && penalty_ < penalty_limit) {
            penalty_ = std::min(penalty_growth * penalty_, penalty_limit);
        }
        std::fill(multipliers_.begin(), multipliers_.end(), 0.0);
        multipliers_[question_.foil] = weights_[0];
        for (int i = 1; i < n; ++i) multipliers_[near_[i - 1]] = weights_[i];
        largest_ = largest_multiplier();

        double square = 0;
        for (int64_t i = 0; i < k_; ++i) square += (direction_[i] - pull_[i]) * (direction_[i] - pull_[i]);
        double modelled = 0;
        for (int i = 0; i < n; ++i) {
            const double c = constraints_[i] + dot(&jacobian_[i * k_], direction_.data(), k_);
            modelled += i || !on_boundary_ ? std::max(0.0, c) : std::abs(c);
        }
        predicted_ = merit(current_) - square / 2 - penalty_ * modelled;
        if (length_ == 0) return rest(false);
        try_step();
        phase_ = Phase::trial;
    }

    void try_step() {
        for (int64_t i = 0; i < k_; ++i) point_[i] = current_.z[i] + direction_[i];
    }

    void judge(Point point, std::vector<double>& weights) {
        const double before = merit(current_);
        double ratio = (before - merit(point)) / std::max(predicted_, least_predicted);
        const bool accepted = ratio > accepted_share;
        if (!accepted && phase_ == Phase::trial && damping_ < correction_damping) {
            // Second-order correction: the constraints as they are at z + d, moved back to z along the linear model.
            ratio_ = ratio;
            std::vector<double> c = constraints(point);
            for (int i = 0; i < rows(); ++i) c[i] -= dot(&jacobian_[i * k_], direction_.data(), k_);
            solve_model(c);
            try_step();
            phase_ = Phase::correction;
            return;
        }
        if (phase_ == Phase::correction) ratio = accepted ? std::min(ratio, corrected_share) : ratio_;
        if (ratio < poor_share)
            damping_ = std::max(damping_growth * damping_, first_damping);
        else if (ratio > good_share)
            damping_ = damping_ / damping_growth < least_damping ? 0 : damping_ / damping_growth;
        if (largest_ >= at_bound * penalty_)
            penalty_ = std::min(penalty_growth * penalty_, penalty_limit);
        else if (penalty_ > penalty_excess * largest_)
            penalty_ /= 2;

        const double length = length_ * (1 + damping_) * curvature_;
        const Point& now = accepted ? point : current_;
        const bool at_rest = feasible(now) && length < rest_share * now.distance;
        // Progress is a shorter feasible point, or an iterate that promises one: its distance, with what its violation
        // will cost.
        const double promised = std::sqrt(now.distance * now.distance + 2 * largest_ * excess(now));
        if (promised < promised_ * (1 - stall_share) || (shortest() && shortest_.distance < promised_ * (1 - stall_share))) {
            promised_ = std::min(promised, shortest() ? shortest_.distance : promised);
            stalled_ = 0;
        } else if (shortest()) {
            ++stalled_;
        }
        if (at_rest || stalled_ >= (options_.target == Target::answer ? answer_stall_limit : stall_limit)) return finish();
        if (damping_ > damping_limit) return rest(false);
        if (!accepted) return propose();
        last_force_ = constraint_force();
        last_z_ = current_.z;
        move_to(std::move(point), weights);
    }

    // --- after the iterations

    /// The iterations are over without having come to rest at a feasible point.
    void rest(bool out_of_iterations) {
        if (shortest()) return finish();
        if (kept_any_ && keeping_) return begin_anew();
        // An answer that another start may find is nearer than what the march comes to.
        const bool may_march = options_.target != Target::answer || options_.starts == 1;
        if (!marched_ && may_march && first_violation(current_) >= options_.gap_tolerance) {
            marched_ = true;
            march_length_ = march_step * options_.typical_distance;
            return march();
        }
        if (slope_ == 0) return fail("the gradient of the gap vanishes there");
        fail(out_of_iterations ? "the iterations ended" : "the steps became too short");
    }

    /// Once more from the start, with all gradients asked for: kept ones may have led astray.
    void begin_anew() {
        keeping_ = false;
        damping_ = 0;
        penalty_ = first_penalty;
        rays_ = 0;
        std::fill(multipliers_.begin(), multipliers_.end(), 0.0);
        point_ = begin_;
        phase_ = Phase::start;
    }

    void march() {
        if (slope_ == 0) return fail("the gradient of the gap vanishes there");
        if (++marches_ > march_limit) return fail("the march along the gradient met no change of sign");
        const double scale = (first(current_) > 0 ? -1 : 1) * march_length_ / slope_;
        for (int64_t i = 0; i < k_; ++i) point_[i] = current_.z[i] + scale * jacobian_[i];
        march_length_ *= march_growth;
        damping_ = 0;
        penalty_ = first_penalty;
        iteration_limit_ = iterations_ + march_iterations;
        phase_ = Phase::march;
    }

    const double cap_;
    const std::vector<double> begin_;
    int64_t iteration_limit_;
    bool keeping_ = true, kept_any_ = false;  // gradients of third classes
    Phase phase_ = Phase::start;
    Point current_;
    std::vector<double> jacobian_;                            // [n, k]: the gap's gradient, then those of near_
    std::vector<int64_t> near_;                               // third classes with a row in the model
    std::vector<int64_t> kept_;                               // those of them whose gradient was not asked for
    std::map<int64_t, std::vector<double>> guard_gradients_;  // of the iterations so far, brought up to date
    double slope_ = 0;                                        // |gradient of the gap|

    // The model at current_.
    std::vector<double> pull_, constraints_, gram_, along_pull_;  // z0 - z, c, A A', A (z0 - z)
    std::vector<double> multipliers_;                             // [C], by class
    std::vector<double> weights_, direction_;                     // of the model's rows; d
    double length_ = 0, predicted_ = 0, largest_ = 0, ratio_ = 0;
    double curvature_ = 1;
    std::vector<double> last_z_, last_force_;  // of the iterate before
    double damping_ = 0;                       // sigma
    double penalty_ = first_penalty;           // nu

    double promised_ = std::numeric_limits<double>::infinity();
    int stalled_ = 0;

    Segment segment_;
    double radius_ = 0, march_length_ = 0;
    int rays_ = 0, marches_ = 0;
    bool marched_ = false;
};

}  // namespace

std::unique_ptr<Run> make_sqp_run(QuestionState& question, const SolverOptions& options, int64_t start_index, std::vector<double> start) {
    return std::make_unique<SqpRun>(question, options, start_index, std::move(start));
}

}  // namespace whynot::internal
