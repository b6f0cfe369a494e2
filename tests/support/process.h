#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace whynot::test {

/// A program that runs, with pipes to its standard input, output and error. Its environment is ours without what steers whynot, and with
/// `environment` ("NAME=value").
class Process {
public:
    Process(const std::string& program, const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
            const char* output_file = nullptr) {
        int in[2], output[2], error[2];
        if (pipe2(in, O_CLOEXEC) || pipe2(output, O_CLOEXEC) || pipe2(error, O_CLOEXEC)) throw std::runtime_error("no pipes");
        pid_ = fork();
        if (pid_ == 0) {
            dup2(in[0], 0);
            dup2(output_file ? open(output_file, O_WRONLY) : output[1], 1);
            dup2(error[1], 2);
            for (const char* name : {"WHYNOT_PLUGIN_PATH", "WHYNOT_PACK_PATH", "WHYNOT_CORPORA", "NO_COLOR", "OMP_NUM_THREADS"})
                unsetenv(name);
            for (const std::string& variable : environment) putenv(const_cast<char*>(variable.c_str()));
            std::signal(SIGINT, SIG_DFL);
            std::vector<char*> argv{const_cast<char*>(program.c_str())};
            for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
            argv.push_back(nullptr);
            execv(program.c_str(), argv.data());
            _exit(127);
        }
        close(in[0]);
        close(output[1]);
        close(error[1]);
        in_ = in[1];
        out_ = output[0];
        err_ = error[0];
        std::signal(SIGPIPE, SIG_IGN);  // the program may end before it has read everything
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        for (int descriptor : {in_, out_, err_})
            if (descriptor >= 0) close(descriptor);
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }

    void write(const std::string& text) {
        if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("it reads no more");
    }
    /// In pieces of `bytes`, each a moment after the one before.
    void write_slowly(const std::string& text, size_t bytes) {
        for (size_t at = 0; at < text.size(); at += bytes) {
            write(text.substr(at, bytes));
            std::this_thread::sleep_for(std::chrono::milliseconds(80));
        }
    }
    void kill(int number) { ::kill(pid_, number); }
    void close_output() { close(std::exchange(out_, -1)); }

    /// Reads standard output until there is a whole line, which is returned without its end.
    std::string read_line() {
        for (;;) {
            const size_t end = out.find('\n');
            if (end != std::string::npos) {
                const std::string line = out.substr(0, end);
                out.erase(0, end + 1);
                return line;
            }
            if (!read_some(out_, out)) throw std::runtime_error("it ended: " + err);
        }
    }

    /// Waits for more on standard error.
    void read_error() {
        if (!read_some(err_, err)) throw std::runtime_error("it ended");
    }

    /// Gives it `input`, reads all it writes, and waits for its end.
    void finish(const std::string& input = "") {
        size_t written = 0;
        if (input.empty()) close_input();
        while (out_ >= 0 || err_ >= 0) {
            pollfd events[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}, {in_, POLLOUT, 0}};
            if (poll(events, 3, -1) < 0) continue;
            if (events[0].revents && !read_some(out_, out)) close_output();
            if (events[1].revents && !read_some(err_, err)) close(std::exchange(err_, -1));
            if (events[2].revents) {
                fcntl(in_, F_SETFL, O_NONBLOCK);
                const ssize_t count = ::write(in_, input.data() + written, input.size() - written);
                if (count > 0) written += static_cast<size_t>(count);
                if ((count < 0 && errno != EAGAIN) || written == input.size()) close_input();
            }
        }
        int status = 0;
        rusage usage{};
        wait4(std::exchange(pid_, -1), &status, 0, &usage);
        peak_bytes = int64_t{usage.ru_maxrss} * 1024;
        code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

    int code = -1;           ///< exit code; -1: a signal ended it
    int signal = 0;          ///< which
    int64_t peak_bytes = 0;  ///< of memory that it held, when finished
    std::string out, err;

private:
    static bool read_some(int descriptor, std::string& text) {
        char bytes[1 << 14];
        const ssize_t count = read(descriptor, bytes, sizeof bytes);
        if (count > 0) text.append(bytes, static_cast<size_t>(count));
        return count > 0;
    }
    void close_input() {
        if (in_ >= 0) close(std::exchange(in_, -1));
    }

    pid_t pid_ = -1;
    int in_ = -1, out_ = -1, err_ = -1;
};

}  // namespace whynot::test
