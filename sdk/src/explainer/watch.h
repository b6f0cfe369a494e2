#pragma once

#include <algorithm>
#include <limits>

#include "base/stopwatch.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot::internal {

/// Deadline and callback over all of an answer: asked before each of its stages.
class Watch {
public:
    enum class Verdict { proceed, late, stopped };

    explicit Watch(const SolverOptions& options) : options_(options) {}

    /// Neither a deadline nor a callback: nobody will end this.
    bool is_idle() const { return options_.deadline_seconds == 0 && !options_.callback; }

    /// Tells the callback where the answer is. Throws Error `cancelled` where it aborts.
    Verdict check(IterationReport report) const {
        if (options_.callback) {
            report.seconds = clock_.seconds();
            const CallbackAnswer answer = options_.callback(report);
            if (answer == CallbackAnswer::abort) throw Error(ErrorCode::cancelled, "the explanation was cancelled by its callback");
            if (answer == CallbackAnswer::stop) return Verdict::stopped;
        }
        return options_.deadline_seconds > 0 && clock_.seconds() >= options_.deadline_seconds ? Verdict::late : Verdict::proceed;
    }

    /// The caller's options with what is left of the deadline, and a callback that is told the seconds of all of the answer.
    SolverOptions for_search() const {
        SolverOptions options = options_;
        const double before = clock_.seconds();
        if (options.deadline_seconds > 0)
            options.deadline_seconds = std::max(options.deadline_seconds - before, std::numeric_limits<double>::min());
        if (options_.callback)
            options.callback = [&given = options_.callback, before](IterationReport report) {
                report.seconds += before;
                return given(report);
            };
        return options;
    }

private:
    const SolverOptions& options_;
    base::Stopwatch clock_;
};

}  // namespace whynot::internal
