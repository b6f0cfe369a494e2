#pragma once

#include <algorithm>
#include <cmath>

namespace whynot::internal {

/// w = argmin w'Kw/2 - r'w with lowest <= w_0 <= bound and 0 <= w_i <= bound for i > 0, K [n, n] positive semidefinite,
/// row-major. Coordinate descent, exact in each coordinate, from the w given. For n = 1 it is exact at once. A zero
/// diagonal means a zero row: w_i = 0.
inline void box_qp(int n, const double* K, const double* r, double lowest, double bound, double* w) {
    for (int i = 0; i < n; ++i) w[i] = std::clamp(w[i], i ? 0.0 : lowest, bound);
    for (int sweep = 0; sweep < 400; ++sweep) {
        double largest = 0;
        for (int i = 0; i < n; ++i) {
            const double* row = K + i * n;
            const double diagonal = row[i];
            if (diagonal <= 0) {
                w[i] = 0;
                continue;
            }
            double slope = -r[i];
            for (int j = 0; j < n; ++j) slope += row[j] * w[j];
            const double next = std::clamp(w[i] - slope / diagonal, i ? 0.0 : lowest, bound);
            largest = std::max(largest, std::abs(next - w[i]) * std::sqrt(diagonal));
            w[i] = next;
        }
        if (n == 1 || largest < 1e-9) break;
    }
}

}  // namespace whynot::internal
