#include "explainer/answering.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/format.h"
#include "base/json.h"
#include "base/names.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "explainer/questions.h"
#include "explainer/watch.h"
#include "solver/shape.h"
#include "whynot/error.h"
#include "whynot/interruption.h"
#include "whynot/points.h"

namespace whynot::internal {
namespace {

// The options that differ from their defaults, under the names that the command line has for them.
std::string differing_options(const ExplainOptions& all) {
    const SolverOptions &given = all.solver, normal;
    base::Json options = base::Json::object();
    if (given.guards != normal.guards) options["guards"] = given.guards;
    if (given.guard_slack != normal.guard_slack) options["guard_slack"] = given.guard_slack;
    if (given.gap_tolerance != normal.gap_tolerance) options["gap_tolerance"] = given.gap_tolerance;
    if (given.max_iterations != normal.max_iterations) options["max_iterations"] = given.max_iterations;
    if (given.starts != normal.starts) options["starts"] = given.starts;
    if (given.deadline_seconds != normal.deadline_seconds) options["deadline"] = given.deadline_seconds;
    if (given.max_evaluations != normal.max_evaluations) options["max_evaluations"] = given.max_evaluations;
    if (all.confidence != ExplainOptions().confidence) options["confidence"] = all.confidence;
    if (all.answers != ExplainOptions().answers) options["answers"] = all.answers;
    if (!all.keep.empty()) options["keep"] = all.keep;
    if (!all.decode.empty()) options["decode"] = all.decode;
    if (all.strict) options["strict"] = true;
    return options.dump();
}

// Times of a batch are shared out evenly.
double share(double seconds, size_t among) { return seconds / static_cast<double>(std::max<size_t>(1, among)); }

/// One question on its way to its answer.
struct Case {
    const Ask& ask;
    Answer& answer;
    size_t input = 0;                        ///< which of the distinct inputs
    std::string hash = {};                   ///< `question_id`
    int64_t row = -1, fact = -1, foil = -1;  ///< of the batch; classes
    int64_t between = -1;                    ///< on an edge, the class that stands between them
    double confidence = 0;                   ///< the least probability of the foil in the answer
    bool has_answer = false;                 ///< a point beyond the boundary, with the foil in front
};

/// One call of `Explainer::explain`.
class Answering {
public:
    Answering(const OpenModel& model, const std::vector<Ask>& questions, const ExplainOptions& options)
        : model_(model),
          options_(options),
          confidence_(options.confidence != 0 ? options.confidence : model.model->info().confidence),
          watch_(options.solver),
          answers_(questions.size()) {
        if (const std::string wrong = options.solver.check(); !wrong.empty()) throw Error(ErrorCode::invalid_argument, wrong);
        if (options.confidence != 0) check_confidence(options.confidence);
        check_edits();
        for (size_t q = 0; q < questions.size(); ++q) cases_.push_back({questions[q], answers_[q]});
    }

    std::vector<Answer> run() {
        if (is_read()) {
            for (Case& each : cases_) {
                begin_record(each);
                if (resolve(each)) asked_.push_back(&each);
            }
            if (!asked_.empty() && solved()) render();
        }
        for (Case& each : cases_) check_record(each);
        return std::move(answers_);
    }

private:
    /// Throws `invalid_argument` for several answers, or words to keep, that cannot be, or not with this pack.
    void check_edits() const {
        constexpr int64_t most = 20;
        if (options_.answers < 1 || options_.answers > most)
            throw Error(ErrorCode::invalid_argument,
                        "answers should be from 1 to " + std::to_string(most) + "; it is " + std::to_string(options_.answers));
        for (const std::string& part : options_.keep)
            if (part.empty() || !base::is_utf8(part))
                throw Error(ErrorCode::invalid_argument, "expected words to keep, found one that is empty or not UTF-8");
        if (model_.model->info().edits || (options_.answers == 1 && options_.keep.empty())) return;
        throw Error(ErrorCode::invalid_argument,
                    "several answers, and words to keep, are for what is answered by edits, such as sentences; the pack '" +
                        model_.pack.manifest().id + "' explains " + model_.pack.manifest().modality);
    }

    // --- reading

