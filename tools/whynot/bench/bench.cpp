// whynot bench.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "asking/asking.h"
#include "asking/models.h"
#include "asking/services.h"
#include "base/format.h"
#include "bench/bench.h"
#include "bench/measuring.h"
#include "bench/page.h"
#include "console/environment.h"
#include "console/interrupt.h"
#include "console/json.h"
#include "console/terminal.h"
#include "stream/batching.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/held_out.h"
#include "whynot/lbfgs.h"

namespace whynot::cli {
namespace {

using base::Json;

const char* const lbfgs = "augmented-lagrangian-lbfgs";

/// What is measured: a method to solve with, and how many questions at a time.
struct Case {
    std::string method;
    int64_t batch = 1;
    Measured measured;
    double too_long = 0;  // seconds that a batch would have taken, where it was left out for that
};

/// A case whose batch would take more than so many times the time for a case is left out.
constexpr double max_overrun = 10;

/// One pack, and what it is asked about.
struct Subject {
    Pack pack;
    std::string source;  // of the inputs, for people
    std::vector<Input> inputs;
};

std::vector<std::string> split(const std::string& option, const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text + ',');
    for (std::string part; std::getline(stream, part, ',');) {
        if (part.empty() || std::count(parts.begin(), parts.end(), part) > 0)
            throw Error(ErrorCode::invalid_argument,
                        option + ": expected different names or numbers with commas between, found '" + text + '\'');
        parts.push_back(part);
    }
    return parts;
}

std::vector<int64_t> sizes_of(const std::string& text) {
    constexpr int64_t largest = 1 << 16;
    std::vector<int64_t> sizes;
    for (const std::string& part : split("--batch", text)) {
        const bool number = part.size() < 10 && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); });
        const int64_t size = number ? std::stoll(part) : 0;
        if (size < 1 || size > largest)
            throw Error(ErrorCode::invalid_argument, "--batch: expected 1 to " + std::to_string(largest) + ", found '" + part + '\'');
        sizes.push_back(size);
    }
    return sizes;
}

/// The cases, those of one size of batch side by side: what disturbs the machine for a while disturbs all methods.
std::vector<Case> cases_of(const BenchCommand& command) {
    const std::vector<std::string> methods = split("--methods", command.methods);
    std::vector<Case> cases;
    for (const std::string& method : methods)
        if (method != lbfgs && method != to_string(Method::sqp) && method != to_string(Method::augmented_lagrangian))
            throw Error(ErrorCode::invalid_argument,
                        "--methods: expected sqp, augmented-lagrangian or " + std::string(lbfgs) + ", found '" + method + '\'');
    bool first = true;
    for (const int64_t batch : sizes_of(command.batches)) {
        for (const std::string& method : methods) {
            if (method != lbfgs)
                cases.push_back({method, batch, {}});
            else if (first)
                cases.push_back({method, 1, {}});
        }
        first = false;
    }
    return cases;
}

std::vector<Subject> subjects_of(const BenchCommand& command, const Host& host) {
    const auto limit = static_cast<size_t>(command.limit);
    std::vector<Subject> subjects;
    if (!command.inputs.empty()) {
        const std::vector<Argument> arguments = look_at(command.inputs);
        const Models models(command, command.pack, arguments);
        for (const Pack& pack : models.packs()) subjects.push_back({pack, "given", {}});
        InputSource source(arguments);
        for (std::vector<Given> some; !(some = source.next(max_batch_size)).empty();) {
            Subject& subject = is_image(some.front()) ? subjects.back() : subjects.front();
            for (Given& given : some) {
                if (!given.problem.empty()) throw Error(ErrorCode::io, given.problem);
                if (subject.inputs.size() < limit) subject.inputs.push_back(std::move(given.input));
            }
        }
        return subjects;
    }
    const std::string corpora = variable("WHYNOT_CORPORA");
    if (corpora.empty())
        throw Error(
            ErrorCode::not_found,
            "WHYNOT_CORPORA is not set: it names the folder that holds the corpora. Without it, say what to ask about, as in whynot bench "
            "\"the food was gross .\"");
    for (const std::string& corpus : split("--corpus", command.corpus)) {
        const Pack pack = find_pack(command.pack.empty() ? corpus : command.pack, default_pack_search());
        const std::string plugin = plugin_with(HeldOut::service_id, host, pack.manifest().modality);
        auto& service = host.service<HeldOut>(plugin);
        subjects.push_back({pack, "held out of " + corpus,
                            guarded(plugin, "read the corpus", [&] { return service.inputs(pack, corpora, corpus, command.limit); })});
    }
    return subjects;
}

