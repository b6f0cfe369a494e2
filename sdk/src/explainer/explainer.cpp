#include "whynot/explainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/format.h"
#include "base/sha256.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "solver/shape.h"
#include "whynot/asking.h"
#include "whynot/error.h"
#include "whynot/modality.h"

namespace whynot {

namespace {

// The options that differ from their defaults, under the names that the command line has for them.
std::string differing_options(const SolverOptions& given) {
    const SolverOptions normal;
    nlohmann::ordered_json options = nlohmann::ordered_json::object();
    if (given.guards != normal.guards) options["guards"] = given.guards;
    if (given.guard_slack != normal.guard_slack) options["guard_slack"] = given.guard_slack;
    if (given.gap_tolerance != normal.gap_tolerance) options["gap_tolerance"] = given.gap_tolerance;
    if (given.max_iterations != normal.max_iterations) options["max_iterations"] = given.max_iterations;
    if (given.starts != normal.starts) options["starts"] = given.starts;
    if (given.deadline_seconds != normal.deadline_seconds) options["deadline"] = given.deadline_seconds;
    if (given.max_evaluations != normal.max_evaluations) options["max_evaluations"] = given.max_evaluations;
    return options.dump();
}

// The text itself, or a readable form of bytes that are no text: records hold UTF-8 only.
std::string readable(const std::string& text) { return base::is_utf8(text) ? text : base::escape_controls(text); }

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// A part of a file's name: letters and digits of the text, one dash for whatever lies between them; `otherwise` where there are none.
std::string slug(const std::string& text, size_t most, const std::string& otherwise) {
    std::string result;
    for (const char c : text) {
        if (result.size() == most) break;
        if (plain(c)) {
            result += c;
        } else if (!result.empty() && result.back() != '-') {
            result += '-';
        }
    }
    if (!result.empty() && result.back() == '-') result.pop_back();
    return result.empty() ? otherwise : result;
}

ClassProbabilities named(const std::vector<std::string>& classes, const at::Tensor& probabilities) {
    ClassProbabilities result;
    const at::Tensor values = probabilities.to(at::kDouble).cpu().contiguous();
    for (size_t c = 0; c < classes.size(); ++c) result.emplace_back(classes[c], values.data_ptr<double>()[c]);
    return result;
}

}  // namespace

struct Explainer::State {
    Pack pack;
    std::string plugin;
    std::string device;
    std::unique_ptr<Model> model;
    double load_seconds = 0;

    const std::vector<std::string>& classes() const { return model->info().classes; }

    template <class F>
    auto call(const std::string& operation, F&& f) const {
        return guarded(plugin, operation, std::forward<F>(f));
    }

    // Index of a class by name. Empty when there is none.
    std::optional<int64_t> class_index(const std::string& name) const {
        const auto found = std::find(classes().begin(), classes().end(), name);
        if (found == classes().end()) return std::nullopt;
        return found - classes().begin();
    }

    // What the classifier says of every row, [B, C], checked.
    at::Tensor log_probabilities(Batch& batch) const { return whynot::log_probabilities(batch, model->info(), {1, 0, plugin}); }
};

Explainer::Explainer(Host& host, Pack pack, const std::string& device) : state_(std::make_unique<State>()) {
    base::Stopwatch watch;
    state_->pack = std::move(pack);
    state_->device = device;
    const PackManifest& manifest = state_->pack.manifest();
    state_->plugin = host.find_modality(manifest.modality).manifest.id;
    auto& modality = host.service<Modality>(state_->plugin);
    state_->model = state_->call("open the pack '" + manifest.id + "'", [&] { return modality.open(state_->pack, device); });
    if (state_->classes() != manifest.classes)
        throw Error(ErrorCode::bad_pack, "pack '" + manifest.id + "': its manifest has the classes " + base::joined(manifest.classes) +
                                             ", its model " + base::joined(state_->classes()) + "; they must agree");
    state_->load_seconds = watch.lap();
}

Explainer::~Explainer() = default;
Explainer::Explainer(Explainer&&) noexcept = default;
Explainer& Explainer::operator=(Explainer&&) noexcept = default;

const Pack& Explainer::pack() const { return state_->pack; }

double Explainer::load_seconds() const { return state_->load_seconds; }

std::vector<Classification> Explainer::classify(const std::vector<Input>& inputs) {
    std::vector<ReadNotes> notes;
    const auto batch = state_->call("read the input", [&] { return state_->model->read(inputs, notes); });
    const at::Tensor probabilities = batch->size() > 0 ? state_->log_probabilities(*batch).exp() : at::Tensor();
    std::vector<Classification> result;
    int64_t row = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
        Classification one;
        one.input = inputs[i];
        one.refusal = notes.at(i).refusal;
        one.warnings = notes[i].warnings;
        if (one.refusal.empty()) {
            one.probabilities = named(state_->classes(), probabilities[row]);
            one.predicted = state_->classes()[probabilities[row].argmax().item<int64_t>()];
            ++row;
        }
        result.push_back(std::move(one));
    }
    return result;
}

