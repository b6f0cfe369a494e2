#pragma once

/// Participants who are none: of known skill, they go through the real requests of a study's server. So its data, its analysis and its power are tried
/// before anybody is paid.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "study/making/design.h"

namespace whynot::cli::study {

struct Crowd {
    int64_t participants = 60;
    int64_t at_once = 16;                  ///< connections
    double skill = 0.6;                    ///< probability of a right answer, of arms that `skills` does not name
    std::map<std::string, double> skills;  ///< by arm
    double between = 0.1;                  ///< standard deviation of people's own probabilities around it
    double leave = 0;                      ///< share of people who stop somewhere on the way
    uint64_t seed = 1;
};

/// @param port of a server of this study on this machine, to whom nobody else has come
/// @param told how many have ended; false: stop
/// Throws `invalid_argument` for an arm that there is not, `io` where the server goes, `internal` where it says what it should not.
void send(const Design& design, const Crowd& people, uint16_t port, const std::function<bool(int64_t)>& told);

}  // namespace whynot::cli::study
