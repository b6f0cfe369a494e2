#include "training/torchscript.h"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "whynot/error.h"
#include "whynot/host.h"

namespace whynot::training {

namespace {

// The reason at the end of TorchScript's report, which quotes its source first.
std::string reason_of(const std::exception& error) {
    const std::string text = what_without_backtrace(error);
    const std::string mark = "RuntimeError: ";
    const size_t begin = text.rfind(mark);
    std::string reason = begin == std::string::npos ? text : text.substr(begin + mark.size());
    reason.erase(std::min(reason.size(), reason.find('\n')));
    return reason;
}

}  // namespace

ScriptNetwork::ScriptNetwork(std::filesystem::path file) : file_(std::move(file)) {
    const std::string name = file_.filename().string();
    std::error_code error;
    if (!std::filesystem::is_regular_file(file_, error)) throw Error(ErrorCode::not_found, "there is no file " + file_.string());
    try {
        module_ = std::make_shared<torch::jit::Module>(torch::jit::load(file_.string(), at::kCPU));
    } catch (const std::exception& failure) {
        throw Error(ErrorCode::invalid_input,
                    name +
                        ": expected a TorchScript file, as torch.jit.script(model).save() writes it; a file of torch.save() "
                        "has no network in it, only weights. LibTorch says: " +
                        reason_of(failure));
    }
    if (!module_->find_method("forward")) throw Error(ErrorCode::invalid_input, name + ": its module has no method 'forward'");
    module_->eval();
    for (at::Tensor parameter : module_->parameters()) parameter.set_requires_grad(false);
}

void ScriptNetwork::to(at::Device device) { module_->to(device); }

at::Tensor ScriptNetwork::operator()(const at::Tensor& input) const {
    c10::IValue result;
    try {
        const torch::jit::GraphOptimizerEnabledGuard as_saved(false);  // of this thread
        result = module_->forward({input});
    } catch (const std::exception& failure) {
        throw Error(ErrorCode::invalid_input, file_.filename().string() + " fails on an input of " + shape_text(input.sizes()) +
                                                  " (32-bit floats): " + reason_of(failure));
    }
    if (result.isTuple() && !result.toTupleRef().elements().empty()) result = result.toTupleRef().elements()[0];
    const auto refuse = [&](const std::string& found) {
        throw Error(ErrorCode::invalid_input, file_.filename().string() + ": expected 'forward' to give a tensor of 32-bit floats, found " +
                                                  found + "; export model.float(), and what it gives before any argmax or rounding");
    };
    if (!result.isTensor() || !result.toTensor().defined()) refuse(result.tagKind());
    if (const at::ScalarType type = result.toTensor().scalar_type(); type != at::kFloat && type != at::kDouble)
        refuse(std::string("one of type ") + at::toString(type));
    return result.toTensor();
}

std::string shape_text(at::IntArrayRef shape) {
    std::string text = "[";
    for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
}

Emits recognise_emits(const at::Tensor& outputs) {
    const at::NoGradGuard no_grad;
    const at::Tensor y = outputs.to(at::kDouble);
    const auto near_one = [](const at::Tensor& sums) { return (sums - 1).abs().max().item<double>() < 1e-3; };
    if (y.min().item<double>() >= 0 && y.max().item<double>() <= 1 + 1e-5 && near_one(y.sum(1))) return Emits::probabilities;
    if (y.max().item<double>() <= 1e-5 && near_one(y.exp().sum(1))) return Emits::log_probabilities;
    return Emits::logits;
}

bool may_be_declared(Emits declared, Emits found) {
    return declared == found || (declared == Emits::logits && found == Emits::log_probabilities);
}

at::Tensor log_likelihoods(const at::Tensor& outputs, Emits emits) {
    return emits == Emits::probabilities ? outputs.clamp_min(1e-30).log() : outputs;
}

}  // namespace whynot::training
