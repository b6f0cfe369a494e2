// Checks in processes of their own: this process loads nothing of the plugin, and survives whatever it does.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "base/format.h"
#include "base/text.h"
#include "whynot/conformance.h"
#include "whynot/error.h"

namespace whynot {
namespace {

using Clock = std::chrono::steady_clock;

/// A program that runs with nothing to read, in a process group of its own, and what it writes.
class Child {
public:
    explicit Child(const std::vector<std::string>& command) {
        int output[2], error[2];
        if (pipe2(output, O_CLOEXEC) != 0) throw failure("make a pipe");
        if (pipe2(error, O_CLOEXEC) != 0) {
            close(output[0]), close(output[1]);
            throw failure("make a pipe");
        }
        std::vector<char*> arguments;
        for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
        arguments.push_back(nullptr);
        const pid_t parent = getpid();
        pid_ = fork();
        if (pid_ == 0) {  // from here to exec only what a threaded process may do after fork
            setpgid(0, 0);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(127);
            const rlimit none{0, 0};
            setrlimit(RLIMIT_CORE, &none);
            dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
            dup2(output[1], STDOUT_FILENO);
            dup2(error[1], STDERR_FILENO);
            execv(arguments[0], arguments.data());
            _exit(127);
        }
        close(output[1]), close(error[1]);
        if (pid_ < 0) {
            close(output[0]), close(error[0]);
            throw failure("start a process");
        }
        streams_[0] = {output[0], &out};
        streams_[1] = {error[0], &err};
        setpgid(pid_, pid_);  // there and here: whichever comes first
    }
    ~Child() {
        if (pid_ > 0) {
            kill();
            waitpid(pid_, nullptr, 0);
        }
        for (const Stream& stream : streams_)
            if (stream.descriptor >= 0) close(stream.descriptor);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Reads all that it writes until it ends; false: it was killed at the deadline.
    bool finish(Clock::time_point deadline) {
        bool in_time = true;
        while (true) {
            pollfd events[] = {{streams_[0].descriptor, POLLIN, 0}, {streams_[1].descriptor, POLLIN, 0}};
            const bool reading = events[0].fd >= 0 || events[1].fd >= 0;
            poll(events, 2, reading ? 50 : 2);
            for (const int i : {0, 1})
                if (events[i].revents != 0) read_some(streams_[i]);
            // Not before its end is seen in the pipes or on its own: a child of the child may keep them open.
            if (waitpid(pid_, &status, WNOHANG) == pid_) break;
            if (in_time && Clock::now() > deadline) {
                in_time = false;
                kill();
            }
        }
        ::kill(-std::exchange(pid_, -1), SIGKILL);  // what it started and left behind
        for (Stream& stream : streams_) {
            if (stream.descriptor < 0) continue;
            fcntl(stream.descriptor, F_SETFL, O_NONBLOCK);
            while (read_some(stream)) {
            }
        }
        return in_time;
    }

    int status = 0;  ///< as waitpid gives it
    std::string out, err;

private:
    struct Stream {
        int descriptor = -1;
        std::string* text = nullptr;
    };

    static Error failure(const std::string& what) {
        return {ErrorCode::io, "cannot " + what + " to run a check in: " + std::strerror(errno)};
    }

    void kill() const {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
    }

    /// Keeps the end of what was written, which is what matters; false: there is no more.
    static bool read_some(Stream& stream) {
        constexpr size_t most = 1 << 20;
        char bytes[1 << 14];
        const ssize_t count = read(stream.descriptor, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) return true;
        if (count <= 0) {
            close(std::exchange(stream.descriptor, -1));
            return false;
        }
        stream.text->append(bytes, static_cast<size_t>(count));
        if (stream.text->size() > most) stream.text->erase(0, stream.text->size() - most / 2);
        return true;
    }

    pid_t pid_ = -1;
    Stream streams_[2];
};

/// The last lines that are not empty, for a message.
std::string last_words(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t end = text.size(); end > 0 && lines.size() < 3;) {
        const size_t begin = text.rfind('\n', end - 1);
        const size_t first = begin == std::string::npos ? 0 : begin + 1;
        if (first < end) lines.insert(lines.begin(), base::escape_controls(text.substr(first, std::min<size_t>(end - first, 300))));
        end = begin == std::string::npos ? 0 : begin;
    }
    std::string words;
    for (const std::string& line : lines) words += "\n  " + line;
    return words.empty() ? "" : ". Its last words:" + words;
}

/// What the program printed as its last line, if that is a result of this check.
bool read_result(const std::string& out, CheckResult& result) {
    const size_t end = out.find_last_not_of('\n') + 1;
    const size_t begin = end == 0 ? 0 : out.rfind('\n', end - 1) + 1;  // npos + 1 is 0
    try {
        const CheckResult read = check_result_from_json(std::string_view(out).substr(begin, end - begin));
        if (read.check != result.check) return false;
        result = read;
        return true;
    } catch (const Error&) {
        return false;
    }
}

CheckResult run_apart(const std::string& name, const ApartOptions& options) {
    const Clock::time_point began = Clock::now();
    std::vector<std::string> command = options.command;
    command.push_back(name);
    Child child(command);
    const bool in_time = child.finish(began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.timeout)));

    CheckResult result;
    result.check = name;
    const bool answered = read_result(child.out, result);
    result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    if (!in_time) {
        result.outcome = Outcome::failed;
        result.message = "it had not ended after " + base::number(options.timeout, 6) + " seconds and was stopped" + last_words(child.err);
    } else if (WIFSIGNALED(child.status)) {
        const int number = WTERMSIG(child.status);
        const char* const abbreviation = sigabbrev_np(number);
        result.outcome = Outcome::crashed;
        result.message = std::string(answered ? "the check was done, but then the process" : "the process") + " died of " +
                         (abbreviation ? "SIG" + std::string(abbreviation) : "signal " + std::to_string(number)) + " (" +
                         strsignal(number) + ")" + last_words(child.err);
    } else if (!answered) {
        result.outcome = Outcome::crashed;
        result.message = "the process ended with the exit code " + std::to_string(WEXITSTATUS(child.status)) +
                         " before the check was done" + last_words(child.err);
    }
    return result;
}

}  // namespace

std::vector<CheckResult> run_checks_apart(const std::vector<std::string>& names, const ApartOptions& options,
                                          const std::function<void(const CheckResult&)>& report) {
    if (options.command.empty()) throw Error(ErrorCode::invalid_argument, "ApartOptions::command is empty");
    std::map<std::string, std::string> needs;
    for (const ConformanceCheck& check : conformance_checks()) needs[check.name] = check.needs;
    struct Ended {
        bool holds;
        std::string because;  ///< where it does not: the check that is to blame, and how that ended
    };
    std::map<std::string, Ended> ended;
    std::vector<CheckResult> results;
    for (const std::string& name : names) {
        const auto needed = needs.find(name);
        if (needed == needs.end()) throw Error(ErrorCode::invalid_argument, "there is no check '" + name + '\'');
        const auto before = ended.find(needed->second);
        CheckResult result;
        if (before != ended.end() && !before->second.holds) {
            result.check = name;
            result.outcome = Outcome::skipped;
            result.message = "it needs the check " + before->second.because;
            ended[name] = before->second;
        } else {
            result = run_apart(name, options);
            const bool holds = result.holds() && result.outcome != Outcome::skipped;
            ended[name] = {holds,
                           '\'' + name + "', which " + (result.outcome == Outcome::skipped ? "was " : "") + to_string(result.outcome)};
        }
        if (report) report(result);
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace whynot