    /// Several questions about one input share its row, where they have the same fact.
    std::vector<Input> distinct_inputs() {
        std::map<std::tuple<std::string, std::string, std::string>, size_t> known;
        std::vector<Input> inputs;
        for (Case& each : cases_) {
            const Input& input = each.ask.input;
            const auto [place, is_new] = known.try_emplace({input.path, input.content, each.ask.question.fact}, inputs.size());
            if (is_new) inputs.push_back(input);
            each.input = place->second;
        }
        return inputs;
    }

    /// False: the deadline or the callback ended it before; nothing is known of the questions then, which are refused.
    bool is_read() {
        const Watch::Verdict verdict = while_watched(cases_.size(), [&] { read_inputs(); });
        if (verdict == Watch::Verdict::proceed) return true;
        notes_.resize(cases_.size());
        for (Case& each : cases_) {
            begin_record(each);
            each.answer.record.reason = cause_of(verdict) + " before the input was read.";
        }
        return false;
    }

    void read_inputs() {
        const std::vector<Input> inputs = distinct_inputs();
        batch_ = model_.call("read the input", [&] { return model_.model->read(inputs, notes_); });
        std::vector<int64_t> row_of(inputs.size(), -1);
        int64_t rows = 0;
        for (size_t i = 0; i < inputs.size(); ++i)
            if (notes_.at(i).refusal.empty()) row_of[i] = rows++;
        if (rows != batch_->size())
            throw Error(ErrorCode::internal, "plugin '" + model_.plugin + "': " + std::to_string(rows) +
                                                 " inputs were read, but its batch has " + std::to_string(batch_->size()) +
                                                 " rows; this is a defect of the plugin");
        for (Case& each : cases_) each.row = row_of[each.input];
        if (rows > 0) before_ = model_.log_probabilities(*batch_);
        strangeness_ = strangeness_of(model_, *batch_);
    }

    // --- which class, and which other

    /// What is known of a question before anybody answers it. Until then it counts as refused.
    void begin_record(Case& each) const {
        const auto& [input, question] = each.ask;
        const PackManifest& manifest = model_.pack.manifest();
        each.hash = question_id(manifest.modality, input.content, question.fact, question.foil, model_.pack.sha256());
        Explanation& record = each.answer.record;
        record.id = question.id.empty() ? each.hash : question.id;
        record.question = recorded(input, manifest.modality);
        record.pack = {manifest.id, manifest.version, model_.pack.sha256()};
        record.solver = {to_string(options_.solver.method), differing_options(options_), options_.seed, at::get_num_threads(),
                         model_.device};
        if (!options_.times) record.cost.seconds.reset();
        record.warnings = notes_[each.input].warnings;
        record.status = to_string(Status::refused);
        record.reason = notes_[each.input].refusal;
    }

    /// Fact and foil. False where they make no question; the record says why.
    bool resolve(Case& each) const {
        if (each.row < 0) return false;
        const std::vector<std::string>& classes = model_.classes();
        const Question& question = each.ask.question;
        Explanation& record = each.answer.record;
        const at::Tensor before = before_.slice(0, each.row, each.row + 1);  // [1, C]
        if (!before.isfinite().all().item<bool>()) {
            record.reason = no_probabilities;
            return false;
        }
        record.probabilities.before = named(before[0].exp());
        if (!is_like(each)) return false;

        const ClassChoice chosen = choose_classes(model_, before[0], question, false);
        each.fact = chosen.fact;
        each.foil = chosen.foil;
        if (each.fact >= 0) record.question.fact = classes[each.fact];
        if (each.foil >= 0) record.question.foil = classes[each.foil];
        record.reason = chosen.refusal;
        if (!chosen.refusal.empty()) return false;
        const auto predicted = before.argmax(1).item<int64_t>();
        if (each.fact != predicted)
            record.warnings.push_back("the classifier calls it '" + classes[predicted] + "', not '" + classes[each.fact] + "'");
        return true;
    }

    /// False: it is unlike what the model was made for, and such inputs are refused.
    bool is_like(Case& each) const {
        const auto& [strangeness, reason] = strangeness_[static_cast<size_t>(each.row)];
        Explanation& record = each.answer.record;
        if (strangeness) record.likeness = Explanation::Likeness{*strangeness};
        if (strangeness.value_or(0) <= 1) return true;
        if (options_.strict)
            record.reason = unlike + reason;
        else
            record.warnings.push_back(unlike + reason);
        return !options_.strict;
    }

    // --- the search

