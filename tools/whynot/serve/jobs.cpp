#include "serve/jobs.h"

#include <algorithm>

#include "serve/guard.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace whynot::cli {
namespace {

std::chrono::steady_clock::duration seconds(double number) {
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(number));
}

size_t bytes_of(const Answer& answer) {
    size_t bytes = 4096;
    for (const NamedPicture& named : answer.pictures) bytes += named.picture.bytes.size();
    for (const Frame& frame : answer.frames) bytes += frame.picture.bytes.size();
    return bytes;
}

}  // namespace

const char* to_string(JobView::State state) {
    constexpr const char* names[] = {"waiting", "loading", "working", "done", "failed", "cancelled"};
    return names[static_cast<int>(state)];
}

Jobs::Jobs(const JobLimits& limits, std::function<std::unique_ptr<Asker>()> open_asker, std::function<std::string(const AskResult&)> write)
    : limits_(limits), open_asker_(std::move(open_asker)), write_(std::move(write)), thread_([this] { work(); }) {}

Jobs::~Jobs() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        for (auto& [id, job] : jobs_) job->cancelled = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::string Jobs::add(AskRequest request) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= limits_.waiting) return "";
    const auto job = std::make_shared<Job>();
    job->request = std::move(request);
    job->view.id = random_name(8);
    job->began = Clock::now();
    job->until = job->began + seconds(limits_.lease);
    jobs_[job->view.id] = job;
    queue_.push_back(job);
    changed_.notify_all();
    return job->view.id;
}

JobView Jobs::view_of(const Job& job) const {
    JobView view = job.view;
    if (!view.has_ended()) view.seconds = std::chrono::duration<double>(Clock::now() - job.began).count();
    if (view.state == JobView::State::waiting) {
        const auto place = std::find_if(queue_.begin(), queue_.end(), [&](const auto& each) { return each.get() == &job; });
        view.ahead = static_cast<size_t>(place - queue_.begin());
    }
    return view;
}

std::optional<JobView> Jobs::look(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return std::nullopt;
    return view_of(*found->second);
}

void Jobs::hold(const std::string& id, double wait) {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) found->second->until = Clock::now() + seconds(wait + limits_.lease);
}

void Jobs::when_ended(const std::string& id, std::function<void()> ended) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = jobs_.find(id);
        if (found != jobs_.end() && !found->second->view.has_ended()) {
            found->second->waiting.push_back(std::move(ended));
            return;
        }
    }
    ended();
}

bool Jobs::cancel(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return false;
    const std::shared_ptr<Job> job = found->second;
    if (job->view.has_ended()) {
        ended_.remove(id);
        jobs_.erase(found);
        return true;
    }
    job->cancelled = true;
    const auto place = std::find(queue_.begin(), queue_.end(), job);
    if (place == queue_.end()) return true;  // it is under way, and will notice
    queue_.erase(place);
    end(*job, JobView::State::cancelled);
    return true;
}

void Jobs::leave(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) found->second->until = std::min(found->second->until, Clock::now() + seconds(limits_.left));
}

void Jobs::tidy() {
    std::vector<std::string> left;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, job] : jobs_)
            if (!job->view.has_ended() && !job->cancelled && job->until < Clock::now()) left.push_back(id);
        while (!ended_.empty() && jobs_.at(ended_.front())->ended + seconds(limits_.kept_seconds) < Clock::now()) forget_oldest();
    }
    for (const std::string& id : left) cancel(id);
}

std::vector<std::string> Jobs::open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

void Jobs::forget_oldest() {
    jobs_.erase(ended_.front());
    ended_.pop_front();
}

/// With the mutex.
void Jobs::end(Job& job, JobView::State state) {
    job.view.state = state;
    job.ended = Clock::now();
    job.view.seconds = std::chrono::duration<double>(job.ended - job.began).count();
    job.request = {};
    ended_.push_back(job.view.id);
    size_t bytes = 0;
    for (const std::string& id : ended_) bytes += jobs_.at(id)->bytes;
    while (ended_.size() > 1 && (ended_.size() > limits_.kept || bytes > limits_.kept_bytes)) {
        bytes -= jobs_.at(ended_.front())->bytes;
        forget_oldest();
    }
    for (const auto& each : std::exchange(job.waiting, {})) each();
}

void Jobs::work() {
    for (;;) {
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
            if (stop_) return;
            job = queue_.front();
            queue_.pop_front();
            job->view.state = JobView::State::loading;
        }
        run(*job);
    }
}

void Jobs::run(Job& job) {
    const auto watch = [&](const AskProgress& progress) {
        const std::lock_guard lock(mutex_);
        job.view.progress = progress;
        job.view.state = progress.stage == AskProgress::Stage::loading ? JobView::State::loading : JobView::State::working;
        return !job.cancelled;
    };
    std::string code, message;
    std::shared_ptr<const AskResult> result;
    std::shared_ptr<const std::string> written;
    size_t bytes = 0;
    try {
        if (!asker_) asker_ = open_asker_();
        result = std::make_shared<const AskResult>(asker_->ask(job.request, watch));
        written = std::make_shared<const std::string>(write_(*result));
        bytes = written->size();
        for (const Answer& answer : result->answers) bytes += bytes_of(answer);
    } catch (const Error& error) {
        code = whynot::to_string(error.code());
        message = error.what();
    } catch (const std::exception& error) {
        code = whynot::to_string(ErrorCode::internal);
        message = what_without_backtrace(error);
    }
    const std::lock_guard lock(mutex_);
    if (asker_) open_ = asker_->open();
    if (message.empty()) {
        job.view.result = result;
        job.view.written = written;
        job.bytes = bytes;
    } else if (!job.cancelled) {
        job.view.error_code = code;
        job.view.error = message;
    }
    end(job, message.empty() ? JobView::State::done : job.cancelled ? JobView::State::cancelled : JobView::State::failed);
}

}  // namespace whynot::cli
