#pragma once

/// Explainers in threads of their own, to which the questions of a stream go in batches.
///
/// Each worker has explainers of its own, which use one thread: answers do not depend on how many there are, and more of them are faster
/// than one with as many threads.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "asking/models.h"
#include "commands/explain/explain.h"
#include "console/interrupt.h"
#include "stream/questions.h"
#include "whynot/explainer.h"

namespace whynot::cli {

/// Questions of one kind, images or sentences, that are asked together.
struct Job {
    std::vector<StreamedQuestion> questions;
    std::vector<Answer> answers;  ///< when done, as many
    bool unasked = false;         ///< the run's budget was used up before
    bool done = false;
    std::exception_ptr failure;  ///< what made it fail as a whole
};

/// What the whole run may cost. Batches draw on it in their order: one that might need more than is left waits until the earlier ones have
/// given back what they did not need. So what a question may cost does not depend on how many workers there are.
class Budget {
public:
    /// 0: no limit
    Budget(double seconds, int64_t evaluations);

    /// Whether what `count` questions may cost is certain now.
    bool ready(const SolverOptions& options, int64_t count) const;
    /// Cuts their options to what they may cost. False: nothing is left for them.
    bool reserve(SolverOptions& options, int64_t count);
    void give_back(const SolverOptions& reserved, int64_t count, int64_t spent);

private:
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end_;
    const bool limited_;
    int64_t left_, reserved_ = 0;  // evaluations
};

class Workers {
public:
    /// @param models names the packs; each worker opens them for itself with its first job
    Workers(const ExplainCommand& command, const ExplainOptions& options, const Models& models, int count);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    size_t count() const { return threads_.size(); }
    void give(std::shared_ptr<Job> job);

    /// Throws the job's failure; `cancelled` when a signal ended it.
    bool is_done(const Job& job);

    /// A descriptor that is readable when a further job is done.
    int finished() const { return finished_; }

private:
    void work();
    /// @return the evaluations it took
    int64_t answer(std::unique_ptr<Models>& models, Job& job, const SolverOptions& solver) const;
    bool stopping() const { return stop_ || interrupted(); }

    const ExplainCommand& command_;
    ExplainOptions options_;
    const Models& models_;
    const int finished_;
    std::atomic<bool> stop_{false};

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    Budget budget_;
    std::deque<std::shared_ptr<Job>> waiting_;

    std::vector<std::thread> threads_;
};

}  // namespace whynot::cli