Solve solver_of(const std::string& method) {
    if (method == lbfgs) return [](const Problem& problem, const SolverOptions& options) { return solve_by_lbfgs(problem, options); };
    return [method](const Problem& problem, SolverOptions options) {
        options.method = method_from_string(method);
        return solve(problem, options);
    };
}

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
}

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// Mean distance over that of `other`, on the questions to which both found a point; NaN where there are none.
double distance_against(const Measured& one, const Measured& other) {
    double ours = 0, theirs = 0;
    for (size_t i = 0; i < std::min(one.distances.size(), other.distances.size()); ++i) {
        if (std::isnan(one.distances[i]) || std::isnan(other.distances[i])) continue;
        ours += one.distances[i];
        theirs += other.distances[i];
    }
    return theirs > 0 ? ours / theirs : NAN;
}

Json row_of(const Subject& subject, const Case& one, const Case& reference) {
    const Measured& m = one.measured;
    return {{"pack", subject.pack.manifest().id},
            {"modality", subject.pack.manifest().modality},
            {"inputs", subject.source},
            {"method", one.method},
            {"batch", one.batch},
            {"questions", m.questions},
            {"asked", m.asked},
            {"seconds", m.seconds},
            {"questions_a_second", m.questions_a_second()},
            {"forward", m.forward},
            {"backward", m.backward},
            {"work", m.work()},
            {"mean_distance", or_null(m.mean_distance())},
            {"distance_against_" + reference.method, or_null(distance_against(m, reference.measured))},
            {"feasible", m.feasible()},
            {"largest_gap", m.largest_gap},
            {"own_share", m.own_share()},
            {"forward_row_seconds", m.forward_row},
            {"gradient_row_seconds", m.gradient_row},
            {"limit", m.limit()},
            {"limit_reached", m.questions_a_second() / m.limit()},
            {"peak_memory", m.peak_memory}};
}

std::string fixed(const Json& value, int digits) { return value.is_null() ? "-" : base::fixed(value, digits); }

std::string rows_for_people(const std::vector<Json>& rows, const std::string& reference) {
    std::vector<std::vector<std::string>> cells{{"method", "batch", "n", "questions/s", "work", "distance", "against " + reference,
                                                 "feasible", "gap", "own share", "limit/s", "reached", "memory"}};
    for (const Json& row : rows) {
        const auto rate = [](double value) { return value < 100 ? base::number(value) : base::fixed(value, 0); };
        cells.push_back({row.at("method"), row.at("batch").dump(), row.at("questions").dump(), rate(row.at("questions_a_second")),
                         fixed(row.at("work"), 0), fixed(row.at("mean_distance"), 3), fixed(row.at("distance_against_" + reference), 3),
                         fixed(row.at("feasible"), 3), base::number(row.at("largest_gap"), 2), base::percent(row.at("own_share")),
                         rate(row.at("limit")), base::percent(row.at("limit_reached")), bytes_for_people(row.at("peak_memory"))});
    }
    return table(cells, "lrrrrrrrrrrrr");
}

