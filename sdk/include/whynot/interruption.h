#pragma once

/// How a plugin's own loops are ended by whoever asked for an answer: by the deadline, or by the callback of `SolverOptions`.
///
///     #include <vector>
///
///     double sum_of(const std::vector<double>& many) {
///         double sum = 0;
///         for (const double each : many) {
///             whynot::check_interruption();  // in every loop that may take longer than a tenth of a second
///             sum += each;
///         }
///         return sum;
///     }
///
/// Threads: asked on the thread on which the plugin was called. On threads of the plugin's own, those of at::parallel_for included, and where
/// nobody can end the work, it does nothing.

#include <functional>

#include "whynot/export.h"

namespace whynot {

/// Throws Error `cancelled` where the work is to end; let it pass through. Cheap: the caller is asked some fifty times a second at most.
WHYNOT_API void check_interruption();

/// While it lives, `check_interruption` on this thread calls `ask`, which throws where the work is to end. For hosts that call plugins
/// themselves; `Explainer` does so already. One within another: the inner one is asked, then the outer one again.
class WHYNOT_API InterruptionScope {
public:
    explicit InterruptionScope(std::function<void()> ask);
    ~InterruptionScope();
    InterruptionScope(const InterruptionScope&) = delete;
    InterruptionScope& operator=(const InterruptionScope&) = delete;

private:
    friend WHYNOT_API void check_interruption();
    const std::function<void()> ask_;
    double asked_ = 0;  // seconds of a clock
    InterruptionScope* const outer_;
};

}  // namespace whynot
