#pragma once

#include <chrono>

namespace whynot::base {

/// Seconds of a clock that never goes back.
class Stopwatch {
public:
    /// Since it was made.
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

    /// Since it was made or this was last called.
    double lap() {
        const auto now = Clock::now();
        const double seconds = std::chrono::duration<double>(now - last_).count();
        last_ = now;
        return seconds;
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point last_ = begin_;
};

}  // namespace whynot::base
