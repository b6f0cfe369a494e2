#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "whynot/asking.h"
#include "whynot/host.h"
#include "whynot/modality.h"
#include "whynot/pack.h"

namespace whynot::internal {

/// A pack, and the model that its plugin made of it.
struct OpenModel {
    Pack pack;
    std::string plugin;
    std::string device;
    std::unique_ptr<Model> model;
    double load_seconds = 0;

    const std::vector<std::string>& classes() const { return model->info().classes; }

    /// Calls into the plugin. @param operation as in `guarded`
    template <class F>
    auto call(const std::string& operation, F&& f) const {
        return guarded(plugin, operation, std::forward<F>(f));
    }

    /// What the classifier says of every row, [B, C].
    at::Tensor log_probabilities(Batch& batch) const { return whynot::log_probabilities(batch, model->info(), {1, 0, plugin}); }
};

}  // namespace whynot::internal
