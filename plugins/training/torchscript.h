#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "whynot/pack.h"

namespace torch::jit {
struct Module;
}

namespace whynot::training {

/// A network that was brought along: a TorchScript file, `torch.jit.script(model).save(...)` or `torch.jit.trace`.
///
/// It computes on the processor unless it is moved, in evaluation mode, without gradients for its weights. Its graph is run as it was saved: the profiling
/// and fusing that TorchScript does during the first calls would make the same question give other bytes the third time.
///
/// A TorchScript file is a program. It cannot start others, but it can read and write files; open those of people you trust.
class ScriptNetwork {
public:
    /// Throws Error `invalid_input` for a file that is no TorchScript, or that this LibTorch cannot read.
    explicit ScriptNetwork(std::filesystem::path file);

    const std::filesystem::path& file() const { return file_; }

    /// Has it compute there; inputs have to be there too.
    void to(at::Device device);

    /// What `forward` makes of one tensor; of a tuple the first element (an encoder's mean, which often comes with a variance).
    /// Throws Error `invalid_input` with TorchScript's own reason where it fails or gives something else.
    at::Tensor operator()(const at::Tensor& input) const;

private:
    std::filesystem::path file_;
    std::shared_ptr<torch::jit::Module> module_;
};

/// "[2, 1, 28, 28]"
std::string shape_text(at::IntArrayRef shape);

/// What the rows of a sample of outputs, [n, C], are: probabilities lie in [0, 1] and sum to one, exponentials of log-probabilities sum to
/// one, everything else is logits. Taking one for another fails silently, so a declaration is checked against this.
Emits recognise_emits(const at::Tensor& outputs);

/// Whether outputs that were found to be one kind may be called another: log-probabilities are logits too.
bool may_be_declared(Emits declared, Emits found);

/// Log-likelihoods up to a constant a row, of outputs of that kind. Probabilities are kept above 1e-30: where a softmax has
/// underflowed there is no gradient left, and none can be made.
at::Tensor log_likelihoods(const at::Tensor& outputs, Emits emits);

}  // namespace whynot::training
