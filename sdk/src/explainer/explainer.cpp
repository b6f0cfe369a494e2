#include "whynot/explainer.h"

#include <ATen/ATen.h>

#include "base/format.h"
#include "base/names.h"
#include "base/stopwatch.h"
#include "explainer/answering.h"
#include "explainer/attributing.h"
#include "whynot/error.h"

namespace whynot {

struct Explainer::State : internal::OpenModel {
    Host* host = nullptr;
};

Explainer::Explainer(Host& host, Pack pack, const std::string& device) : state_(std::make_unique<State>()) {
    const base::Stopwatch watch;
    state_->host = &host;
    state_->pack = std::move(pack);
    state_->device = device;
    const PackManifest& manifest = state_->pack.manifest();
    state_->plugin = host.find_modality(manifest.modality).manifest.id;
    auto& modality = host.service<Modality>(state_->plugin);
    state_->model = state_->call("open the pack '" + manifest.id + "'", [&] { return modality.open(state_->pack, device); });
    state_->pack.expect_unchanged();
    if (state_->classes() != manifest.classes)
        throw Error(ErrorCode::bad_pack, "pack '" + manifest.id + "': its manifest has the classes " + base::some_of(manifest.classes) +
                                             ", its model " + base::some_of(state_->classes()) + "; they must agree");
    state_->load_seconds = watch.seconds();
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
    const std::vector<Strangeness> strangeness = internal::strangeness_of(*state_, *batch);
    std::vector<Classification> result;
    int64_t row = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
        Classification one;
        one.input = inputs[i];
        one.refusal = notes.at(i).refusal;
        one.warnings = notes[i].warnings;
        if (one.refusal.empty()) {
            const at::Tensor said = probabilities[row];
            const auto& [strange, why] = strangeness[static_cast<size_t>(row++)];
            if (said.isfinite().all().item<bool>()) {
                one.probabilities = internal::name_probabilities(state_->classes(), said);
                one.predicted = state_->classes()[said.argmax().item<int64_t>()];
                one.strangeness = strange;
                if (strange.value_or(0) > 1) one.warnings.push_back(internal::unlike + why);
            } else {
                one.refusal = internal::no_probabilities;
            }
        }
        result.push_back(std::move(one));
    }
    return result;
}

std::vector<Answer> Explainer::explain(const std::vector<Ask>& questions, const ExplainOptions& options) {
    return internal::answer(*state_, questions, options);
}

std::vector<AttributionMethod> Explainer::attribution_methods() const {
    const Attribution& service = state_->host->service<Attribution>(state_->plugin);
    return state_->call("list its methods of attribution", [&] { return service.methods(); });
}

std::vector<Attributed> Explainer::attribute(const std::vector<Ask>& questions, const AttributionOptions& options) {
    return internal::attribute(*state_, state_->host->service<Attribution>(state_->plugin), questions, options);
}

Answer Explainer::explain(const std::string& text, const Question& question, const ExplainOptions& options) {
    return std::move(explain({Ask{Input{text, ""}, question}}, options)[0]);
}

}  // namespace whynot
