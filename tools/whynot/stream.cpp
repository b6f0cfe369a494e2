#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "asking.h"
#include "core/text.h"
#include "interrupt.h"
#include "lines.h"
#include "models.h"
#include "questions.h"
#include "terminal.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t batch_size = 64;
constexpr size_t enough_bytes = 64 * 1000 * 1000;  // a batch of large pictures is a small one

/// "2/8": every 8th question from the second.
struct Shard {
    int64_t index = 1, of = 1;

    explicit Shard(const std::string& text) {
        if (text.empty()) return;
        const size_t slash = text.find('/');
        try {
            size_t used = 0;
            index = std::stoll(text, &used);
            if (used != slash) index = 0;
            of = std::stoll(text.substr(slash + 1), &used);
            if (used != text.size() - slash - 1) index = 0;
        } catch (const std::exception&) {
            index = 0;
        }
        if (slash == std::string::npos || index < 1 || index > of)
            throw Error(ErrorCode::invalid_argument, "--shard '" + text + "': expected I/N with I from 1 to N, as 2/8");
    }
    bool has(int64_t number) const { return (number - 1) % of == index - 1; }
};

/// What the whole run may cost.
class Budget {
public:
    Budget(double seconds, int64_t evaluations)
        : end_(seconds > 0 ? Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))
                           : Clock::time_point::max()),
          limited_(evaluations > 0),
          evaluations_(evaluations) {}

    /// What `count` questions may cost; false: there is nothing left for them. `spent` gives back what was not needed.
    bool reserve(SolverOptions& options, int64_t count) {
        if (end_ != Clock::time_point::max()) {
            const double left = std::chrono::duration<double>(end_ - Clock::now()).count();
            if (left <= 0) return false;
            options.deadline_seconds = options.deadline_seconds > 0 ? std::min(options.deadline_seconds, left) : left;
        }
        if (!limited_) return true;
        const std::lock_guard lock(mutex_);
        const int64_t each = evaluations_ / count;
        if (each < 1) return false;
        options.max_evaluations = options.max_evaluations > 0 ? std::min(options.max_evaluations, each) : each;
        evaluations_ -= options.max_evaluations * count;
        return true;
    }
    void spent(const SolverOptions& options, int64_t count, int64_t evaluations) {
        if (!limited_) return;
        const std::lock_guard lock(mutex_);
        evaluations_ += options.max_evaluations * count - evaluations;
    }

private:
    const Clock::time_point end_;
    const bool limited_;
    std::mutex mutex_;
    int64_t evaluations_;
};

struct Job {
    std::vector<StreamedQuestion> questions;
    std::vector<Explanation> records;  // when done, as many
    bool done = false;
    bool unasked = false;  // the run's budget was used up
};

/// The workers, each with its explainers. Made on the first job: a stream that cannot be read needs no networks.
class Workers {
public:
    Workers(const ExplainCommand& command, const ExplainOptions& options, int count)
        : command_(command),
          options_(options),
          budget_(command.run_deadline, command.run_evaluations),
          finished_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (finished_ < 0) throw Error(ErrorCode::io, "no more files can be opened in this process");
        options_.solver.callback = [this](const IterationReport&) {
            return stop_ || interrupted() ? CallbackAnswer::abort : CallbackAnswer::proceed;
        };
        for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
    }
    ~Workers() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
        close(finished_);
    }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    size_t count() const { return threads_.size(); }
    /// Readable when a job is done.
    int finished() const { return finished_; }

    void give(std::shared_ptr<Job> job) {
        {
            const std::lock_guard lock(mutex_);
            waiting_.push_back(std::move(job));
        }
        changed_.notify_one();
    }

    bool is_done(const Job& job) {
        uint64_t ignored;
        if (read(finished_, &ignored, sizeof ignored) < 0) {  // nothing new
        }
        const std::lock_guard lock(mutex_);
        if (failure_) std::rethrow_exception(failure_);
        return job.done;
    }

