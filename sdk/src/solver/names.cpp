#include <cmath>
#include <cstdio>

#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot {
namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
    char text[512];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

template <typename Enum, size_t count>
Enum named(const std::string& what, const std::string& name, const Enum (&all)[count]) {
    std::string names;
    for (const Enum each : all) {
        if (name == to_string(each)) return each;
        names += std::string(names.empty() ? "" : ", ") + to_string(each);
    }
    throw Error(ErrorCode::invalid_argument, "the " + what + " should be one of " + names + "; it is \"" + name + "\"");
}

double share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

}  // namespace

const char* to_string(Method method) noexcept { return method == Method::sqp ? "sqp" : "augmented-lagrangian"; }

Method method_from_string(const std::string& name) { return named("method", name, {Method::sqp, Method::augmented_lagrangian}); }

const char* to_string(Status status) noexcept {
    switch (status) {
        case Status::found: return "found";
        case Status::best_effort: return "best-effort";
        case Status::infeasible: return "infeasible";
        case Status::stopped: return "stopped";
        case Status::refused: return "refused";
    }
    return "refused";
}

Status status_from_string(const std::string& name) {
    return named("status", name, {Status::found, Status::best_effort, Status::infeasible, Status::stopped, Status::refused});
}

std::string SolverOptions::check() const {
    const AugmentedLagrangianOptions& alm = augmented_lagrangian;
    const auto bad = [](const char* name, const char* range, double value) {
        return format("%s should be %s; it is %g", name, range, value);
    };
    // Written so that NaN fails too.
    if (!(guard_slack >= 0 && std::isfinite(guard_slack))) return bad("guard_slack", "0 or more nats", guard_slack);
    if (!(gap_tolerance > 0 && std::isfinite(gap_tolerance))) return bad("gap_tolerance", "above 0 nats", gap_tolerance);
    if (!(typical_distance > 0 && std::isfinite(typical_distance))) return bad("typical_distance", "above 0", typical_distance);
    if (max_iterations < 0) return bad("max_iterations", "1 or more, or 0 for the method's default", double(max_iterations));
    if (starts < 1) return bad("starts", "1 or more (z0 is the first)", double(starts));
    if (!(deadline_seconds >= 0)) return bad("deadline_seconds", "above 0, or 0 for none", deadline_seconds);
    if (max_evaluations < 0) return bad("max_evaluations", "1 or more, or 0 for no limit", double(max_evaluations));
    if (!(alm.penalty > 0 && std::isfinite(alm.penalty))) return bad("augmented_lagrangian.penalty", "above 0", alm.penalty);
    if (!(alm.penalty_growth >= 1 && std::isfinite(alm.penalty_growth)))
        return bad("augmented_lagrangian.penalty_growth", "1 or more", alm.penalty_growth);
    if (!(alm.penalty_ratio > 0 && alm.penalty_ratio < 1))
        return bad("augmented_lagrangian.penalty_ratio", "between 0 and 1", alm.penalty_ratio);
    if (!(alm.step > 0 && std::isfinite(alm.step))) return bad("augmented_lagrangian.step", "above 0", alm.step);
    if (alm.inner_steps < 1) return bad("augmented_lagrangian.inner_steps", "1 or more", double(alm.inner_steps));
    return {};
}

bool Summary::is_usable() const { return questions >= 0 && feasible == questions; }

std::string Summary::brief_report() const {
    if (questions < 0) return message;
    return format(
        "%s: %lld of %lld questions feasible (%lld found, %lld best-effort, %lld infeasible, %lld stopped), %.1f + "
        "%.1f evaluations a question, %.3g s",
        method_used.c_str(), (long long)feasible, (long long)questions, (long long)found, (long long)best_effort, (long long)infeasible,
        (long long)stopped, questions ? double(forward) / double(questions) : 0.0, questions ? double(backward) / double(questions) : 0.0,
        seconds);
}

std::string Summary::full_report() const {
    if (questions < 0) return message + "\n";
    const double own = seconds - seconds_forward - seconds_backward;
    std::string text = "whynot contrastive solver\n\n";
    text += format("method given       %s\nmethod used        %s\nend                %s\n\n", method_given.c_str(), method_used.c_str(),
                   message.c_str());
    text += format(
        "questions          %lld\n  feasible         %lld\n  found            %lld\n  best-effort      %lld\n  "
        "infeasible       %lld\n  stopped          %lld\n",
        (long long)questions, (long long)feasible, (long long)found, (long long)best_effort, (long long)infeasible, (long long)stopped);
    if (median_distance >= 0) text += format("median distance    %.4g\n", median_distance);
    text += format("\niterations         %lld\nforward            %lld rows\nbackward           %lld rows\n", (long long)iterations,
                   (long long)forward, (long long)backward);
    text += format(
        "seconds            %.4f\n  forward          %.4f (%.1f %%)\n  backward         %.4f (%.1f %%)\n  solver       "
        "    %.4f (%.1f %%)\n",
        seconds, seconds_forward, share(seconds_forward, seconds), seconds_backward, share(seconds_backward, seconds), own,
        share(own, seconds));
    text +=
        "\n  row  status        gap        third           distance  forward  backward  iterations  start  feasible "
        "at\n";
    for (size_t i = 0; i < solutions.size(); ++i) {
        const Solution& s = solutions[i];
        const std::string third = s.max_third.index < 0 ? "-" : format("%lld: %.3g", (long long)s.max_third.index, s.max_third.margin);
        text += format("%5zu  %-12s  %-9.3g  %-14s  %-8.4g  %7lld  %8lld  %10lld  %5lld  %11lld\n", i, to_string(s.status), s.gap,
                       third.c_str(), s.distance, (long long)s.forward, (long long)s.backward, (long long)s.iterations, (long long)s.start,
                       (long long)s.evaluations_to_feasible);
    }
    return text;
}

}  // namespace whynot
