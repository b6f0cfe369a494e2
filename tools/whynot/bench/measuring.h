#pragma once

/// How fast a way to solve is, and how good: what `whynot bench` measures, on the questions that one pack is asked.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "whynot/host.h"
#include "whynot/modality.h"
#include "whynot/pack.h"
#include "whynot/solver.h"

namespace whynot::cli {

/// What was measured of one way to solve at one size of batch.
///
/// Questions are asked batch by batch, the first first, until all have been asked or the time is over, and at least one batch. Where all
/// have been asked too soon, they are asked again, for the times alone. The last batch is filled up with the first questions.
struct Measured {
    int64_t questions = 0;              ///< different ones; distances, feasible share and gap are theirs
    int64_t asked = 0;                  ///< all, again and to fill up included; the rest is theirs
    double seconds = 0;                 ///< inside the solver
    double own_seconds = 0;             ///< of these, outside the networks
    int64_t forward = 0, backward = 0;  ///< evaluations of rows
    double forward_row = 0;             ///< seconds that the networks alone need for a row of such a batch, forward
    double gradient_row = 0;            ///< forward and backward
    double largest_gap = 0;             ///< nats, of the points that came back, feasible or not
    int64_t peak_memory = 0;            ///< bytes, of the whole process
    std::vector<double> distances;      ///< of each question; NaN: no feasible point

    double questions_a_second() const { return static_cast<double>(asked) / seconds; }
    /// A question, a forward evaluation counting 1 and its derivative 2 more.
    double work() const { return static_cast<double>(forward + 2 * backward) / static_cast<double>(asked); }
    double feasible() const;
    double mean_distance() const;  ///< of the feasible; NaN: none is
    double own_share() const { return own_seconds / seconds; }
    /// Questions a second if only the networks took time, and always full batches: forward where no derivative is asked for, and both where
    /// one is.
    double limit() const;
};

using Solve = std::function<Summary(const Problem&, const SolverOptions&)>;

/// Has the highest memory of this process counted afresh. False: the system does not let us, and it counts since the process began.
bool reset_peak_memory();
int64_t peak_memory();  ///< bytes

class Measuring {
public:
    /// Opens the pack, reads the inputs, and asks the classifier about them: the fact of each question is what it says.
    /// @param foil a class of the pack; empty: the runner-up of each
    /// @param refused gets the reason of each input that makes no question
    Measuring(const Host& host, const Pack& pack, const std::string& device, const std::vector<Input>& inputs, const std::string& foil,
              uint64_t seed, std::vector<std::string>& refused);

    int64_t questions() const { return static_cast<int64_t>(inputs_.size()); }

    /// @param options starts and whatever else the solver is told; typical_distance is taken from the pack
    /// @param watch told often which share is done; what it throws passes through
    Measured measure(const Solve& solve, SolverOptions options, int64_t batch, double seconds, const std::function<void(double)>& watch);

private:
    struct Part {  // a batch, ready to be solved
        std::unique_ptr<Batch> batch;
        Problem problem;
    };

    Part& part(int64_t batch, int64_t number, int64_t extra_starts, const std::function<void()>& check);
    template <class F>
    auto call(const char* operation, F&& f) const {
        return guarded(plugin_, operation, std::forward<F>(f));
    }

    std::string plugin_;
    std::unique_ptr<Model> model_;
    std::vector<Input> inputs_;  // those that make a question
    std::vector<int64_t> facts_, foils_;
    const uint64_t seed_;
    std::map<std::pair<int64_t, int64_t>, Part> parts_;  // by size of batch, and number
};

}  // namespace whynot::cli
