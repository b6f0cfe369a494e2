#pragma once

/// Work that takes its time: one job after another in a thread of its own, each of which can be looked at, waited for and cancelled.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/asker.h"

namespace whynot::cli {

struct JobLimits {
    size_t waiting = 32;                    ///< jobs; more are turned away
    double lease = 15;                      ///< seconds: a job that nobody asks about for so long is cancelled
    double left = 2;                        ///< seconds from when the one who waited for it has gone
    size_t kept = 64;                       ///< jobs that have ended
    double kept_seconds = 600;              ///< each of them
    size_t kept_bytes = 200 * 1000 * 1000;  ///< of their answers, together
};

/// A job as it stands.
struct JobView {
    std::string id;
    enum class State { waiting, loading, working, done, failed, cancelled };
    State state = State::waiting;
    size_t ahead = 0;  ///< jobs before it
    AskProgress progress;
    double seconds = 0;  ///< from its beginning to its end, or until now
    std::string error_code, error;
    std::shared_ptr<const AskResult> result;
    std::shared_ptr<const std::string> written;  ///< the result as the members of a JSON object

    bool has_ended() const { return state != State::waiting && state != State::loading && state != State::working; }
};

/// "waiting", ...
const char* to_string(JobView::State state);

class Jobs {
public:
    /// @param open_asker called in the jobs' thread, when the first one comes @param write the members of a JSON object
    Jobs(const JobLimits& limits, std::function<std::unique_ptr<Asker>()> open_asker, std::function<std::string(const AskResult&)> write);
    /// Cancels what is under way and waits for it.
    ~Jobs();
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    /// @return its id; empty: too many are waiting
    std::string add(AskRequest request);
    /// Nothing: there is no such job, or not any more.
    std::optional<JobView> look(const std::string& id) const;
    /// Somebody asks about it, and will wait for so many seconds.
    void hold(const std::string& id, double wait);
    /// Calls back when the job has ended, in any thread, from where nothing here may be called; at once where it has.
    void when_ended(const std::string& id, std::function<void()> ended);
    /// Cancels a job, or forgets one that has ended. False: there is none.
    bool cancel(const std::string& id);
    /// The one who waited for it has gone: others have a little time to ask for it.
    void leave(const std::string& id);
    /// Cancels what nobody asks for, forgets what is old. To be called once a second.
    void tidy();
    /// The folders of packs that are open.
    std::vector<std::string> open() const;

private:
    using Clock = std::chrono::steady_clock;
    struct Job {
        AskRequest request;
        JobView view;
        Clock::time_point until, began, ended;
        bool cancelled = false;
        size_t bytes = 0;
        std::vector<std::function<void()>> waiting;
    };

    void work();
    void run(Job& job);
    void end(Job& job, JobView::State state);
    JobView view_of(const Job& job) const;
    void forget_oldest();

    const JobLimits limits_;
    const std::function<std::unique_ptr<Asker>()> open_asker_;
    const std::function<std::string(const AskResult&)> write_;
    std::unique_ptr<Asker> asker_;  // made and used by the thread; `open` under the mutex

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::map<std::string, std::shared_ptr<Job>> jobs_;
    std::deque<std::shared_ptr<Job>> queue_;  // waiting
    std::list<std::string> ended_;            // oldest first
    std::vector<std::string> open_;
    bool stop_ = false;

    std::thread thread_;
};

}  // namespace whynot::cli
