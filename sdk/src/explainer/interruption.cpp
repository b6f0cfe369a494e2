#include "whynot/interruption.h"

#include <chrono>

namespace whynot {
namespace {

thread_local InterruptionScope* current = nullptr;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

constexpr double interval = 0.02;  // seconds

}  // namespace

InterruptionScope::InterruptionScope(std::function<void()> ask) : ask_(std::move(ask)), outer_(current) { current = this; }

InterruptionScope::~InterruptionScope() { current = outer_; }

void check_interruption() {
    InterruptionScope* const scope = current;
    if (!scope) return;
    const double time = now();
    if (time - scope->asked_ < interval) return;
    scope->asked_ = time;
    scope->ask_();
}

}  // namespace whynot
