// Checks of what a plugin does to the process that it is a guest in.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <locale>
#include <map>

#include "base/text.h"
#include "conformance/checks/subject.h"
#include "whynot/error.h"

extern char** environ;

namespace whynot::conformance {
namespace {

/// Takes what the process writes to its standard output and error, until it is read.
class Silence {
public:
    Silence()
        : file_(memfd_create("whynot-check", MFD_CLOEXEC)),
          output_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)),
          error_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
        flush();
        if (file_ < 0 || dup2(file_, STDOUT_FILENO) < 0 || dup2(file_, STDERR_FILENO) < 0)
            throw Error(ErrorCode::io, std::string("cannot take the standard output: ") + std::strerror(errno));
    }
    ~Silence() {
        restore();
        for (const int descriptor : {file_, output_, error_})
            if (descriptor >= 0) close(descriptor);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

    std::string broken() {
        restore();
        std::string text(200, '\0');
        const ssize_t count = pread(file_, text.data(), text.size(), 0);
        text.resize(count > 0 ? static_cast<size_t>(count) : 0);
        return text;
    }

private:
    static void flush() {
        std::fflush(nullptr);
        std::cout.flush();
    }
    void restore() const {
        flush();
        if (output_ >= 0) dup2(output_, STDOUT_FILENO);
        if (error_ >= 0) dup2(error_, STDERR_FILENO);
    }

    const int file_, output_, error_;
};

/// Everything process-wide that plugins are told to leave alone, as text.
std::map<std::string, std::string> process_globals() {
    std::map<std::string, std::string> globals;
    const auto pointer = [](auto* function) {
        char text[32];
        std::snprintf(text, sizeof text, "%p", reinterpret_cast<void*>(function));
        return std::string(text);
    };
    globals["the number of threads"] = std::to_string(at::get_num_threads());
    globals["the default dtype"] = std::string(c10::get_default_dtype().name());
    globals["the default generator of random numbers"] = [] {
        const at::Tensor state = at::detail::getDefaultCPUGenerator().get_state();
        const auto* const bytes = state.data_ptr<uint8_t>();
        return std::string(bytes, bytes + state.numel());
    }();
    globals["whether gradients are recorded"] = at::GradMode::is_enabled() ? "on" : "off";
    globals["LibTorch's deterministic mode"] = at::globalContext().deterministicAlgorithms() ? "on" : "off";
    globals["the C locale"] = std::setlocale(LC_ALL, nullptr);
    globals["the C++ locale"] = std::locale().name();
    globals["the rounding of floating-point numbers"] = std::to_string(std::fegetround());
    globals["the terminate handler"] = pointer(std::get_terminate());
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action {};
        if (sigaction(number, nullptr, &action) == 0)
            globals["the handler of signal " + std::to_string(number)] = pointer(action.sa_handler);
    }
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (int number = 1; number < NSIG; ++number) globals["the mask of signals"] += sigismember(&blocked, number) ? '1' : '0';
    globals["the working folder"] = std::filesystem::current_path().string();
    for (char** variable = environ; *variable; ++variable) globals["the environment"] += std::string(*variable) + '\n';
    return globals;
}

}  // namespace

void prints_nothing(Subject& subject) {
    Silence silence;
    subject.explain(subject.options());
    const std::string printed = silence.broken();
    expect(printed.empty(), "it prints " + base::in_quotes(printed) + "; what people should know goes into warnings, refusals and errors");
}

void process_state(Subject& subject) {
    const auto before = process_globals();
    subject.explain(subject.options());
    std::vector<std::string> changed;
    for (const auto& [name, value] : process_globals()) {
        const auto was = before.find(name);
        if (was != before.end() && was->second != value) changed.push_back(name);
    }
    expect(changed.empty(),
           "loading, opening and explaining change " + base::joined(changed) + "; a plugin leaves the process as it found it");
}

}  // namespace whynot::conformance
