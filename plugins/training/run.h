#pragma once

/// What every long training run does beside learning: saves itself, goes on from where it was stopped, says how far it has come.
///
///     TrainingRun run("the autoencoder", checkpoint, observer);
///     for (auto& [name, tensor] : network.parameters_and_buffers()) run.keep("weights." + name, tensor);
///     run.keep("adam", adam);
///     train_in_batches(run, {"autoencoder", epochs}, batches_of, step, after_epoch);     // loop.h; it calls the rest
///
/// A run that was stopped and goes on ends with the same weights as one that was not, if each step depends on nothing but what is
/// kept and the step's number (random.h).

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::training {

/// One run, on one thread.
class TrainingRun {
public:
    /// @param what is trained, for messages: "the autoencoder"
    /// @param period the longest time that is lost when the machine stops: the run is saved that often
    TrainingRun(std::string what, Checkpoint checkpoint, Observer observer, std::chrono::seconds period = std::chrono::seconds(60));

    /// A tensor that the run changes in place: a parameter, a table, a buffer. Names must differ.
    void keep(const std::string& name, const at::Tensor& tensor);

    /// An optimiser (optimiser.h); it must outlive the run.
    template <class Optimiser, class = decltype(std::declval<Optimiser&>().state())>
    void keep(const std::string& name, Optimiser& optimiser) {
        optimisers_.push_back({name, [&] { return optimiser.state(); }, [&](const NamedTensors& state) { optimiser.load_state(state); }});
    }

    /// Puts back what the checkpoint has, if there is one. Call it once, after all `keep`.
    /// @returns the first step that is to be done
    /// @throws Error invalid_argument for the checkpoint of another run
    int64_t resume();

    /// Whether step `step` (from 0, of about `steps`) is to be done; false: it was done before the run was stopped.
    /// Saves the run when it is time. @throws Error cancelled, after saving, when the observer says so
    bool begins(int64_t step, int64_t steps);

    /// Saves: `step` is the next one to be done.
    void save(int64_t step);

    /// Whether somebody listens and it is time to say something again (a few times a second), so that figures are computed only then.
    bool speaks() const;
    void tell(const std::string& stage, int64_t step, int64_t steps, const std::string& detail);
    void log(const std::string& line) const;

private:
    using Clock = std::chrono::steady_clock;
    struct Kept {
        std::string name;
        std::function<NamedTensors()> state;
        std::function<void(const NamedTensors&)> load;
    };

    std::string what_;
    Checkpoint checkpoint_;
    Observer observer_;
    std::chrono::seconds period_;
    std::vector<std::pair<std::string, at::Tensor>> tensors_;
    std::vector<Kept> optimisers_;
    int64_t start_ = 0;
    Clock::time_point saved_ = Clock::now();
    Clock::time_point told_;
};

/// Says a line to the observer, if it listens.
void say(const Observer& observer, const std::string& line);

/// @throws Error cancelled, "<what> was stopped", when the observer says so
void stop_if_cancelled(const Observer& observer, const std::string& what);

/// Who observes one part of a run, from `begin` to `end` of the whole (0 to 1).
Observer part(const Observer& whole, double begin, double end);

}  // namespace whynot::training
