#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/stopwatch.h"
#include "training/pack_contents.h"
#include "training/run.h"
#include "whynot/progress.h"

namespace whynot::image {

/// Told the share that is done, 0 to 1, of what it watches; throws to stop it.
using Watch = std::function<void(double share)>;

/// Collects figures; says how far the evaluation is, and stops it when asked to. What is to be done is a row of stages, each of a known
/// size: how many images go through the networks, a derivative counting twice more.
class Report {
public:
    explicit Report(const Observer& observer) : observer_(observer) {}

    /// All that is going to be done. The sizes are rough, which the bar shows and no figure depends on.
    void plan(std::vector<std::pair<std::string, double>> stages) {
        stages_ = std::move(stages);
        total_ = 0;
        for (const auto& [name, size] : stages_) total_ += size;
    }
    /// The stage that begins; those before it are done.
    void stage(const std::string& name) {
        before_ = 0;
        for (const auto& [stage, size] : stages_) {
            stage_ = stage;
            size_ = size;
            if (stage == name) break;
            before_ += size;
        }
        told_.reset();
        at(0);
    }
    /// To be called often, with the share of the stage that is done. @throws Error cancelled when the observer says so
    void at(double share) {
        training::stop_if_cancelled(observer_, "the evaluation");
        if (!observer_.progress || (told_ && told_->seconds() < 0.3)) return;
        told_.emplace();
        observer_.progress({stage_, fraction(share), ""});
    }
    /// From here to there in the stage: what watches a part of it.
    Watch between(double begin, double end) {
        return [this, begin, end](double share) { at(begin + (end - begin) * share); };
    }
    /// Who observes what tells of itself in the stage.
    Observer observer() const { return training::part(observer_, fraction(0), fraction(1)); }

    void figure(const std::string& name, double value, int64_t n, const char* unit) { figures_.add(name, value, n, unit); }
    const base::Json& figures() const { return figures_.json(); }

private:
    double fraction(double share) const { return (before_ + size_ * share) / total_; }

    const Observer& observer_;
    std::vector<std::pair<std::string, double>> stages_;
    std::string stage_;
    double total_ = 1, before_ = 0, size_ = 0;
    std::optional<base::Stopwatch> told_;  // since it last told
    training::Figures figures_;
};

}  // namespace whynot::image
