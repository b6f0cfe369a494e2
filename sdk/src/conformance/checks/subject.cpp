#include "conformance/checks/subject.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "plugin/library.h"
#include "solver/shape.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot {

Samples::~Samples() = default;

CheckResult run_check(const std::string& name, const CheckRequest& request) {
    using namespace conformance;
    static const std::map<std::string, void (*)(Subject&)> functions{
        {"exported-symbol", exported_symbol},
        {"loads", loads},
        {"required-fields", required_fields},
        {"manifest", manifest},
        {"listing", listing},
        {"unique-id", unique_id},
        {"services", services},
        {"unknown-services", unknown_services},
        {"opens", opens},
        {"bad-pack", bad_pack},
        {"inputs", inputs},
        {"bad-input", bad_input},
        {"shapes", shapes},
        {"probabilities", probabilities},
        {"batch-equals-singles", batch_equals_singles},
        {"same-seed", same_seed},
        {"round-trip", round_trip},
        {"gradients", gradients},
        {"solution", solution},
        {"shown", shown},
        {"rendering", rendering},
        {"deadline", deadline},
        {"two-threads", two_threads},
        {"prints-nothing", prints_nothing},
        {"process-state", process_state},
    };
    const auto function = functions.find(name);
    if (function == functions.end()) throw Error(ErrorCode::invalid_argument, "there is no check '" + name + '\'');

    CheckResult result;
    result.check = name;
    const auto began = std::chrono::steady_clock::now();
    try {
        Subject subject(request);
        function->second(subject);
        result.outcome = Outcome::passed;
    } catch (const Verdict& verdict) {
        result.outcome = verdict.outcome;
        result.message = verdict.message;
    } catch (const std::exception& error) {
        result.outcome = Outcome::failed;
        result.message = what_without_backtrace(error);
    }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return result;
}

namespace conformance {

const whynot_plugin_v1& Subject::descriptor() const { return internal::open_plugin(library()); }

const Host& Subject::host() {
    if (!host_) {
        PluginSearch search;
        search.files = {library()};
        search.environment = search.installed = false;
        host_.emplace(search);
    }
    return *host_;
}

const Pack& Subject::pack() {
    if (pack_) return *pack_;
    const std::string& modality = manifest().modality;
    if (!manifest().provides(Modality::service_id)) skip("the plugin provides no modality, so there is no pack to check it with");
    const PackSearch search = default_pack_search();
    if (!request_.pack.empty()) {
        pack_ = find_pack(request_.pack, search);
        const PackManifest& found = pack_->manifest();
        expect(found.modality == modality, "the pack '" + found.id + "' is of the modality '" + found.modality + "', the plugin of '" +
                                               modality + "'; name another pack");
        return *pack_;
    }
    for (const PackEntry& entry : list_packs(search)) {
        if (!entry.rejected.empty() || entry.manifest.modality != modality || entry.manifest.classes.empty()) continue;
        pack_ = open_pack(entry.directory);
        return *pack_;
    }
    skip("there is no pack of the modality '" + modality +
         "' where packs are looked for; name one (--pack), or a folder in WHYNOT_PACK_PATH");
}

std::unique_ptr<Model> Subject::open(const Pack& pack, const std::string& device) {
    auto& modality = host().service<Modality>(id());
    auto model = call("open the pack '" + pack.manifest().id + '\'', [&] { return modality.open(pack, device); });
    expect(model != nullptr, "opening the pack '" + pack.manifest().id + "' gave no model and no error");
    return model;
}

const SampleSet& Subject::samples() {
    if (samples_) return *samples_;
    const Pack& of = pack();
    SampleSet set;
    if (manifest().provides(Samples::service_id)) {
        auto& service = host().service<Samples>(id());
        set = call("give sample inputs", [&] { return service.samples(of); });
        expect(std::isfinite(set.round_trip) && set.round_trip >= 0,
               "SampleSet::round_trip should be a share from 0 to 1; it is " + number(set.round_trip));
    } else if (request_.inputs.empty()) {
        skip("the plugin has no service whynot.samples/1 (samples.h), and no inputs were given instead (--input)");
    }
    if (!request_.inputs.empty()) set.inputs = request_.inputs;
    if (set.inputs.empty()) skip("the plugin's service whynot.samples/1 gives no inputs for the pack '" + of.manifest().id + '\'');
    samples_ = std::move(set);
    return *samples_;
}

Asked Subject::ask(const std::vector<Input>& inputs) {
    Asked asked;
    asked.model = open();
    std::vector<ReadNotes> notes;
    asked.batch = call("read the inputs", [&] { return asked.model->read(inputs, notes); });
    for (const ReadNotes& note : notes)
        if (!note.refusal.empty()) skip("the model refuses a sample input; see the check 'inputs'");
    expect(asked.batch && asked.batch->size() == static_cast<int64_t>(inputs.size()),
           "a batch of " + std::to_string(inputs.size()) + " inputs, none of them refused, has " +
               (asked.batch ? std::to_string(asked.batch->size()) : "no") + " rows");
    const AskOptions options{request_.seed, 0, id()};
    const ModelInfo& info = asked.model->info();
    // As it comes: whether it is normalised is for the check 'probabilities'.
    const at::Tensor said = call("classify", [&] { return asked.batch->classify(); });
    internal::check_shape(said, {asked.batch->size(), static_cast<int64_t>(info.classes.size())}, "[B, C]", "classify", id());
    asked.probabilities = said.detach().to(at::kCPU, at::kDouble).exp();
    asked.questions = default_questions(asked.probabilities);
    asked.start = latent_start(*asked.batch, info, asked.questions, options);
    return asked;
}

Problem Subject::problem(Asked& asked) const { return to_problem(*asked.batch, asked.start, asked.questions, {request_.seed, 0, id()}); }

ExplainOptions Subject::options() const {
    ExplainOptions options;
    options.seed = request_.seed;
    options.solver.starts = 2;
    return options;
}

std::vector<Answer> Subject::explain(const ExplainOptions& options) {
    std::vector<Ask> questions;
    for (const Input& input : samples().inputs) questions.push_back({input, {}});
    host();
    Explainer explainer(*host_, pack());
    return explainer.explain(questions, options);
}

std::string name_of(const Input& input) { return base::in_quotes(input.path.empty() ? input.content : input.path); }

std::string shape_of(const at::Tensor& tensor) { return tensor.defined() ? internal::shape_of(tensor.sizes()) : "nothing"; }

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    if (a.numel() == 0) return 0;
    const double largest = (a.to(at::kCPU, at::kDouble) - b.to(at::kCPU, at::kDouble)).abs().max().item<double>();
    return std::isfinite(largest) ? largest : INFINITY;
}

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "whynot-check-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw Error(ErrorCode::io, "cannot make a folder in " + fs::temp_directory_path().string());
    path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

}  // namespace conformance
}  // namespace whynot
