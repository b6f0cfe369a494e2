#include "stream/workers.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "asking/asking.h"
#include "stream/records.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

int64_t count_of_asked(const Job& job) {
    return std::count_if(job.questions.begin(), job.questions.end(), [](const StreamedQuestion& each) { return each.problem.empty(); });
}

}  // namespace

Budget::Budget(double seconds, int64_t evaluations)
    : end_(seconds > 0 && seconds < 1e9 ? Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))
                                        : Clock::time_point::max()),
      limited_(evaluations > 0),
      left_(evaluations) {}

bool Budget::ready(const SolverOptions& options, int64_t count) const {
    if (!limited_ || reserved_ == 0 || count == 0) return true;
    return options.max_evaluations > 0 && options.max_evaluations <= left_ / count;
}

bool Budget::reserve(SolverOptions& options, int64_t count) {
    if (count == 0) return true;
    if (end_ != Clock::time_point::max()) {
        const double left = std::chrono::duration<double>(end_ - Clock::now()).count();
        if (left <= 0) return false;
        options.deadline_seconds = options.deadline_seconds > 0 ? std::min(options.deadline_seconds, left) : left;
    }
    if (!limited_) return true;
    const int64_t each = left_ / count;
    if (each < 1) {
        left_ = 0;  // nor for fewer that come later
        return false;
    }
    options.max_evaluations = options.max_evaluations > 0 ? std::min(options.max_evaluations, each) : each;
    left_ -= options.max_evaluations * count;
    reserved_ += options.max_evaluations * count;
    return true;
}

void Budget::give_back(const SolverOptions& reserved, int64_t count, int64_t spent) {
    if (!limited_) return;
    left_ += reserved.max_evaluations * count - spent;
    reserved_ -= reserved.max_evaluations * count;
}

Workers::Workers(const ExplainCommand& command, const ExplainOptions& options, const Models& models, int count)
    : command_(command),
      options_(options),
      models_(models),
      finished_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      budget_(command.run_deadline, command.run_evaluations) {
    if (finished_ < 0) throw Error(ErrorCode::io, "no more files can be opened in this process");
    options_.solver.callback = [this](const IterationReport&) { return stopping() ? CallbackAnswer::abort : CallbackAnswer::proceed; };
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    close(finished_);
}

void Workers::give(std::shared_ptr<Job> job) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    changed_.notify_one();
}

bool Workers::is_done(const Job& job) {
    const std::lock_guard lock(mutex_);
    uint64_t ignored;
    if (read(finished_, &ignored, sizeof ignored) < 0) {  // nothing new
    }
    if (job.failure) std::rethrow_exception(job.failure);
    return job.done;
}

void Workers::work() {
    std::unique_ptr<Models> models;
    while (true) {
        std::shared_ptr<Job> job;
        SolverOptions solver = options_.solver;
        int64_t asked = 0;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(
                lock, [&] { return stop_ || (!waiting_.empty() && budget_.ready(options_.solver, count_of_asked(*waiting_.front()))); });
            if (stop_) return;
            job = std::move(waiting_.front());
            waiting_.pop_front();
            asked = count_of_asked(*job);
            job->unasked = !budget_.reserve(solver, asked);
        }
        std::exception_ptr failure;
        int64_t spent = 0;
        try {
            spent = answer(models, *job, solver);
        } catch (...) {
            failure = std::current_exception();
        }
        {
            const std::lock_guard lock(mutex_);
            if (asked > 0 && !job->unasked) budget_.give_back(solver, asked, spent);
            job->failure = failure;
            job->done = true;
            const uint64_t one = 1;
            if (write(finished_, &one, sizeof one) < 0) {  // it counts to 2^64
            }
        }
        changed_.notify_all();
    }
}

int64_t Workers::answer(std::unique_ptr<Models>& models, Job& job, const SolverOptions& solver) const {
    std::vector<Ask> asks;
    if (!job.unasked)
        for (const StreamedQuestion& each : job.questions)
            if (each.problem.empty()) asks.push_back({each.input, each.question});
    std::vector<Answer> given;
    if (!asks.empty()) {
        if (!models) models = std::make_unique<Models>(command_, command_.pack);
        ExplainOptions options = options_;
        options.solver = solver;
        given = explain_each(job.questions.front().image ? models->images() : models->sentences(), asks, options, command_);
    }
    int64_t spent = 0;
    size_t next = 0;
    for (const StreamedQuestion& each : job.questions) {
        if (!each.problem.empty()) {
            job.answers.push_back({refused(each, models_.pack(each.image), command_, each.problem), {}, {}, {}});
        } else if (job.unasked) {
            job.answers.push_back({refused(each, models_.pack(each.image), command_,
                                           "the deadline or the evaluations of the whole run were used up before this was asked"),
                                   {},
                                   {},
                                   {}});
        } else {
            job.answers.push_back(std::move(given[next++]));
            spent += job.answers.back().record.cost.forward;
        }
    }
    return spent;
}

}  // namespace whynot::cli