private:
    void work() {
        std::unique_ptr<Models> models;
        while (true) {
            std::shared_ptr<Job> job;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
                if (stop_) return;
                job = std::move(waiting_.front());
                waiting_.pop_front();
            }
            std::exception_ptr failure;
            try {
                if (!models) models = std::make_unique<Models>(command_, command_.pack);
                answer(*models, *job);
            } catch (...) {
                failure = std::current_exception();
            }
            {
                const std::lock_guard lock(mutex_);
                if (failure && !failure_) failure_ = failure;
                job->done = true;
            }
            const uint64_t one = 1;
            if (write(finished_, &one, sizeof one) < 0) {  // it counts to 2^64
            }
        }
    }

    void answer(Models& models, Job& job) {
        const bool image = job.questions.front().image, wrong = !models.explains(image);
        Explainer& model = image ? models.images() : models.sentences();
        if (wrong) {
            for (StreamedQuestion& question : job.questions)
                if (question.problem.empty())
                    question.problem = "the pack '" + model.pack().manifest().id + "' explains " + model.pack().manifest().modality +
                                       ", and this is " + (image ? "an image" : "a sentence");
        }
        std::vector<Ask> asks;
        for (const StreamedQuestion& question : job.questions)
            if (question.problem.empty()) asks.push_back(question.ask);
        std::vector<Answer> answers;
        ExplainOptions options = options_;
        std::string refusal;
        if (!asks.empty()) {
            const auto count = static_cast<int64_t>(asks.size());
            if (budget_.reserve(options.solver, count)) {
                answers = explain(model, asks, options);
                int64_t evaluations = 0;
                for (const Answer& answer : answers) evaluations += answer.record.cost.forward;
                budget_.spent(options.solver, count, evaluations);
            } else {
                job.unasked = true;
                refusal = "the deadline or the evaluations of the whole run were used up before this was asked";
            }
        }
        size_t next = 0;
        for (const StreamedQuestion& question : job.questions) {
            const bool answered_it = question.problem.empty() && refusal.empty();
            job.records.push_back(answered_it ? std::move(answers[next++].record)
                                              : refused(model, question, question.problem.empty() ? refusal : question.problem));
        }
    }

    /// What fails for all together is tried one by one: one bad question must not take others with it.
    std::vector<Answer> explain(Explainer& model, const std::vector<Ask>& asks, const ExplainOptions& options) {
        try {
            return model.explain(asks, options);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::cancelled || stop_ || interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
            if (asks.size() > 1) {
                std::vector<Answer> answers;
                for (const Ask& ask : asks) answers.push_back(std::move(explain(model, {ask}, options)[0]));
                return answers;
            }
            StreamedQuestion question;
            question.ask = asks[0];
            question.shown = asks[0].input.path.empty() ? asks[0].input.content : asks[0].input.path;
            Answer answer;
            answer.record = refused(model, question, error.what());
            return {std::move(answer)};
        }
    }

    Explanation refused(const Explainer& model, const StreamedQuestion& question, const std::string& reason) const {
        const PackManifest& pack = model.pack().manifest();
        Explanation record;
        record.question.modality = pack.modality;
        record.question.input = is_utf8(question.shown) ? question.shown : escape_controls(question.shown);
        record.id = question.ask.question.id;
        if (record.id.empty())
            record.id =
                question_id(pack.modality, question.shown, question.ask.question.fact, question.ask.question.foil, model.pack().sha256());
        record.pack = {pack.id, pack.version, model.pack().sha256()};
        record.solver = {to_string(options_.solver.method), "{}", options_.seed, 1, "cpu"};
        record.status = to_string(Status::refused);
        record.reason = reason;
        return record;
    }

    const ExplainCommand& command_;
    ExplainOptions options_;
    Budget budget_;
    const int finished_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Job>> waiting_;
    std::atomic<bool> stop_{false};
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

/// Where answers go: standard output, or to the end of the file that is gone on with.
class Answers {
public:
    explicit Answers(const std::string& path) : path_(path) {
        if (path_.empty()) return;
        std::ifstream before(path_, std::ios::binary);
        std::string line;
        uint64_t whole = 0;
        while (std::getline(before, line) && !before.eof()) {  // a last line without an end was being written when the run ended
            whole += line.size() + 1;
            try {
                const auto record = nlohmann::json::parse(line);
                given_.push_back({record.at("id"), record.at("question").at("input")});
            } catch (const nlohmann::json::exception&) {
                throw Error(ErrorCode::invalid_input, "--resume " + escape_controls(path_) + ": its line " +
                                                          std::to_string(given_.size() + 1) +
                                                          " is no answer; name the file of answers that the run left behind, or a new one");
            }
        }
        before.close();
        std::error_code error;
        if (fs::exists(path_, error) && fs::file_size(path_, error) != whole) fs::resize_file(path_, whole, error);
        file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (file_ < 0 || error) throw Error(ErrorCode::io, "--resume " + escape_controls(path_) + ": cannot be written");
    }
    ~Answers() {
        if (file_ >= 0) close(file_);
    }
    Answers(const Answers&) = delete;
    Answers& operator=(const Answers&) = delete;

