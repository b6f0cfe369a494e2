// Checks of whole explanations: the solver over a modality, and what is made of its answers.
#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <set>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "conformance/checks/subject.h"
#include "explainer/answering.h"
#include "whynot/error.h"
#include "whynot/explanation.h"
#include "whynot/points.h"
#include "whynot/solver.h"

namespace whynot::conformance {
namespace {

using base::Json;

SolverOptions solver_options(const Asked& asked) {
    SolverOptions options;
    options.typical_distance = asked.model->info().typical_distance;
    return options;
}

/// All that may not differ between two explanations of one question: everything but the time they took.
std::string fixed_part(std::vector<Answer> answers) {
    std::string text;
    for (Answer& answer : answers) {
        answer.record.cost.seconds.reset();
        text += to_json(answer.record) + '\n' + answer.terminal + '\n';
        for (const NamedPicture& picture : answer.pictures) text.append(picture.picture.bytes.begin(), picture.picture.bytes.end());
    }
    return text;
}

/// "record 2, 'gap'" where two texts of `fixed_part` first differ in a record, else what is left.
std::string difference_of(const std::vector<Answer>& one, const std::vector<Answer>& other) {
    for (size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
        const Json first = base::parse_own_json(to_json(one[i].record)), second = base::parse_own_json(to_json(other[i].record));
        for (const auto& [key, value] : first.items())
            if (key != "cost" && value != second.value(key, Json()))
                return "'" + key + "' of " + base::in_quotes(one[i].record.question.input) + " is " + value.dump().substr(0, 100) +
                       " and " + second.value(key, Json()).dump().substr(0, 100);
    }
    return "the lines for the terminal or the pictures";
}

}  // namespace

void same_seed(Subject& subject) {
    const std::vector<Answer> first = subject.explain(subject.options()), second = subject.explain(subject.options());
    expect(fixed_part(first) == fixed_part(second),
           "for the same seed two models give different explanations: " + difference_of(first, second));
}

void solution(Subject& subject) {
    Asked asked = subject.ask();
    Problem problem = subject.problem(asked);
    problem.extra_starts = extra_starts(*asked.batch, asked.model->info(), asked.questions, {subject.request().seed, 1, subject.id()});
    const SolverOptions options = solver_options(asked);
    const Summary summary = solve(problem, options);

    Asked afresh = subject.ask();
    std::vector<RenderRequest> requests;
    for (int64_t row = 0; row < asked.batch->size(); ++row) {
        const Solution& solution = summary.solutions[row];
        if (!solution.feasible) continue;
        const int64_t fact = asked.questions.fact[row].item<int64_t>(), foil = asked.questions.foil[row].item<int64_t>();
        requests.push_back({row, fact, foil, solution.z, "", "", "sample-" + std::to_string(row)});
        const std::string boundary = "the boundary point of " + name_of(subject.samples().inputs[row]);
        const at::Tensor scores =
            subject.problem(afresh).log_likelihood(solution.z.unsqueeze(0), at::full({1}, row, at::kLong))[0].detach().to(at::kCPU,
                                                                                                                          at::kDouble);
        const double gap = (scores[fact] - scores[foil]).item<double>(), slack = 2 * options.gap_tolerance;
        expect(std::abs(gap) <= slack,
               boundary + ": another model finds fact and foil " + number(gap) + " nats apart, this one " + number(solution.gap));
        const double third = (scores.max() - (scores[fact] + scores[foil]) / 2).item<double>();
        expect(third <= slack, boundary + ": another model finds a third class " + number(third) + " nats above fact and foil");
    }
    if (requests.empty()) warn("the solver found no boundary point of any sample input: " + summary.solutions.front().reason);

    const std::vector<Rendering> renderings =
        subject.call("render the explanation", [&] { return asked.batch->render(requests, subject.request().seed); });
    expect(renderings.size() == requests.size(),
           std::to_string(requests.size()) + " solutions were rendered to " + std::to_string(renderings.size()) + " renderings");
    for (size_t r = 0; r < requests.size(); ++r) {
        const std::vector<double>& answer = renderings[r].answer;
        if (answer.empty() || !renderings[r].failure.empty()) continue;
        const std::string what = "the answer to " + name_of(subject.samples().inputs[requests[r].row]);
        const auto called = std::max_element(answer.begin(), answer.end()) - answer.begin();
        expect(static_cast<int64_t>(answer.size()) == asked.probabilities.size(1),
               what + " has " + std::to_string(answer.size()) + " probabilities for " + std::to_string(asked.probabilities.size(1)) +
                   " classes");
        expect(called == requests[r].foil, what + " is not of the class asked about, and Rendering::failure does not say so");
        // Where the answer is an input itself, as a sentence is, it is read again.
        const Json record = base::parse_json(renderings[r].record, ErrorCode::bad_plugin, "the rendering's record");
        if (!record.is_object() || !record.contains("answer") || !record["answer"].is_string()) continue;
        std::vector<ReadNotes> notes;
        const Input input{record["answer"].get<std::string>(), ""};
        const auto batch = subject.call("read the answer", [&] { return afresh.model->read({input}, notes); });
        expect(batch->size() == 1, what + ", " + name_of(input) + ", cannot be read: " + (notes.empty() ? "" : notes[0].refusal));
        const double difference =
            largest_difference(subject.call("classify", [&] { return batch->classify(); })[0].exp(), at::tensor(answer, at::kDouble));
        expect(difference <= 1e-3,
               what + ", " + name_of(input) + ", read again has class probabilities that differ by " + number(difference));
    }
}

void shown(Subject& subject) {
    Asked asked = subject.ask();
    Problem problem = subject.problem(asked);
    problem.extra_starts = extra_starts(*asked.batch, asked.model->info(), asked.questions, {subject.request().seed, 2, subject.id()});
    const double confidence = asked.model->info().confidence;
    const Points points = solve_points(problem, solver_options(asked), asked.model->info().shows_points ? confidence : 0);
    std::vector<RenderRequest> requests;
    for (int64_t row = 0; row < asked.batch->size(); ++row) {
        const Solution& boundary = points.boundary.solutions[static_cast<size_t>(row)];
        if (!boundary.feasible) continue;
        RenderRequest request;
        request.row = row;
        request.fact = asked.questions.fact[row].item<int64_t>();
        request.foil = asked.questions.foil[row].item<int64_t>();
        request.boundary = boundary.z;
        request.confidence = confidence;
        request.name = "sample-" + std::to_string(row);
        if (const std::optional<Solution>& answer = points.answers[static_cast<size_t>(row)]; answer && answer->feasible)
            request.answer = answer->z;
        requests.push_back(std::move(request));
    }
    const std::vector<Rendering> renderings =
        subject.call("render the explanation", [&] { return asked.batch->render(requests, subject.request().seed); });
    Asked afresh = subject.ask();
    bool any = false;
    for (size_t r = 0; r < renderings.size(); ++r) {
        for (const auto& [what, claimed, content] : {std::tuple("the boundary", renderings[r].boundary, renderings[r].boundary_again),
                                                     std::tuple("the answer", renderings[r].answer, renderings[r].answer_again)}) {
            if (content.empty()) continue;
            any = true;
            const std::string whose = std::string(what) + " to " + name_of(subject.samples().inputs[static_cast<size_t>(requests[r].row)]);
            std::vector<ReadNotes> notes;
            const auto batch = subject.call("read what is shown", [&] { return afresh.model->read({{content, ""}}, notes); });
            expect(batch->size() == 1, whose + " cannot be read again: " + (notes.empty() ? "" : notes[0].refusal));
            const at::Tensor said = subject.call("classify", [&] { return batch->classify(); })[0].exp();
            expect(static_cast<int64_t>(claimed.size()) == said.size(0), whose + " is shown with " + std::to_string(claimed.size()) +
                                                                             " probabilities for " + std::to_string(said.size(0)) +
                                                                             " classes");
            const double difference = largest_difference(said, at::tensor(claimed, at::kDouble));
            expect(difference <= 1e-3,
                   whose + ", read again, has class probabilities that differ by " + number(difference) + " from those that are shown");
        }
    }
    if (!any) warn("nothing that is shown can be read again (Rendering::boundary_again, answer_again)");
}

void rendering(Subject& subject) {
    std::vector<std::string> decodings{""};
    for (const PluginOption& option : subject.manifest().options)
        if (option.key == "decode" && !option.choices.empty()) decodings = option.choices;
    const TemporaryFolder folder;
    bool rendered = false;
    for (const std::string& decode : decodings) {
        ExplainOptions options = subject.options();
        options.decode = decode;
        options.out = folder.path.string();
        const std::string with = decode.empty() ? "" : ", decoded by '" + decode + "',";
        for (const Answer& answer : subject.explain(options)) {
            const std::string what = "the explanation of " + base::in_quotes(answer.record.question.input) + with;
            expect(answer.record.reason.rfind(internal::unfit_answer, 0) != 0, what + ": " + answer.record.reason);
            if (answer.record.rendering.empty()) continue;
            rendered = true;
            to_json(answer.record);  // throws where the schema refuses it
            for (size_t begin = 0; begin <= answer.terminal.size();) {
                const size_t end = std::min(answer.terminal.find('\n', begin), answer.terminal.size());
                const std::string line = answer.terminal.substr(begin, end - begin);
                expect(base::escape_controls(line) == line,
                       what + " has control characters or broken UTF-8 in its lines: " + base::in_quotes(line));
                begin = end + 1;
            }
            for (const auto& [name, picture] : answer.pictures)
                expect(picture.width > 0 && picture.height > 0 && (picture.channels == 1 || picture.channels == 3) &&
                           picture.bytes.size() == static_cast<uint64_t>(picture.width * picture.height * picture.channels),
                       what + " has a picture '" + name + "' of " + std::to_string(picture.bytes.size()) + " bytes that claims " +
                           std::to_string(picture.width) + " x " + std::to_string(picture.height) + " x " +
                           std::to_string(picture.channels));
        }
    }
    if (!rendered) warn("the solver found no boundary point of any sample input, so that nothing was rendered");
    if (decodings.front().empty()) return;  // a plugin without such an option takes no notice of it
    bool refused = false;
    try {
        ExplainOptions options = subject.options();
        options.decode = "no-such-decoding";
        subject.explain(options);
    } catch (const Error&) {
        refused = true;
    }
    expect(refused, "the decoding 'no-such-decoding' was taken; it is to be refused with an error");
}

void deadline(Subject& subject) {
    Asked asked = subject.ask();
    const Problem problem = subject.problem(asked);
    const at::Tensor rows = at::arange(asked.batch->size(), at::kLong);
    const auto scores = [&] { return problem.log_likelihood(asked.start, rows).detach().clone(); };
    const at::Tensor before = scores();

    SolverOptions options = solver_options(asked);
    options.callback = [](const IterationReport&) { return CallbackAnswer::abort; };
    bool cancelled = false;
    try {
        solve(problem, options);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::cancelled) throw;
        cancelled = true;
    }
    expect(cancelled, "a search that was cancelled did not end with the error 'cancelled'");

