// Explains sentences, one a line on standard input, and writes one record of JSON a line, in the same order.
//
//     $ explain_batch 60 < sentences.txt > answers.jsonl
//     sentence 1 to 64: 61 of 64 at the boundary, 9 still searched
//     ...
//
// The number is a deadline in seconds for the whole run; without it there is none. What is not finished by then is answered as it stands:
// such a record says "best-effort", and why. docs/record.md explains each field of a record.
#include <whynot/explainer.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr size_t batch_size = 64;  // questions that are solved together share the calls of the networks

/// Seconds that are left until `end`, and always a few: 0 would mean "no deadline" to the solver.
double seconds_until(std::chrono::steady_clock::time_point end) {
    const std::chrono::duration<double> left = end - std::chrono::steady_clock::now();
    return std::max(left.count(), 1e-3);
}

void explain_all(double seconds) {
    whynot::Host host;
    whynot::Explainer explainer(host, whynot::find_pack("yelp", whynot::default_pack_search()));
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));

    size_t first = 1;  // of the batch, as people count
    while (std::cin) {
        std::vector<whynot::Ask> questions;
        for (std::string line; questions.size() < batch_size && std::getline(std::cin, line);) {
            questions.push_back({{line, ""}, {}});  // the predicted class against the runner-up
        }
        if (questions.empty()) break;

        whynot::ExplainOptions options;
        if (seconds > 0) options.solver.deadline_seconds = seconds_until(end);
        // Called once an iteration, on this thread. To end early, with what there is, it would return CallbackAnswer::stop.
        options.solver.callback = [&](const whynot::IterationReport& report) {
            std::cerr << "\rsentence " << first << " to " << first + questions.size() - 1 << ": " << report.rows_feasible << " of "
                      << report.questions << " at the boundary, " << report.rows_active << " still searched   " << std::flush;
            return whynot::CallbackAnswer::proceed;
        };
        // A sentence that cannot be read does not stop the others: its record has the status "refused" and a reason.
        for (const whynot::Answer& answer : explainer.explain(questions, options)) std::cout << to_json(answer.record) << '\n';
        std::cout << std::flush;
        std::cerr << '\n';
        first += questions.size();
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        explain_all(argc > 1 ? std::stod(argv[1]) : 0);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
