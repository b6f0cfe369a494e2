#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/format.h"
#include "whynot/error.h"
#include "whynot/solver.h"

namespace whynot {
namespace {

template <typename Enum, size_t count>
Enum named(const std::string& what, const std::string& name, const Enum (&all)[count]) {
    std::vector<std::string> names;
    for (const Enum each : all) {
        if (name == to_string(each)) return each;
        names.push_back(to_string(each));
    }
    throw Error(ErrorCode::invalid_argument, "the " + what + " should be one of " + base::joined(names) + "; it is \"" + name + "\"");
}

/// Padded to a width; a negative one: to the left of its column.
std::string column(const std::string& text, int width) {
    const std::string padding(std::max(0, std::abs(width) - static_cast<int>(text.size())), ' ');
    return width < 0 ? text + padding : padding + text;
}
std::string column(int64_t count, int width) { return column(std::to_string(count), width); }

std::string line(const std::string& name, const std::string& value) { return column(name, -19) + value + "\n"; }
std::string line(const std::string& name, int64_t count) { return line(name, std::to_string(count)); }

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

const char* to_string(Target target) noexcept {
    switch (target) {
        case Target::boundary: return "boundary";
        case Target::edge: return "edge";
        case Target::answer: return "answer";
    }
    return "boundary";
}

Status status_from_string(const std::string& name) {
    return named("status", name, {Status::found, Status::best_effort, Status::infeasible, Status::stopped, Status::refused});
}

std::string SolverOptions::check() const {
    const AugmentedLagrangianOptions& alm = augmented_lagrangian;
    const auto bad = [](const char* name, const char* range, double value) {
        return std::string(name) + " should be " + range + "; it is " + base::number(value, 6);
    };
    // Written so that NaN fails too.
    if (!(guard_slack >= 0 && std::isfinite(guard_slack))) return bad("guard_slack", "0 or more nats", guard_slack);
    if (!(gap_tolerance > 0 && std::isfinite(gap_tolerance))) return bad("gap_tolerance", "above 0 nats", gap_tolerance);
    if (!(lead > 0 && std::isfinite(lead))) return bad("lead", "above 0 nats", lead);
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
    const auto a_question = [&](int64_t count) { return base::fixed(questions ? double(count) / double(questions) : 0, 1); };
    return method_used + ": " + std::to_string(feasible) + " of " + std::to_string(questions) + " questions feasible (" +
           std::to_string(found) + " found, " + std::to_string(best_effort) + " best-effort, " + std::to_string(infeasible) +
           " infeasible, " + std::to_string(stopped) + " stopped), " + a_question(forward) + " + " + a_question(backward) +
           " evaluations a question, " + base::number(seconds) + " s";
}

std::string Summary::full_report() const {
    if (questions < 0) return message + "\n";
    const auto part = [&](double value) { return base::fixed(value, 4) + " (" + base::fixed(share(value, seconds), 1) + " %)"; };
    std::string text = "whynot contrastive solver\n\n";
    text += line("method given", method_given) + line("method used", method_used) + line("end", message) + "\n";
    text += line("questions", questions) + line("  feasible", feasible) + line("  found", found) + line("  best-effort", best_effort) +
            line("  infeasible", infeasible) + line("  stopped", stopped);
    if (median_distance >= 0) text += line("median distance", base::number(median_distance, 4));
    text += "\n" + line("iterations", iterations) + line("forward", std::to_string(forward) + " rows") +
            line("backward", std::to_string(backward) + " rows");
    text += line("seconds", base::fixed(seconds, 4)) + line("  forward", part(seconds_forward)) +
            line("  backward", part(seconds_backward)) + line("  solver", part(seconds - seconds_forward - seconds_backward));
    text += "\n  row  status        gap        third           distance  forward  backward  iterations  start  feasible at\n";
    for (size_t i = 0; i < solutions.size(); ++i) {
        const Solution& s = solutions[i];
        const std::string third = s.max_third.index < 0 ? "-" : std::to_string(s.max_third.index) + ": " + base::number(s.max_third.margin);
        text += column(static_cast<int64_t>(i), 5) + "  " + column(to_string(s.status), -12) + "  " + column(base::number(s.gap), -9) +
                "  " + column(third, -14) + "  " + column(base::number(s.distance, 4), -8) + "  " + column(s.forward, 7) + "  " +
                column(s.backward, 8) + "  " + column(s.iterations, 10) + "  " + column(s.start, 5) + "  " +
                column(s.evaluations_to_feasible, 11) + "\n";
    }
    return text;
}

}  // namespace whynot
