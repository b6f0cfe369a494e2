#include "console/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "console/terminal.h"

namespace whynot::cli {
namespace {

volatile std::sig_atomic_t caught = 0;
int ends[2] = {-1, -1};  // of a pipe: a flag alone could be set just before one starts to wait

/// Seconds that what is under way has to end in, after a signal: a model that does not return must not keep the program from ending.
constexpr unsigned patience = 4;

/// Dies of the signal that came. Safe within a handler.
void die(int) {
    std::signal(caught, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::raise(caught);
    _exit(128 + caught);  // not reached
}

void note(int signal) {
    const int error = errno;
    caught = signal;
    std::signal(SIGALRM, die);
    alarm(patience);
    if (write(ends[1], "", 1) < 0) {  // full: it is readable already
    }
    errno = error;
}

}  // namespace

void catch_signals() {
    if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw Error(ErrorCode::io, "no more files can be opened in this process");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        sigaction(signal, nullptr, &action);
        if (action.sa_handler == SIG_IGN) continue;  // nohup, or a job in the background: whoever started us wants it so
        action.sa_handler = note;
        action.sa_flags = SA_RESETHAND | SA_RESTART;
        sigemptyset(&action.sa_mask);
        sigaction(signal, &action, nullptr);
    }
}

bool interrupted() { return caught != 0; }

int interruption() { return ends[0]; }

void die_of_signal() {
    complain("interrupted");
    die(caught);
    std::abort();  // not reached
}

}  // namespace whynot::cli
