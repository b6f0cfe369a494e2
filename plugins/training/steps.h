#pragma once

/// The steps of an experiment, so that a run that was stopped goes on, and what was measured once is not measured again.
///
///     Steps steps(request.out / "steps", {{"seed", request.seed}, {"quick", request.quick}, {"corpus", corpus.sha256}}, observer);
///     const base::Json plain = steps.run("explain-plain", {{"pack", pack.sha256()}}, [&] { return explain(pack); });
///
/// Each step's JSON lies in FOLDER/NAME.json beside its identity: all that it depends on. A step whose file was made by the same identity is
/// taken from there; one of another identity, or a damaged one, is made anew. Trainings that take minutes keep checkpoints of their
/// own besides (`checkpoint`, run.h). A step must give the same for the same identity; it returns JSON and nothing else, or what is read back lacks it.

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "training/checkpoint.h"
#include "whynot/progress.h"

namespace whynot::training {

class Steps {
public:
    /// @param folder is made when the first step is kept
    /// @param identity what all steps depend on, an object: seed, quick, SHA-256 of the corpus, ...
    /// @param observer told in its log which steps were taken from an earlier run, and asked between steps whether to stop
    Steps(std::filesystem::path folder, base::Json identity, Observer observer);

    /// @param name of the step and its file, a-z 0-9 . _ -
    /// @param also what this step depends on besides, an object or null
    /// @throws Error cancelled before a step that is not there yet, when the observer says so; whatever `make` throws
    base::Json run(const std::string& name, const base::Json& also, const std::function<base::Json()>& make) const;

    /// For a training inside the step `name`: the checkpoint FOLDER/NAME.safetensors. One of another identity is removed at once, this one
    /// when the step is done.
    Checkpoint checkpoint(const std::string& name, const base::Json& also) const;

private:
    base::Json identity_of(const base::Json& also) const;

    std::filesystem::path folder_;
    base::Json identity_;
    Observer observer_;
};

}  // namespace whynot::training
