#pragma once

/// What the checks share: the plugin under test, opened as far as each needs it, and how a check ends.

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "whynot/asking.h"
#include "whynot/conformance.h"
#include "whynot/explainer.h"
#include "whynot/host.h"
#include "whynot/modality.h"
#include "whynot/pack.h"
#include "whynot/problem.h"
#include "whynot/samples.h"

namespace whynot::conformance {

/// Thrown by a check that ends otherwise than passed. A `whynot::Error` that comes out of one counts as failed.
struct Verdict {
    Outcome outcome;
    std::string message;
};

[[noreturn]] inline void fail(std::string message) { throw Verdict{Outcome::failed, std::move(message)}; }
[[noreturn]] inline void skip(std::string message) { throw Verdict{Outcome::skipped, std::move(message)}; }
[[noreturn]] inline void warn(std::string message) { throw Verdict{Outcome::warning, std::move(message)}; }

inline void expect(bool holds, const std::string& message) {
    if (!holds) fail(message);
}

/// Inputs in a model that was opened for them: what it says of them, and where their search would start.
struct Asked {
    std::unique_ptr<Model> model;
    std::unique_ptr<Batch> batch;  // refers to the model
    at::Tensor probabilities;      ///< [B, C], double
    RowQuestions questions;        ///< why the likeliest class, and not the runner-up?
    at::Tensor start;              ///< z0, [B, k]
};

class Subject {
public:
    explicit Subject(const CheckRequest& request) : request_(request) {}

    const CheckRequest& request() const { return request_; }
    const std::filesystem::path& library() const { return request_.library; }
    std::filesystem::path manifest_file() const { return std::filesystem::path(library()).replace_extension(".json"); }

    /// Found readable, of this host's ABI and stamp. Throws Error `bad_plugin` where it is not.
    const whynot_plugin_v1& descriptor() const;
    std::string id() const { return descriptor().id ? descriptor().id : ""; }

    /// A host that finds this plugin alone.
    const Host& host();
    const PluginManifest& manifest() { return host().find(id()).manifest; }

    /// Skips where the plugin is no modality, or there is no pack of it.
    const Pack& pack();
    std::unique_ptr<Model> open(const Pack& pack, const std::string& device = "cpu");
    std::unique_ptr<Model> open() { return open(pack()); }

    /// Skips where there are none.
    const SampleSet& samples();

    /// A model opened afresh with these inputs; skips where it refuses one, which is for the check `inputs` to say.
    Asked ask(const std::vector<Input>& inputs);
    Asked ask() { return ask(samples().inputs); }

    /// As the solver sees it. Refers to `asked`.
    Problem problem(Asked& asked) const;

    /// The sample inputs explained by an explainer made afresh, the default question of each.
    std::vector<Answer> explain(const ExplainOptions& options);
    ExplainOptions options() const;

    /// Calls into the plugin.
    template <class F>
    auto call(const std::string& operation, F&& f) const {
        return guarded(id(), operation, std::forward<F>(f));
    }

private:
    const CheckRequest& request_;
    std::optional<Host> host_;
    std::optional<Pack> pack_;
    std::optional<SampleSet> samples_;
};

/// An input as it stands in messages.
std::string name_of(const Input& input);

/// "[2, 3]", or "nothing".
std::string shape_of(const at::Tensor& tensor);

using base::number;

/// The largest |a - b|; infinite where one is not a number.
double largest_difference(const at::Tensor& a, const at::Tensor& b);

/// A folder that is removed at its end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::filesystem::path path;
};

// The checks, by the names that they have in the list, `_` for `-`.
void exported_symbol(Subject&);
void loads(Subject&);
void required_fields(Subject&);
void manifest(Subject&);
void listing(Subject&);
void unique_id(Subject&);
void services(Subject&);
void unknown_services(Subject&);
void opens(Subject&);
void bad_pack(Subject&);
void inputs(Subject&);
void bad_input(Subject&);
void shapes(Subject&);
void probabilities(Subject&);
void batch_equals_singles(Subject&);
void same_seed(Subject&);
void round_trip(Subject&);
void gradients(Subject&);
void solution(Subject&);
void shown(Subject&);
void rendering(Subject&);
void deadline(Subject&);
void two_threads(Subject&);
void prints_nothing(Subject&);
void process_state(Subject&);

}  // namespace whynot::conformance