    /// Whether the next question has its answer already. Throws `invalid_input` where that answers another one.
    bool has(const StreamedQuestion& question) {
        if (given_.empty()) return false;
        const Given given = std::move(given_.front());
        given_.pop_front();
        const std::string& id = question.ask.question.id;
        if (id.empty() ? is_utf8(question.shown) && given.input != question.shown : given.id != id) {
            throw Error(ErrorCode::invalid_input,
                        "--resume " + escape_controls(path_) + ": it answers " + in_quotes(id.empty() ? given.input : given.id) +
                            " where question " + std::to_string(question.number) + " is " + in_quotes(id.empty() ? question.shown : id) +
                            "; these are not the answers to these questions");
        }
        return true;
    }

    void write(const std::string& lines) const {
        if (file_ < 0) return print(lines);
        for (size_t at = 0; at < lines.size();) {
            const ssize_t count = ::write(file_, lines.data() + at, lines.size() - at);
            if (count < 0 && errno != EINTR) throw Error(ErrorCode::io, "cannot write " + escape_controls(path_));
            if (count > 0) at += static_cast<size_t>(count);
        }
    }
    bool goes_on() const { return file_ >= 0; }

private:
    struct Given {
        std::string id, input;
    };
    const std::string path_;
    std::deque<Given> given_;
    int file_ = -1;
};

}  // namespace

int explain_stream(const ExplainCommand& command) {
    return interruptible([&] {
        if (command.foil == "all")
            throw Error(ErrorCode::invalid_argument, "--foil all: in a stream each line asks about one foil; write a line for each");
        const ExplainOptions options = explain_options(command);
        const Shard shard(command.shard);
        Answers answers(command.resume);
        {
            const Models models(command, command.pack);
            for (const Pack& pack : models.packs()) check_question(command, models.host(), pack);
        }
        set_threads(1, 1);
        Workers workers(command, options, workers_for(command.threads));
        Questions questions(command.csv_column, command.fact, command.foil);
        StatusLine status;

        int64_t done = 0;
        int code = answered;
        bool ended = false, over = false;  // no further questions; the budget is used up
        std::deque<std::shared_ptr<Job>> under_way;
        const auto give = [&](std::shared_ptr<Job>& job) {
            if (!job) return;
            under_way.push_back(job);
            workers.give(std::move(job));
            job.reset();
        };
        const auto write_finished = [&] {
            while (!under_way.empty() && workers.is_done(*under_way.front())) {
                const Job& job = *under_way.front();
                over = over || job.unasked;
                // What a later run can go on with is left to it.
                if (!(over && answers.goes_on())) {
                    std::string lines;
                    for (const Explanation& record : job.records) {
                        lines += to_json(record) + '\n';
                        if (!has_answer(record)) code = none_found;
                    }
                    answers.write(lines);
                    done += static_cast<int64_t>(job.records.size());
                } else {
                    code = none_found;
                }
                under_way.pop_front();
            }
            status.show(std::to_string(done) + " answered");
        };

        std::shared_ptr<Job> job;
        size_t bytes = 0;
        while (!ended || !under_way.empty()) {
            write_finished();
            if (over && answers.goes_on()) ended = true;
            if (ended || under_way.size() >= 2 * workers.count()) {
                if (under_way.empty()) break;
                pollfd events[] = {{workers.finished(), POLLIN, 0}, {interruption(), POLLIN, 0}};
                poll(events, 2, 1000);
                if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
                continue;
            }
            StreamedQuestion question;
            // With a batch begun, further questions are waited for a moment only; without one, until a question or an answer is there.
            switch (questions.next(question, job ? line_patience() : -1, job ? -1 : workers.finished())) {
                case Lines::Got::none_yet:
                    if (job && under_way.size() < workers.count()) give(job);
                    break;
                case Lines::Got::end:
                    give(job);
                    ended = true;
                    break;
                case Lines::Got::line:
                    if (!shard.has(question.number) || answers.has(question)) break;
                    if (job && job->questions.front().image != question.image) give(job);
                    if (!job) {
                        job = std::make_shared<Job>();
                        bytes = 0;
                    }
                    bytes += question.ask.input.content.size();
                    job->questions.push_back(std::move(question));
                    if (job->questions.size() == batch_size || bytes >= enough_bytes) give(job);
            }
        }
        return code;
    });
}

}  // namespace whynot::cli