    /// False: the deadline or the callback ended it before.
    bool solved() {
        try {
            if (!find_start()) return false;
            search();
            return true;
        } catch (const Error& error) {
            // The options were checked before: what does not fit together now came from the plugin and its pack.
            if (error.code() != ErrorCode::invalid_argument) throw;
            throw Error(ErrorCode::bad_plugin, "the plugin '" + model_.plugin + "' with the pack '" + model_.pack.manifest().id +
                                                   "' gave the search what it cannot use: " + error.what());
        }
    }

    /// The questions as the solver sees them. False: the deadline or the callback ended it before.
    bool find_start() {
        const ModelInfo& info = model_.model->info();
        std::vector<int64_t> rows, facts, foils;
        for (const Case* each : asked_) {
            rows.push_back(each->row);
            facts.push_back(each->fact);
            foils.push_back(each->foil);
        }
        const RowQuestions questions{at::tensor(rows, at::kLong), at::tensor(facts, at::kLong), at::tensor(foils, at::kLong)};
        const int64_t starts = options_.solver.starts;
        const AskOptions ask{options_.seed, starts == 1 ? 0 : starts - 1 + starts_in_reserve, model_.plugin};
        const auto step = [&](auto&& take) { return is_on_time(while_watched(asked_.size(), take)); };
        const bool found = step([&] { problem_ = to_problem(*batch_, latent_start(*batch_, info, questions, ask), questions, ask); }) &&
                           step([&] { problem_.extra_starts = extra_starts(*batch_, info, questions, ask); }) && step([] {});
        start_seconds_ = laps_.lap();
        return found;
    }

    /// Runs a part of the start, in which plugins ask whether to go on (interruption.h), after having asked once.
    template <class F>
    Watch::Verdict while_watched(size_t questions, F&& run) {
        Watch::Verdict verdict = Watch::Verdict::proceed;
        const auto look = [&] {
            IterationReport report;
            report.stage = IterationReport::Stage::start;
            report.iteration = watched_++;
            report.questions = report.rows_active = static_cast<int64_t>(questions);
            verdict = watch_.check(report);
        };
        look();
        if (verdict != Watch::Verdict::proceed) return verdict;
        const InterruptionScope scope([&] {
            look();
            if (verdict != Watch::Verdict::proceed) throw Error(ErrorCode::cancelled, cause_of(verdict));
        });
        try {
            run();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::cancelled || verdict == Watch::Verdict::proceed) throw;
        }
        return verdict;
    }

    bool is_on_time(Watch::Verdict verdict) const {
        if (verdict == Watch::Verdict::proceed) return true;
        for (const Case* each : asked_) {
            each->answer.record.status = status_of(verdict);
            each->answer.record.reason = cause_of(verdict) + " before the search began.";
        }
        return false;
    }

    void search() {
        SolverOptions options = watch_.for_search();
        const ModelInfo& info = model_.model->info();
        options.typical_distance = info.typical_distance;
        problem_.class_names = info.classes;
        points_ = solve_points(problem_, options, info.shows_points ? confidence_ : 0);
        check_shape(points_.at_boundary, {static_cast<int64_t>(asked_.size()), static_cast<int64_t>(model_.classes().size())}, "[b, C]",
                    "log_likelihood", model_.plugin);
        const double solve_seconds = laps_.lap();

        for (size_t a = 0; a < asked_.size(); ++a) {
            Explanation& record = asked_[a]->answer.record;
            begin_figures(a);
            record.cost.forward = points_.forward(a);
            record.cost.backward = points_.backward(a);
            if (options_.times)
                record.cost.seconds = {model_.load_seconds, share(start_seconds_, asked_.size()), share(solve_seconds, asked_.size()), 0};
            for (std::string& warning : batch_->warnings(asked_[a]->row)) record.warnings.push_back(std::move(warning));
        }
    }

