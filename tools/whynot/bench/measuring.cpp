#include "bench/measuring.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <malloc.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "base/stopwatch.h"
#include "whynot/asking.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

constexpr double shortest = 0.5;      // seconds that a case is measured for, if there is time
constexpr double share_alone = 0.25;  // of the time in the solver that the networks are measured for

/// Seconds a row that the networks need by themselves. Measured beside each batch that is solved: what slows one down, slows the other.
class Alone {
public:
    explicit Alone(const Problem& problem)
        : problem_(problem), rows_(at::arange(problem.start.size(0), at::TensorOptions(at::kLong).device(problem.start.device()))) {}

    void measure(double seconds) {
        base::Stopwatch watch;
        for (; count_ == 0 || watch.seconds() < seconds; ++count_) {
            watch.lap();
            {
                const at::NoGradGuard no_grad;
                problem_.log_likelihood(problem_.start, rows_);
            }
            forward_ += watch.lap();
            const at::Tensor z = problem_.start.detach().clone().requires_grad_();
            const at::Tensor l = problem_.log_likelihood(z, rows_);
            torch::autograd::grad({l}, {z}, {at::ones_like(l)});
            gradient_ += watch.lap();
        }
    }
    double forward() const { return forward_; }
    double gradient() const { return gradient_; }
    int64_t rows() const { return count_ * rows_.size(0); }

private:
    const Problem& problem_;
    const at::Tensor rows_;
    int64_t count_ = 0;
    double forward_ = 0, gradient_ = 0;
};

}  // namespace

double Measured::feasible() const {
    const auto found = std::count_if(distances.begin(), distances.end(), [](double distance) { return !std::isnan(distance); });
    return static_cast<double>(found) / static_cast<double>(distances.size());
}

double Measured::mean_distance() const {
    double sum = 0, count = 0;
    for (const double distance : distances)
        if (!std::isnan(distance)) sum += distance, ++count;
    return sum / count;
}

double Measured::limit() const {
    return static_cast<double>(asked) /
           (static_cast<double>(forward - backward) * forward_row + static_cast<double>(backward) * gradient_row);
}

bool reset_peak_memory() {
    std::ofstream file("/proc/self/clear_refs");
    return static_cast<bool>(file << 5 << std::flush);
}

int64_t peak_memory() {
    std::ifstream file("/proc/self/status");
    for (std::string name; file >> name; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
        int64_t kilobytes = 0;
        if (name == "VmHWM:" && file >> kilobytes) return 1024 * kilobytes;
    }
    throw Error(ErrorCode::io, "/proc/self/status does not tell how much memory this process uses");
}

Measuring::Measuring(const Host& host, const Pack& pack, const std::string& device, const std::vector<Input>& inputs,
                     const std::string& foil, uint64_t seed, std::vector<std::string>& refused)
    : plugin_(host.find_modality(pack.manifest().modality).manifest.id), seed_(seed) {
    constexpr size_t at_once = 64;
    auto& modality = host.service<Modality>(plugin_);
    model_ = call("open the pack", [&] { return modality.open(pack, device); });
    const std::vector<std::string>& classes = pack.manifest().classes;
    const int64_t asked = std::find(classes.begin(), classes.end(), foil) - classes.begin();
    for (size_t begin = 0; begin < inputs.size(); begin += at_once) {
        const std::vector<Input> some(inputs.begin() + begin, inputs.begin() + std::min(inputs.size(), begin + at_once));
        std::vector<ReadNotes> notes;
        const std::unique_ptr<Batch> batch = call("read the inputs", [&] { return model_->read(some, notes); });
        if (notes.size() != some.size()) throw Error(ErrorCode::internal, "plugin '" + plugin_ + "' has not one note for each input");
        const RowQuestions usual =
            batch->size() > 0 ? default_questions(log_probabilities(*batch, model_->info(), {seed_, 0, plugin_})) : RowQuestions();
        int64_t row = 0;
        for (size_t i = 0; i < some.size(); ++i) {
            if (!notes[i].refusal.empty()) {
                refused.push_back(notes[i].refusal);
                continue;
            }
            const auto fact = usual.fact[row].item<int64_t>();
            const auto other = foil.empty() ? usual.foil[row].item<int64_t>() : asked;
            ++row;
            if (fact == other) {
                refused.push_back("the classifier calls it '" + foil + "' already");
                continue;
            }
            inputs_.push_back(some[i]);
            facts_.push_back(fact);
            foils_.push_back(other);
        }
    }
}