    using Clock = std::chrono::steady_clock;
    constexpr double limit = 1e-3, patience = 1;  // seconds
    options = solver_options(asked);
    options.deadline_seconds = limit;
    const Clock::time_point began = Clock::now();
    const Summary summary = solve(problem, options);
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    expect(static_cast<int64_t>(summary.solutions.size()) == asked.batch->size(), "a search with a deadline did not answer every question");

    const double difference = largest_difference(scores(), before);
    expect(difference == 0, "after a search that was cancelled, log-likelihoods at the same point differ by " + number(difference));
    if (seconds > patience)
        warn("a search with a deadline of " + number(limit) + " seconds took " + number(seconds) +
             "; one call of log_likelihood lasts too long to be stopped in between");
}

void two_threads(Subject& subject) {
    const std::vector<Answer> expected = subject.explain(subject.options());
    std::vector<std::future<std::vector<Answer>>> threads;
    for (int i = 0; i < 2; ++i) threads.push_back(std::async(std::launch::async, [&] { return subject.explain(subject.options()); }));
    for (auto& thread : threads) {
        const std::vector<Answer> found = thread.get();
        expect(fixed_part(found) == fixed_part(expected),
               "two models at work in two threads do not say what one says alone: " + difference_of(expected, found) +
                   ". Models should share nothing that changes");
    }
}

}  // namespace whynot::conformance