    /// The figures of the point that explains question a: the boundary, or the edge where no boundary was found.
    void begin_figures(size_t a) {
        Case& each = *asked_[a];
        Explanation& record = each.answer.record;
        const Solution& boundary = points_.boundary.solutions[a];
        const Solution* reached = points_.reached(a);
        const Solution& shown = reached ? *reached : boundary;
        const std::vector<std::string>& classes = model_.classes();
        record.status = to_string(boundary.status);
        record.reason = boundary.reason;
        record.gap = shown.gap;
        if (shown.max_third.index >= 0) record.max_third = {classes[shown.max_third.index], shown.max_third.margin};
        record.distance = Explanation::Distance{shown.distance, "{}"};
        record.probabilities.boundary = named(points_.at_boundary[static_cast<int64_t>(a)]);
        if (reached && !boundary.feasible) {
            each.between = points_.between[a];
            const std::string between = base::in_quotes(classes[each.between]), foil = base::in_quotes(classes[each.foil]);
            record.edge = Explanation::Edge{classes[each.between]};
            record.status = to_string(boundary.status == Status::stopped ? Status::stopped : Status::best_effort);
            if (each.between == each.fact)
                record.reason += " This is the nearest point at which no class is likelier than " + foil + ".";
            else
                record.reason += ' ' + between + " stands between " + base::in_quotes(classes[each.fact]) + " and " + foil +
                                 ": this is the nearest point at which no class is likelier than " + foil + ". Ask: why not " + between +
                                 '?';
        }
        const std::optional<Solution>& answer = points_.answers[a];
        if (!answer) return;
        each.has_answer = answer->feasible || points_.at_answer[static_cast<int64_t>(a)].argmax().item<int64_t>() == each.foil;
        const Status status = answer->feasible                    ? Status::found
                              : answer->status == Status::stopped ? Status::stopped
                              : each.has_answer                   ? Status::best_effort
                                                                  : Status::infeasible;
        record.answer = {confidence_, to_string(status), status == Status::found ? "" : answer->reason, std::nullopt};
        if (each.has_answer) record.answer->distance = answer->distance;
    }

    // --- the answer

    /// Renders what reached its boundary, in groups where somebody may end it between them.
    void render() {
        std::vector<RenderRequest> requests;
        std::vector<Case*> reached;  // of each request
        for (size_t a = 0; a < asked_.size(); ++a) {
            const Solution* point = points_.reached(a);
            if (!point) continue;
            Case& each = *asked_[a];
            requests.push_back({each.row, each.fact, each.foil, point->z, options_.decode, options_.out,
                                file_name(model_, each.ask.input, each.fact, each.foil, each.hash),
                                each.has_answer ? points_.answers[a]->z : at::Tensor(), confidence_, each.between, options_.answers,
                                options_.keep, options_.frames});
            reached.push_back(&each);
        }
        size_t done = 0;
        Watch::Verdict verdict = Watch::Verdict::proceed;
        for (int64_t group = 0; done < requests.size(); ++group) {
            verdict = watch_.check(rendering_report(group, requests.size() - done));
            if (verdict != Watch::Verdict::proceed) break;
            const size_t end = done + group_size(requests.size() - done);
            render_group({requests.begin() + done, requests.begin() + end}, &reached[done]);
            done = end;
        }
        const double seconds = laps_.lap();
        for (size_t r = 0; r < done && options_.times; ++r) reached[r]->answer.record.cost.seconds->render = share(seconds, done);
        for (size_t r = done; r < requests.size(); ++r) leave_without_answer(reached[r]->answer.record, verdict);
    }

    /// How many of the requests that are left go together: all where nobody can end it, else as many as threads. One that would be left
    /// alone goes with those before it: alone, its operations would be spread over the threads, and its last digits be others.
    static size_t group_of(size_t left, size_t threads) { return left <= threads + 1 ? left : threads; }
    size_t group_size(size_t left) const { return watch_.is_idle() ? left : group_of(left, static_cast<size_t>(at::get_num_threads())); }

    void render_group(const std::vector<RenderRequest>& requests, Case* const* cases) {
        std::vector<Rendering> renderings = model_.call("render the explanation", [&] { return batch_->render(requests, options_.seed); });
        if (renderings.size() != requests.size())
            throw Error(ErrorCode::internal, "plugin '" + model_.plugin + "' rendered " + std::to_string(renderings.size()) + " of " +
                                                 std::to_string(requests.size()) + " explanations; this is a defect of the plugin");
        for (size_t r = 0; r < requests.size(); ++r)
            cases[r]->confidence = renderings[r].confidence != 0 ? renderings[r].confidence : confidence_;
        read_again(renderings, cases);
        for (size_t r = 0; r < requests.size(); ++r) take(renderings[r], *cases[r]);
    }

