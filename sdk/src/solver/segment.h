#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace whynot::internal {

/// A zero of the gap on a segment whose ends have gaps of opposite sign: regula falsi in its Illinois form, kept off
/// the ends, so that each step shrinks the bracket. Forward evaluations only.
class Segment {
public:
    Segment() = default;
    Segment(const std::vector<double>& from, double gap_from, const std::vector<double>& to, double gap_to)
        : from_(from), to_(to), low_gap_(gap_from), high_gap_(gap_to) {
        next(low_ - low_gap_ * (high_ - low_) / (high_gap_ - low_gap_));
    }

    static bool crosses(double a, double b) { return std::isfinite(a) && std::isfinite(b) && (a > 0) != (b > 0); }

    /// Replaces the next guess by a Newton step from the far end, where the gap's slope along the segment is known. It
    /// stays in the outer half: the near end is flat, or nobody would have gone that far.
    void use_slope_at_end(double slope) {
        if (slope * (high_gap_ - low_gap_) > 0) next(std::max(0.5, high_ - high_gap_ / slope));
    }

    /// The point to evaluate next.
    std::vector<double> point() const {
        std::vector<double> z(from_.size());
        for (size_t i = 0; i < z.size(); ++i) z[i] = from_[i] + t_ * (to_[i] - from_[i]);
        return z;
    }

    /// Takes the gap at `point()`. False when the bracket is too small to go on.
    bool narrow(double gap) {
        const bool low = (gap > 0) == (low_gap_ > 0);
        if (low) {
            low_ = t_;
            low_gap_ = gap;
            if (side_ == -1) high_gap_ /= 2;
        } else {
            high_ = t_;
            high_gap_ = gap;
            if (side_ == 1) low_gap_ /= 2;
        }
        side_ = low ? -1 : 1;
        next(low_ - low_gap_ * (high_ - low_) / (high_gap_ - low_gap_));
        return ++tries_ < 14;
    }

private:
    void next(double t) {
        const double margin = 0.02 * (high_ - low_);
        t_ = std::clamp(t, low_ + margin, high_ - margin);
    }

    std::vector<double> from_, to_;
    double low_ = 0, high_ = 1, low_gap_ = 0, high_gap_ = 0, t_ = 0;
    int side_ = 0, tries_ = 0;
};

}  // namespace whynot::internal
