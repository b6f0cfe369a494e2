#include "training/pack_contents.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "training/torchscript.h"

namespace whynot::training {

Error bad_pack(const Pack& pack, const std::string& what) {
    return Error(ErrorCode::bad_pack, "pack '" + pack.manifest().id + "': " + what);
}

int64_t size_at(const Pack& pack, const base::Json& object, const std::string& group, const char* key, int64_t min, int64_t max) {
    const auto place = object.find(group);
    const auto value = place == object.end() || !place->is_object() ? base::Json() : place->value(key, base::Json());
    if (!value.is_number_integer() || value.get<int64_t>() < min || value.get<int64_t>() > max)
        throw bad_pack(pack, "expected '" + group + "." + key + "' to be a whole number from " + std::to_string(min) + " to " +
                                 std::to_string(max) + ", found " + (value.is_null() ? "none" : value.dump()));
    return value.get<int64_t>();
}

StoredTensors::StoredTensors(const Pack& pack, const std::string& file)
    : pack_(pack), file_(file), tensors_(read_tensors(pack.file(file))) {}

at::Tensor StoredTensors::find(const std::string& name) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw bad_pack(pack_, file_ + " has no tensor '" + name + "'");
    at::Tensor tensor = found->second;
    tensors_.erase(found);
    if (tensor.scalar_type() != at::kFloat) throw bad_pack(pack_, file_ + ": expected '" + name + "' to be floats, found integers");
    if (!tensor.isfinite().all().item<bool>()) throw bad_pack(pack_, file_ + ": '" + name + "' is not finite");
    return tensor;
}

void StoredTensors::take(const std::string& name, at::Tensor to) {
    const at::Tensor tensor = find(name);
    if (tensor.sizes() != to.sizes())
        throw bad_pack(
            pack_, file_ + ": expected '" + name + "' to be of shape " + shape_text(to.sizes()) + ", found " + shape_text(tensor.sizes()));
    const at::NoGradGuard no_grad;
    to.copy_(tensor);
}

at::Tensor StoredTensors::take_rows(const std::string& name, at::IntArrayRef sizes) {
    const at::Tensor tensor = find(name);
    if (tensor.dim() != static_cast<int64_t>(sizes.size()) + 1 || tensor.sizes().slice(1) != sizes)
        throw bad_pack(
            pack_, file_ + ": expected '" + name + "' to be rows of shape " + shape_text(sizes) + ", found " + shape_text(tensor.sizes()));
    return tensor;
}

void StoredTensors::finish() const {
    if (!tensors_.empty()) throw bad_pack(pack_, file_ + " has a tensor '" + tensors_.begin()->first + "' that belongs to no network");
}

}  // namespace whynot::training