    /// What is shown is given to the model once more, as somebody would who asks about it. The figures of the record are what it says.
    void read_again(const std::vector<Rendering>& renderings, Case* const* cases) {
        std::vector<Input> inputs;
        std::vector<std::pair<Case*, bool>> shown;  // of each input: whose it is, and whether it is the answer
        for (size_t r = 0; r < renderings.size(); ++r) {
            for (const bool is_answer : {false, true}) {
                const std::string& content = is_answer ? renderings[r].answer_again : renderings[r].boundary_again;
                if (content.empty()) continue;
                inputs.push_back({content, ""});
                shown.emplace_back(cases[r], is_answer);
            }
        }
        for (size_t r = 0; r < renderings.size(); ++r) cases[r]->answer.record.read_again.emplace();
        if (inputs.empty()) return;
        std::vector<ReadNotes> notes;
        const std::unique_ptr<Batch> again = model_.call("read what is shown again", [&] { return model_.model->read(inputs, notes); });
        const at::Tensor said = again->size() > 0 ? model_.log_probabilities(*again) : at::Tensor();
        int64_t row = 0;
        for (size_t i = 0; i < inputs.size(); ++i) {
            const auto& [each, is_answer] = shown[i];
            if (!notes.at(i).refusal.empty()) {
                each->answer.record.warnings.push_back(std::string(is_answer ? "the answer" : "the boundary") +
                                                       " that is shown cannot be read again: " + notes[i].refusal);
                continue;
            }
            (is_answer ? take_answer : take_boundary)(*this, *each, said[row++]);
        }
    }

    static void take_boundary(const Answering& self, Case& each, const at::Tensor& said) {
        Explanation& record = each.answer.record;
        record.read_again->boundary = true;
        record.probabilities.boundary = self.named(said.exp());
        const double fact = said[each.fact].item<double>(), foil = said[each.foil].item<double>();
        record.gap = fact - foil;
        if (record.max_third) {
            at::Tensor thirds = said.clone();
            thirds[each.fact] = thirds[each.foil] = -INFINITY;
            const auto third = thirds.argmax().item<int64_t>();
            record.max_third = {self.model_.classes()[third], said[third].item<double>() - (fact + foil) / 2};
        }
        const SolverOptions& options = self.options_.solver;
        const bool off = std::abs(*record.gap) >= options.gap_tolerance,
                   above = record.max_third && options.guards && record.max_third->margin > options.guard_slack + options.gap_tolerance;
        if (record.status != to_string(Status::found) || !(off || above)) return;
        record.status = to_string(Status::best_effort);
        record.reason =
            "The point that was found meets the constraints; what is shown of it, read again, " +
            (above ? "has " + base::in_quotes(record.max_third->name) + " above both by " + base::number(record.max_third->margin)
                   : "has a gap of " + base::number(*record.gap)) +
            " nats.";
    }

    static void take_answer(const Answering& self, Case& each, const at::Tensor& said) {
        Explanation& record = each.answer.record;
        record.read_again->answer = true;
        record.probabilities.answer = self.named(said.exp());
        if (!record.answer) record.answer = {each.confidence, to_string(Status::found), "", std::nullopt};
        const double foil = said[each.foil].exp().item<double>();
        const bool in_front = said.argmax().item<int64_t>() == each.foil;
        if (each.confidence > 0.5 ? foil >= each.confidence : in_front) {
            record.answer->status = to_string(Status::found);
            record.answer->reason.clear();
            if (foil < 0.5)
                record.warnings.push_back("the answer is " + base::in_quotes(self.model_.classes()[each.foil]) + " with " +
                                          base::probability(foil) + " only, though no class is likelier; a confidence asks for more");
            return;
        }
        if (record.answer->status != to_string(Status::stopped))
            record.answer->status = to_string(in_front ? Status::best_effort : Status::infeasible);
        if (record.answer->reason.empty())
            record.answer->reason = "What is shown, read again, is " + base::in_quotes(self.model_.classes()[each.foil]) + " with " +
                                    base::probability(foil) + ", of the " + base::probability(each.confidence) + " that were asked for.";
    }

