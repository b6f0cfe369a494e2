#include "training/run.h"

#include <ATen/ATen.h>

#include "whynot/error.h"

namespace whynot::training {

namespace {

[[noreturn]] void foreign(const std::string& what, const std::string& name, const std::string& found) {
    throw Error(ErrorCode::invalid_argument, "the checkpoint of " + what + ": expected a tensor '" + name + "' of its shape, found " +
                                                 found + "; it belongs to another model or recipe: remove it, or choose another folder");
}

}  // namespace

TrainingRun::TrainingRun(std::string what, Checkpoint checkpoint, Observer observer, std::chrono::seconds period)
    : what_(std::move(what)), checkpoint_(std::move(checkpoint)), observer_(std::move(observer)), period_(period) {}

void TrainingRun::keep(const std::string& name, const at::Tensor& tensor) { tensors_.emplace_back(name, tensor); }

int64_t TrainingRun::resume() {
    const NamedTensors all = checkpoint_.load();
    if (all.empty()) return 0;
    const at::NoGradGuard no_grad;
    for (auto& [name, tensor] : tensors_) {
        const auto found = all.find(name);
        if (found == all.end()) foreign(what_, name, "none");
        if (found->second.sizes() != tensor.sizes()) foreign(what_, name, "another shape");
        tensor.copy_(found->second);
    }
    for (const Kept& optimiser : optimisers_) optimiser.load(take_group(all, optimiser.name));
    const auto step = all.find("step");
    if (step == all.end() || step->second.numel() != 1) foreign(what_, "step", "none");
    return start_ = step->second.item<int64_t>();
}

void TrainingRun::save(int64_t step) {
    NamedTensors all{{"step", at::scalar_tensor(step, at::kLong)}};
    for (const auto& [name, tensor] : tensors_) all[name] = tensor;
    for (const Kept& optimiser : optimisers_) put_group(all, optimiser.name, optimiser.state());
    checkpoint_.save(all);
    saved_ = Clock::now();
}

bool TrainingRun::begins(int64_t step, int64_t steps) {
    if (step < start_) return false;
    if (observer_.cancelled && observer_.cancelled()) {
        save(step);
        throw Error(ErrorCode::cancelled, "training " + what_ + " was stopped at step " + std::to_string(step) + " of about " +
                                              std::to_string(steps) + "; the same command goes on from there");
    }
    if (Clock::now() - saved_ >= period_) save(step);
    return true;
}

bool TrainingRun::speaks() const { return observer_.progress && Clock::now() - told_ > std::chrono::milliseconds(300); }

void TrainingRun::tell(const std::string& stage, int64_t step, int64_t steps, const std::string& detail) {
    if (!observer_.progress) return;
    told_ = Clock::now();
    observer_.progress({stage, static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, steps)), detail});
}

void TrainingRun::log(const std::string& line) const { say(observer_, line); }

void say(const Observer& observer, const std::string& line) {
    if (observer.log) observer.log(line);
}

void stop_if_cancelled(const Observer& observer, const std::string& what) {
    if (observer.cancelled && observer.cancelled()) throw Error(ErrorCode::cancelled, what + " was stopped");
}

Observer part(const Observer& whole, double begin, double end) {
    Observer observer = whole;
    if (whole.progress)
        observer.progress = [tell = whole.progress, begin, end](const Progress& progress) {
            tell({progress.stage, begin + (end - begin) * progress.fraction, progress.detail});
        };
    return observer;
}

}  // namespace whynot::training