Answer Explainer::explain(const std::string& text, const Question& question, const ExplainOptions& options) {
    return std::move(explain({Ask{Input{text, ""}, question}}, options)[0]);
}

std::vector<Answer> Explainer::explain(const std::vector<Ask>& questions, const ExplainOptions& options) {
    const State& state = *state_;
    const std::vector<std::string>& classes = state.classes();
    const PackManifest& manifest = state.pack.manifest();
    SolverOptions solver_options = options.solver;
    solver_options.typical_distance = state.model->info().typical_distance;
    if (const std::string wrong = solver_options.check(); !wrong.empty()) throw Error(ErrorCode::invalid_argument, wrong);
    base::Stopwatch watch;

    // Several questions about one input share its row.
    std::map<std::tuple<std::string, std::string, std::string>, size_t> known;
    std::vector<Input> inputs;
    std::vector<size_t> input_of;
    for (const Ask& ask : questions) {
        const auto [place, is_new] = known.try_emplace({ask.input.path, ask.input.content, ask.question.fact}, inputs.size());
        if (is_new) inputs.push_back(ask.input);
        input_of.push_back(place->second);
    }
    std::vector<ReadNotes> notes;
    const auto batch = state.call("read the input", [&] { return state.model->read(inputs, notes); });
    std::vector<int64_t> row_of(inputs.size(), -1);
    int64_t rows = 0;
    for (size_t i = 0; i < inputs.size(); ++i)
        if (notes.at(i).refusal.empty()) row_of[i] = rows++;
    if (rows != batch->size())
        throw Error(ErrorCode::internal, "plugin '" + state.plugin + "': " + std::to_string(rows) +
                                             " inputs were read, but its batch has " + std::to_string(batch->size()) +
                                             " rows; this is a defect of the plugin");
    const at::Tensor before = rows > 0 ? state.log_probabilities(*batch) : at::Tensor();

    // Which class and which other class; refusals where that makes no question.
    std::vector<Answer> answers(questions.size());
    std::vector<size_t> asked;        // questions that go to the solver
    std::vector<std::string> hashes;  // of all questions
    std::vector<int64_t> problem_rows, facts, foils;
    for (size_t q = 0; q < questions.size(); ++q) {
        const Ask& ask = questions[q];
        const size_t i = input_of[q];
        const int64_t row = row_of[i];
        Explanation& record = answers[q].record;
        record.question.modality = manifest.modality;
        record.question.input = readable(ask.input.path.empty() ? ask.input.content : ask.input.path);
        if (!ask.input.path.empty()) record.question.input_sha256 = base::sha256_hex(ask.input.content);
        hashes.push_back(question_id(manifest.modality, ask.input.content, ask.question.fact, ask.question.foil, state.pack.sha256()));
        record.id = ask.question.id.empty() ? hashes.back() : ask.question.id;
        record.pack = {manifest.id, manifest.version, state.pack.sha256()};
        record.solver = {to_string(options.solver.method), differing_options(options.solver), options.seed, at::get_num_threads(),
                         state.device};
        record.warnings = notes[i].warnings;
        record.status = to_string(Status::refused);
        record.reason = notes[i].refusal;
        if (row < 0) continue;
        record.probabilities.before = named(classes, before[row].exp());

        const int64_t predicted = before[row].argmax().item<int64_t>();
        const auto unknown = [&](const char* what, const std::string& name) {
            return std::string(what) + " '" + readable(name) + "' is no class of the pack '" + manifest.id + "'; it has " +
                   base::joined(classes);
        };
        const auto fact = ask.question.fact.empty() ? std::optional(predicted) : state.class_index(ask.question.fact);
        if (!fact) {
            record.reason = unknown("the fact", ask.question.fact);
            continue;
        }
        record.question.fact = classes[*fact];
        const auto foil =
            ask.question.foil.empty()
                ? std::optional(likeliest_other(before.slice(0, row, row + 1), at::tensor({*fact}, at::kLong)).item<int64_t>())
                : state.class_index(ask.question.foil);
        if (!foil) {
            record.reason = unknown("the foil", ask.question.foil);
            continue;
        }
        record.question.foil = classes[*foil];
        if (*foil == *fact) {
            record.reason = ask.question.fact.empty()
                                ? "the classifier calls it '" + classes[*fact] + "' already; ask about another class than that"
                                : "fact and foil are the same class, '" + classes[*fact] + "'; ask about two different ones";
            continue;
        }
        if (*fact != predicted)
            record.warnings.push_back("the classifier calls it '" + classes[predicted] + "', not '" + classes[*fact] + "'");
        asked.push_back(q);
        problem_rows.push_back(row);
        facts.push_back(*fact);
        foils.push_back(*foil);
    }
    if (asked.empty()) return answers;

    // The questions as the solver sees them.
    const RowQuestions row_questions{at::tensor(problem_rows, at::kLong), at::tensor(facts, at::kLong), at::tensor(foils, at::kLong)};
    const Problem problem =
        whynot::ask(*batch, state.model->info(), row_questions, {options.seed, options.solver.starts - 1, state.plugin});
    const double start_seconds = watch.lap();
    const Summary summary = solve(problem, solver_options);
    at::Tensor boundaries = at::empty_like(problem.start);
    for (size_t a = 0; a < asked.size(); ++a) boundaries[static_cast<int64_t>(a)].copy_(summary.solutions[a].z);
    at::Tensor boundary_probabilities;
    {
        const at::NoGradGuard no_grad;
        const at::Tensor everyone = at::arange(static_cast<int64_t>(asked.size()), at::kLong);
        boundary_probabilities = at::softmax(problem.log_likelihood(boundaries, everyone).to(at::kDouble), 1);
    }
    internal::check_shape(boundary_probabilities, {static_cast<int64_t>(asked.size()), static_cast<int64_t>(classes.size())}, "[b, C]",
                          "log_likelihood", state.plugin);
    const double solve_seconds = watch.lap();

    // What people recognise, and enough of the hash that no other question has the name, one about a file of the same name least of all.
    const auto name_of = [&](size_t a) {
        const std::string stem = std::filesystem::path(questions[asked[a]].input.path).stem().string();
        const auto class_name = [&](int64_t index) { return slug(classes[index], 24, std::to_string(index)); };
        return slug(stem, 48, "input") + '-' + class_name(facts[a]) + "-not-" + class_name(foils[a]) + '-' + hashes[asked[a]].substr(0, 8);
    };
    std::vector<RenderRequest> requests;
    std::vector<size_t> rendered;
    for (size_t a = 0; a < asked.size(); ++a) {
        const at::Tensor& boundary = summary.solutions[a].z;
        if (!summary.solutions[a].feasible) continue;
        requests.push_back({problem_rows[a], facts[a], foils[a], boundary, options.decode, options.out, name_of(a)});
        rendered.push_back(a);
    }
    std::vector<Rendering> renderings;
    if (!requests.empty()) renderings = state.call("render the explanation", [&] { return batch->render(requests, options.seed); });
    if (renderings.size() != requests.size())
        throw Error(ErrorCode::internal, "plugin '" + state.plugin + "' rendered " + std::to_string(renderings.size()) + " of " +
                                             std::to_string(requests.size()) + " explanations; this is a defect of the plugin");
    const double render_seconds = watch.lap();

    // Times are the batch's, shared out evenly.
    const auto share = [](double seconds, size_t among) { return seconds / static_cast<double>(std::max<size_t>(1, among)); };
    for (size_t a = 0; a < asked.size(); ++a) {
        const Solution& solution = summary.solutions[a];
        Explanation& record = answers[asked[a]].record;
        record.status = to_string(solution.status);
        record.reason = solution.reason;
        record.gap = solution.gap;
        if (solution.max_third.index >= 0) record.max_third = {classes[solution.max_third.index], solution.max_third.margin};
        record.distance = Explanation::Distance{solution.distance, "{}"};
        record.probabilities.boundary = named(classes, boundary_probabilities[static_cast<int64_t>(a)]);
        record.cost = {solution.forward,
                       solution.backward,
                       state.load_seconds,
                       share(start_seconds, asked.size()),
                       share(solve_seconds, asked.size()),
                       0};
        for (std::string& warning : batch->warnings(problem_rows[a])) record.warnings.push_back(std::move(warning));
    }
    for (size_t r = 0; r < rendered.size(); ++r) {
        Answer& answer = answers[asked[rendered[r]]];
        Explanation& record = answer.record;
        Rendering& rendering = renderings[r];
        record.rendering = std::move(rendering.record);
        if (!rendering.distance.empty()) record.distance->modality = std::move(rendering.distance);
        if (!rendering.answer.empty()) record.probabilities.answer = named(classes, at::tensor(rendering.answer, at::kDouble));
        for (std::string& warning : rendering.warnings) record.warnings.push_back(std::move(warning));
        if (!rendering.failure.empty() && record.status == to_string(Status::found)) {
            record.status = to_string(Status::best_effort);
            record.reason = rendering.failure;
        }
        record.cost.render_seconds = share(render_seconds, rendered.size());
        answer.terminal = std::move(rendering.terminal);
        answer.pictures = std::move(rendering.pictures);
    }
    return answers;
}

}  // namespace whynot
