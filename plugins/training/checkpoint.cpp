#include "training/checkpoint.h"

#include <ATen/ATen.h>

#include "base/hash.h"
#include "whynot/error.h"
#include "whynot/tensor_file.h"

namespace whynot::training {

void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors, bool half,
                   const std::map<std::string, std::string>& metadata) {
    std::vector<at::Tensor> kept;  // the views below point into these
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        const bool integer = tensor.scalar_type() == at::kLong;
        kept.push_back(tensor.detach().to(at::kCPU, integer ? at::kLong : half ? at::kHalf : at::kFloat).contiguous());
        const at::Tensor& t = kept.back();
        views.push_back({name, integer ? Dtype::i64 : half ? Dtype::f16 : Dtype::f32, t.sizes().vec(), t.data_ptr(), t.nbytes()});
    }
    write_tensor_file(file, views, metadata);
}

NamedTensors read_tensors(const std::filesystem::path& path) {
    const TensorFile file(path);
    NamedTensors tensors;
    for (const TensorView& view : file.tensors()) {
        const auto dtype = view.dtype == Dtype::i64 ? at::kLong : view.dtype == Dtype::f16 ? at::kHalf : at::kFloat;
        const at::Tensor stored = at::from_blob(const_cast<void*>(view.data), view.shape, at::TensorOptions(dtype));
        tensors[view.name] = stored.to(dtype == at::kHalf ? at::kFloat : dtype, false, true);
    }
    return tensors;
}

Checkpoint::Checkpoint(std::filesystem::path file, std::string run) : file_(std::move(file)), run_(std::move(run)) {}

NamedTensors Checkpoint::load() const {
    if (file_.empty() || !std::filesystem::exists(file_)) return {};
    const TensorFile file(file_);
    const auto run = file.metadata().find("run");
    if (run == file.metadata().end() || run->second != run_)
        throw Error(ErrorCode::invalid_argument,
                    "the checkpoint " + file_.string() +
                        " belongs to a run with another recipe, seed or corpus; remove it, or choose another folder");
    return read_tensors(file_);
}

void Checkpoint::save(const NamedTensors& tensors) const {
    if (!file_.empty()) write_tensors(file_, tensors, false, {{"run", run_}});
}

CheckpointFolder::CheckpointFolder(std::filesystem::path folder, std::string run) : folder_(std::move(folder)), run_(std::move(run)) {
    std::filesystem::create_directories(folder_);
}

std::string cache_name(const std::string& what, std::string_view identity) {
    const uint64_t hash = base::fnv1a(identity);
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash >> shift & 15];
    return what + "-" + digits + ".safetensors";
}

void round_to_half(const at::Tensor& weights) {
    const at::NoGradGuard no_grad;
    weights.copy_(weights.to(at::kHalf));
}

void round_to_half(const NamedTensors& weights) {
    for (const auto& [name, tensor] : weights) round_to_half(tensor);
}

void put_group(NamedTensors& all, const std::string& prefix, const NamedTensors& tensors) {
    for (const auto& [name, tensor] : tensors) all[prefix + "." + name] = tensor;
}

NamedTensors take_group(const NamedTensors& all, const std::string& prefix) {
    NamedTensors group;
    for (const auto& [name, tensor] : all)
        if (name.compare(0, prefix.size() + 1, prefix + ".") == 0) group[name.substr(prefix.size() + 1)] = tensor;
    return group;
}

}  // namespace whynot::training
