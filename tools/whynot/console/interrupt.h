#pragma once

/// Ctrl-C and its like: what is under way ends cleanly, and then the program dies of the signal, as the shell expects. A second
/// signal kills at once, and four seconds after the first the program dies whatever it is doing.

#include "whynot/error.h"

namespace whynot::cli {

/// From now on SIGINT, SIGTERM and SIGHUP are noted for `interrupted` once; the second one does what it always does.
void catch_signals();

/// A signal has come: stop soon.
bool interrupted();

/// A descriptor that becomes readable when a signal has come, to be polled beside what one waits for.
int interruption();

/// Says so on standard error and dies of the signal that came.
[[noreturn]] void die_of_signal();

/// Runs a command that polls `interrupted` and throws Error `cancelled` when it says so.
template <class F>
int interruptible(F&& command) {
    catch_signals();
    int code = 0;
    try {
        code = command();
    } catch (const Error& error) {
        if (!interrupted() || error.code() != ErrorCode::cancelled) throw;
    }
    if (interrupted()) die_of_signal();
    return code;
}

}  // namespace whynot::cli
