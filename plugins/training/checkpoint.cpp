#include "training/checkpoint.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "whynot/error.h"
#include "whynot/tensor_file.h"

namespace whynot::training {

namespace {

/// Tensors as they lie in a file. `kept` holds what the views point into.
std::vector<TensorView> views_of(const NamedTensors& tensors, bool half, std::vector<at::Tensor>& kept) {
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        const bool integer = tensor.scalar_type() == at::kLong;
        kept.push_back(tensor.detach().to(at::kCPU, integer ? at::kLong : half ? at::kHalf : at::kFloat).contiguous());
        const at::Tensor& t = kept.back();
        views.push_back({name, integer ? Dtype::i64 : half ? Dtype::f16 : Dtype::f32, t.sizes().vec(), t.data_ptr(), t.nbytes()});
    }
    return views;
}

NamedTensors tensors_of(const TensorFile& file) {
    NamedTensors tensors;
    for (const TensorView& view : file.tensors()) {
        const auto dtype = view.dtype == Dtype::i64 ? at::kLong : view.dtype == Dtype::f16 ? at::kHalf : at::kFloat;
        const at::Tensor stored = at::from_blob(const_cast<void*>(view.data), view.shape, at::TensorOptions(dtype));
        tensors[view.name] = stored.to(dtype == at::kHalf ? at::kFloat : dtype, false, true);
    }
    return tensors;
}

/// What a checkpoint is known by: names, types, shapes and values.
std::string digest_of(std::vector<TensorView> views) {
    std::sort(views.begin(), views.end(), [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
    base::Sha256 hash;
    for (const TensorView& view : views) {
        hash.update(view.name + ' ' + to_string(view.dtype));
        for (const int64_t size : view.shape) hash.update(' ' + std::to_string(size));
        hash.update({static_cast<const char*>(view.data), view.bytes});
    }
    return hash.hex();
}

}  // namespace

void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors, bool half) {
    std::vector<at::Tensor> kept;
    write_tensor_file(file, views_of(tensors, half, kept));
}

NamedTensors read_tensors(const std::filesystem::path& file) { return tensors_of(TensorFile(file)); }

Checkpoint::Checkpoint(std::filesystem::path file, std::string run) : file_(std::move(file)), run_(std::move(run)) {}

NamedTensors Checkpoint::load() const {
    if (file_.empty() || !std::filesystem::exists(file_)) return {};
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorCode::invalid_argument, "the checkpoint " + base::escape_controls(file_.string()) + ' ' + what);
    };
    try {
        const TensorFile file(file_);
        const auto noted = [&](const char* key) {
            const auto found = file.metadata().find(key);
            return found == file.metadata().end() ? "" : found->second;
        };
        if (noted("run") != run_) refuse("belongs to a run with another recipe, seed or corpus; remove it, or choose another folder");
        if (noted("sha256") != digest_of(file.tensors()))
            refuse("is altered: its numbers are not those that were written; remove it, and the training begins again");
        NamedTensors tensors = tensors_of(file);
        for (const auto& [name, tensor] : tensors)
            if (!tensor.isfinite().all().item<bool>())
                refuse("holds numbers that are not finite (" + base::in_quotes(name) +
                       "): the training had diverged; remove it, and train with a smaller learning_rate");
        return tensors;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::bad_pack) throw;
        refuse(std::string("is damaged; remove it, and the training begins again (") + error.what() + ')');
    }
    return {};
}

void Checkpoint::save(const NamedTensors& tensors) const {
    if (file_.empty()) return;
    std::vector<at::Tensor> kept;
    const std::vector<TensorView> views = views_of(tensors, false, kept);
    write_tensor_file(file_, views, {{"run", run_}, {"sha256", digest_of(views)}});
}

CheckpointFolder::CheckpointFolder(std::filesystem::path folder, std::string run) : folder_(std::move(folder)), run_(std::move(run)) {
    std::filesystem::create_directories(folder_);
    const int descriptor = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) throw base::file_error("use the folder", folder_, errno);
    lock_ = std::shared_ptr<void>(nullptr, [descriptor](void*) { close(descriptor); });
    // Some network file systems have no locks: there nobody is kept out.
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw Error(ErrorCode::io, "another program is training into " + base::escape_controls(folder_.string()) +
                                       " now; wait until it has ended, or choose another folder");
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