Measuring::Part& Measuring::part(int64_t batch, int64_t number, int64_t extra_starts, const std::function<void()>& check) {
    const auto [place, made] = parts_.try_emplace({batch, number});
    Part& part = place->second;
    if (!made) return part;
    check();
    std::vector<Input> inputs;
    std::vector<int64_t> facts, foils;
    for (int64_t i = number * batch; i < (number + 1) * batch; ++i) {
        const auto which = static_cast<size_t>(i % questions());
        inputs.push_back(inputs_[which]);
        facts.push_back(facts_[which]);
        foils.push_back(foils_[which]);
    }
    std::vector<ReadNotes> notes;
    part.batch = call("read the inputs", [&] { return model_->read(inputs, notes); });
    const RowQuestions asked{{}, at::tensor(facts, at::kLong), at::tensor(foils, at::kLong)};
    part.problem = ask(*part.batch, model_->info(), asked, {seed_, extra_starts, plugin_});
    return part;
}

Measured Measuring::measure(const Solve& solve, SolverOptions options, int64_t batch, double seconds,
                            const std::function<void(double)>& watch) {
    options.typical_distance = model_->info().typical_distance;
    const int64_t batches = (questions() + batch - 1) / batch;
    Measured measured;
    double alone_forward = 0, alone_gradient = 0;
    int64_t alone_rows = 0;
    const auto done = [&](double part) {
        const double asked = (static_cast<double>(measured.asked) + part) / static_cast<double>(questions());
        watch(std::min(1.0, std::max(asked, measured.seconds / seconds)));
    };
    options.callback = [&](const IterationReport& report) {
        done(static_cast<double>(report.questions - report.rows_active));
        return CallbackAnswer::proceed;
    };
    for (int64_t number = 0;; ++number) {
        const bool all = number >= batches;
        if (number > 0 && measured.seconds >= (all ? std::min(shortest, seconds) : seconds)) break;
        const Problem& problem = part(batch, number % batches, options.starts - 1, [&] { done(0); }).problem;
        Alone alone(problem);
        if (number == 0) {
            malloc_trim(0);             // what was freed, and would count as used
            Alone(problem).measure(0);  // what is done once only
        }
        reset_peak_memory();
        const Summary summary = solve(problem, options);
        measured.peak_memory = std::max(measured.peak_memory, peak_memory());
        alone.measure(share_alone * summary.seconds);
        alone_forward += alone.forward();
        alone_gradient += alone.gradient();
        alone_rows += alone.rows();

        measured.asked += summary.questions;
        measured.seconds += summary.seconds;
        measured.own_seconds += summary.seconds - summary.seconds_forward - summary.seconds_backward;
        measured.forward += summary.forward;
        measured.backward += summary.backward;
        for (const Solution& solution : summary.solutions) {
            if (static_cast<int64_t>(measured.distances.size()) == questions()) break;
            measured.distances.push_back(solution.feasible ? solution.distance : std::numeric_limits<double>::quiet_NaN());
            if (!std::isnan(solution.gap)) measured.largest_gap = std::max(measured.largest_gap, std::abs(solution.gap));
        }
    }
    measured.questions = static_cast<int64_t>(measured.distances.size());
    measured.forward_row = alone_forward / static_cast<double>(alone_rows);
    measured.gradient_row = alone_gradient / static_cast<double>(alone_rows);
    return measured;
}

}  // namespace whynot::cli