/// How many times as fast: the first method against the others batch by batch, and the largest batch against the smallest.
std::string comparisons(const std::vector<Json>& rows) {
    std::string text;
    const auto times = [](const Json& one, const Json& other) {
        return base::number(one.at("questions_a_second").get<double>() / other.at("questions_a_second").get<double>()) +
               " times as many questions a second";
    };
    const Json& first = rows.front();
    for (const Json& one : rows) {
        if (one.at("method") != first.at("method")) continue;
        for (const Json& other : rows)
            if (other.at("method") != one.at("method") && other.at("batch") == one.at("batch"))
                text += "batch " + one.at("batch").dump() + ", " + one.at("method").get<std::string>() + " against " +
                        other.at("method").get<std::string>() + ": " + times(one, other) + '\n';
    }
    for (const std::string method : {to_string(Method::sqp), to_string(Method::augmented_lagrangian)}) {
        const Json *min = nullptr, *max = nullptr;
        for (const Json& row : rows) {
            if (row.at("method") != method) continue;
            if (!min || row.at("batch") < min->at("batch")) min = &row;
            if (!max || row.at("batch") > max->at("batch")) max = &row;
        }
        if (min != max)
            text += method + ", batch " + max->at("batch").dump() + " against " + min->at("batch").dump() + ": " + times(*max, *min) + '\n';
    }
    return text;
}

/// The cases of a pack that were measured, those of a method side by side.
std::vector<const Case*> by_method(const std::vector<Case>& cases) {
    std::vector<const Case*> sorted;
    for (const Case& one : cases)
        if (one.too_long == 0) sorted.push_back(&one);
    const auto place = [&](const Case* one) {
        return std::find_if(cases.begin(), cases.end(), [&](const Case& other) { return other.method == one->method; });
    };
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Case* a, const Case* b) { return place(a) < place(b); });
    return sorted;
}

/// The case of the first method that answered the largest number of questions: distances are compared with its.
const Case& reference_of(const std::vector<Case>& cases) {
    const std::string& method = cases.front().method;
    return *std::max_element(cases.begin(), cases.end(), [&](const Case& a, const Case& b) {
        const auto questions = [&](const Case& one) { return one.method == method ? one.measured.questions : -1; };
        return questions(a) < questions(b);
    });
}

/// Measures case after case, pack after pack, and prints each pack's table when it is complete.
class Bench {
public:
    explicit Bench(const BenchCommand& command) : command_(command), cases_(cases_of(command)), host_(plugin_search(command)) {
        set_threads(command.threads, 1);  // as explain has it for a question, and each explainer of a stream
        status_.show("reading");
        subjects_ = subjects_of(command, host_);
        for (const Subject& subject : subjects_) check_class(subject.pack, "--foil", command.foil);
        machine_ = {{"processor", processor()},
                    {"threads", at::get_num_threads()},
                    {"device", command.device},
                    {"libtorch", TORCH_VERSION},
                    {"whynot", WHYNOT_VERSION}};
    }

    int run() {
        const bool memory_of_case = reset_peak_memory();
        if (!command_.json)
            print(machine_.at("processor").get<std::string>() + ", " + machine_.at("threads").dump() +
                  " threads, LibTorch " TORCH_VERSION ", whynot " WHYNOT_VERSION "\n");
        int code = answered;
        for (const Subject& subject : subjects_) {
            if (!measure(subject)) code = none_found;
            ++subjects_done_;
        }
        if (!memory_of_case)
            complain("this system does not let the highest memory be counted afresh: it is that of the program up to then");
        const Json result{{"schema", "whynot.bench/1"},
                          {"machine", machine_},
                          {"starts", command_.starts},
                          {"seed", command_.seed},
                          {"peak_memory_of", memory_of_case ? "case" : "program"},
                          {"rows", rows_},
                          {"left_out", left_out_}};
        if (command_.json) print_line(result);
        if (!command_.html.empty()) write_page(result);
        return code;
    }

private:
    void write_page(const Json& result) const {
        PageInfo info{"How fast the methods are", command_.line, {}};
        for (const Subject& subject : subjects_) info.packs.push_back(subject.pack.identity());
        write_file_atomically(command_.html, bench_page(result, info));
    }