    void take(Rendering& rendering, Case& each) const {
        Answer& answer = each.answer;
        Explanation& record = answer.record;
        record.rendering = std::move(rendering.record);
        if (!rendering.distance.empty()) record.distance->modality = std::move(rendering.distance);
        if (!rendering.answer.empty() && record.probabilities.answer.empty())
            record.probabilities.answer = named(at::tensor(rendering.answer, at::kDouble));
        if (!rendering.failure.empty() && !record.answer)
            record.answer = {each.confidence, to_string(Status::infeasible), rendering.failure, std::nullopt};
        for (std::string& warning : rendering.warnings) record.warnings.push_back(std::move(warning));
        if (!rendering.failure.empty() && record.status == to_string(Status::found)) {
            record.status = to_string(Status::best_effort);
            record.reason = rendering.failure;
        }
        answer.terminal = std::move(rendering.terminal);
        answer.pictures = std::move(rendering.pictures);
        answer.frames = std::move(rendering.frames);
        for (const Frame& frame : answer.frames) {
            if (frame.probabilities.size() == model_.classes().size()) continue;
            throw Error(ErrorCode::internal, "plugin '" + model_.plugin + "': expected a probability for each class with a frame, found " +
                                                 std::to_string(frame.probabilities.size()) + "; this is a defect of the plugin");
        }
    }

    static void leave_without_answer(Explanation& record, Watch::Verdict verdict) {
        const std::string cause = cause_of(verdict) + " before the answer was made from it.";
        if (record.status == to_string(Status::found)) {
            record.status = status_of(verdict);
            record.reason = "The boundary was reached. " + cause;
        } else {
            record.reason += " " + cause;
        }
    }

    IterationReport rendering_report(int64_t group, size_t left) const {
        IterationReport report;
        report.stage = IterationReport::Stage::render;
        report.iteration = group;
        report.questions = points_.boundary.questions;
        report.rows_active = static_cast<int64_t>(left);
        report.rows_feasible = points_.boundary.feasible;
        report.forward = points_.boundary.forward;
        report.backward = points_.boundary.backward;
        return report;
    }

    /// A record is checked where it is made: one that cannot be written, as with numbers that are not finite, is the refusal of its question.
    void check_record(Case& each) const {
        try {
            to_json(each.answer.record);
        } catch (const Error& error) {
            each.answer = {};
            begin_record(each);
            each.answer.record.reason = unfit_answer + std::string(error.what());
        }
    }

    // --- words

    static const char* status_of(Watch::Verdict verdict) {
        return to_string(verdict == Watch::Verdict::late ? Status::best_effort : Status::stopped);
    }
    static std::string cause_of(Watch::Verdict verdict) {
        return verdict == Watch::Verdict::late ? "The deadline passed" : "The callback ended it";
    }

    ClassProbabilities named(const at::Tensor& probabilities) const { return name_probabilities(model_.classes(), probabilities); }

    const OpenModel& model_;
    const ExplainOptions& options_;
    const double confidence_;  // of the foil in an answer
    const Watch watch_;
    base::Stopwatch laps_;
    std::vector<Answer> answers_;
    std::vector<Case> cases_;
    std::vector<Case*> asked_;      // those that go to the solver
    std::vector<ReadNotes> notes_;  // of the distinct inputs
    std::unique_ptr<Batch> batch_;
    at::Tensor before_;                     // log-probabilities of the batch's rows, [B, C]
    std::vector<Strangeness> strangeness_;  // of the batch's rows
    Problem problem_;                       // row a is asked_[a]
    Points points_;                         // likewise
    double start_seconds_ = 0;
    int64_t watched_ = 0;  // times that the callback was told of a start
};

}  // namespace

std::vector<Strangeness> strangeness_of(const OpenModel& model, Batch& batch) {
    std::vector<Strangeness> found = model.call("say how strange the input is", [&] { return batch.strangeness(); });
    const auto rows = static_cast<size_t>(batch.size());
    if (!found.empty() && found.size() != rows)
        throw Error(ErrorCode::internal, "plugin '" + model.plugin + "' says of " + std::to_string(found.size()) + " of " +
                                             std::to_string(rows) + " inputs how strange they are; this is a defect of the plugin");
    found.resize(rows);
    return found;
}

ClassProbabilities name_probabilities(const std::vector<std::string>& classes, const at::Tensor& probabilities) {
    ClassProbabilities result;
    const at::Tensor values = probabilities.to(at::kDouble).cpu().contiguous();
    for (size_t c = 0; c < classes.size(); ++c) result.emplace_back(classes[c], values.data_ptr<double>()[c]);
    return result;
}

std::vector<Answer> answer(const OpenModel& model, const std::vector<Ask>& questions, const ExplainOptions& options) {
    return Answering(model, questions, options).run();
}

}  // namespace whynot::internal
