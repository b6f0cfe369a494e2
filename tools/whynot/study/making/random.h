#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "study/planning/statistics.h"

namespace whynot::cli::study {

/// Random numbers that are the same on every machine.
class Random {
public:
    /// @param purpose what they are for: other purposes have other numbers
    Random(uint64_t seed, const std::string& purpose)
        : engine_(std::stoull(base::sha256_hex(std::to_string(seed) + " " + purpose).substr(0, 16), nullptr, 16)) {}

    uint64_t below(uint64_t bound) { return draw_below(engine_, bound); }
    double share() { return draw_share(engine_); }

    template <class T>
    void shuffle(std::vector<T>& values) {
        for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace whynot::cli::study