    /// @param share of the case that is measured now
    void watch(const Subject& subject, double share) {
        if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
        const Case& now = cases_[std::min(cases_done_, cases_.size() - 1)];
        const auto all = static_cast<double>(subjects_.size() * cases_.size());
        status_.show(Progress{subject.pack.manifest().id + ": " + now.method + ", batch " + std::to_string(now.batch),
                              (static_cast<double>(subjects_done_ * cases_.size() + cases_done_) + share) / all, ""});
    }

    /// @return whether each input makes a question
    bool measure(const Subject& subject) {
        const std::string& id = subject.pack.manifest().id;
        cases_done_ = 0;
        watch(subject, 0);
        std::vector<std::string> refused;
        Measuring measuring(host_, subject.pack, command_.device, subject.inputs, command_.foil, command_.seed, refused);
        if (!refused.empty()) {
            status_.clear();
            complain(id + ": " + std::to_string(refused.size()) + " of " + std::to_string(subject.inputs.size()) +
                     " inputs make no question, the first because " + refused.front());
        }
        if (measuring.questions() == 0) return refused.empty();
        for (; cases_done_ < cases_.size(); ++cases_done_) measure(cases_[cases_done_], subject, measuring);
        status_.clear();
        report(subject, measuring.questions());
        return refused.empty();
    }

    void measure(Case& one, const Subject& subject, Measuring& measuring) {
        SolverOptions options;
        options.starts = command_.starts;
        if (command_.step > 0) options.augmented_lagrangian.step = command_.step;
        // By what the method did at the size of batch before this one.
        const auto now = cases_.begin() + static_cast<std::ptrdiff_t>(cases_done_);
        const auto before = std::find_if(std::make_reverse_iterator(now), cases_.rend(),
                                         [&](const Case& other) { return other.method == one.method && other.measured.asked > 0; });
        const double expected = before == cases_.rend() ? 0 : static_cast<double>(one.batch) / before->measured.questions_a_second();
        one.too_long = command_.seconds > 0 && expected > max_overrun * command_.seconds ? expected : 0;
        one.measured = one.too_long > 0 ? Measured()
                                        : measuring.measure(solver_of(one.method), options, one.batch, command_.seconds,
                                                            [&](double share) { watch(subject, share); });
    }

    void report(const Subject& subject, int64_t questions) {
        const std::string& id = subject.pack.manifest().id;
        std::vector<Json> rows;
        for (const Case* one : by_method(cases_)) rows.push_back(row_of(subject, *one, reference_of(cases_)));
        if (!command_.json)
            print('\n' + id + ", " + std::to_string(questions) + " inputs " + subject.source + ", " + std::to_string(command_.starts) +
                  (command_.starts == 1 ? " start\n\n" : " starts\n\n") + rows_for_people(rows, cases_.front().method) + '\n' +
                  comparisons(rows));
        for (Json& row : rows) rows_.push_back(std::move(row));
        for (const Case& one : cases_) {
            if (one.too_long == 0) continue;
            left_out_.push_back({{"pack", id}, {"method", one.method}, {"batch", one.batch}, {"expected_seconds", one.too_long}});
            if (!command_.json)
                print("left out: " + one.method + ", batch " + std::to_string(one.batch) + ", which would take " +
                      base::fixed(one.too_long, 0) + " s; a longer time for each case (--seconds) has it measured\n");
        }
    }

    const BenchCommand& command_;
    std::vector<Case> cases_;
    const Host host_;
    StatusLine status_;
    std::vector<Subject> subjects_;
    size_t subjects_done_ = 0, cases_done_ = 0;
    Json machine_, rows_ = Json::array(), left_out_ = Json::array();
};

}  // namespace

int bench(const BenchCommand& command) {
    return interruptible([&] { return Bench(command).run(); });
}

}  // namespace whynot::cli
