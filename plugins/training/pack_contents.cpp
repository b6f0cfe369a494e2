#include "training/pack_contents.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "training/torchscript.h"
#include "whynot/version.h"

namespace whynot::training {

namespace {

std::string name_of(const Pack& pack) { return "pack " + base::in_quotes(pack.manifest().id); }

}  // namespace

Error bad_pack(const Pack& pack, const std::string& what) { return Error(ErrorCode::bad_pack, name_of(pack) + ": " + what); }

Declared::Declared(const Pack& pack)
    : network_json_(base::parse_own_json(pack.manifest().network)),
      input_json_(base::parse_own_json(pack.manifest().input)),
      network(network_json_, ErrorCode::bad_pack, name_of(pack), ""),
      input(input_json_, ErrorCode::bad_pack, name_of(pack), "input") {}

at::Tensor declared(at::IntArrayRef sizes, double value) { return at::full({}, value, at::kFloat).expand(sizes); }

StoredTensors::StoredTensors(const Pack& pack, const std::string& file) : pack_(pack), file_(file), stored_(pack.file(file)) {
    for (const TensorView& view : stored_.tensors()) left_.emplace(view.name, view);
}

at::Tensor StoredTensors::find(const std::string& name) {
    const auto found = left_.find(name);
    if (found == left_.end()) throw bad_pack(pack_, file_ + " has no tensor " + base::in_quotes(name));
    const TensorView view = found->second;
    left_.erase(found);
    if (view.dtype == Dtype::i64) throw bad_pack(pack_, file_ + ": expected '" + name + "' to be floats, found integers");
    return at::from_blob(const_cast<void*>(view.data), view.shape, at::TensorOptions(view.dtype == Dtype::f16 ? at::kHalf : at::kFloat));
}

void StoredTensors::check_finite(const std::string& name, const at::Tensor& tensor) const {
    if (tensor.numel() == 0) return;
    const auto [least, most] = tensor.aminmax();  // one of them is no number where any is not; one pass, and no memory
    if (!std::isfinite(least.item<float>()) || !std::isfinite(most.item<float>()))
        throw bad_pack(pack_, file_ + ": '" + name + "' is not finite");
}

void StoredTensors::take(const std::string& name, at::Tensor to) {
    const at::Tensor tensor = find(name);
    if (tensor.sizes() != to.sizes())
        throw bad_pack(
            pack_, file_ + ": expected '" + name + "' to be of shape " + shape_text(to.sizes()) + ", found " + shape_text(tensor.sizes()));
    to.set_data(tensor.to(at::kFloat, false, true));
    check_finite(name, to);
}

at::Tensor StoredTensors::take_rows(const std::string& name, at::IntArrayRef sizes) {
    const at::Tensor tensor = find(name).to(at::kFloat, false, true);
    if (tensor.dim() != static_cast<int64_t>(sizes.size()) + 1 || tensor.sizes().slice(1) != sizes)
        throw bad_pack(
            pack_, file_ + ": expected '" + name + "' to be rows of shape " + shape_text(sizes) + ", found " + shape_text(tensor.sizes()));
    check_finite(name, tensor);
    return tensor;
}

void StoredTensors::finish() const {
    if (!left_.empty())
        throw bad_pack(pack_, file_ + " has a tensor " + base::in_quotes(left_.begin()->first) + " that belongs to no network");
}

namespace {

std::string id_of(const std::filesystem::path& out) {
    return out.filename().empty() ? out.parent_path().filename().string() : out.filename().string();
}

}  // namespace

void check_folder(const std::filesystem::path& out) {
    constexpr uintmax_t needed = 64'000'000;  // bytes: a pack and the checkpoints of its training have some tens of millions
    if (!is_pack_id(id_of(out)))
        throw Error(ErrorCode::invalid_argument,
                    "the name of the folder becomes the id of the pack, so expected 1 to 64 of a-z 0-9 . _ -, "
                    "beginning with a letter or digit, found " +
                        base::in_quotes(id_of(out)));
    std::filesystem::path there = std::filesystem::absolute(out);
    std::error_code error;
    while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
    const std::filesystem::space_info room = std::filesystem::space(there, error);
    if (!error && room.available < needed)
        throw Error(ErrorCode::io, "expected " + std::to_string(needed / 1'000'000) + " MB of room for " +
                                       base::escape_controls(out.string()) + ", found " + std::to_string(room.available / 1'000'000) +
                                       " MB; make room, or choose another folder");
}

base::Json repeatable(const base::Json& figures) {
    base::Json kept = base::Json::array();
    for (const base::Json& figure : figures)
        if (figure.at("name").get_ref<const std::string&>().rfind("speed", 0) != 0) kept.push_back(figure);
    return kept;
}

PackManifest manifest_for(const std::filesystem::path& out, const std::string& plugin, const std::vector<std::string>& classes,
                          uint64_t seed) {
    PackManifest manifest;
    manifest.id = id_of(out);
    manifest.modality = plugin;
    manifest.plugin_id = plugin;
    manifest.plugin_version = WHYNOT_VERSION;
    manifest.classes = classes;
    manifest.seed = seed;
    return manifest;
}

void Figures::add(const std::string& name, double value, int64_t n, const std::string& unit) {
    figures_.push_back({{"name", name}, {"value", value}, {"n", n}, {"unit", unit}});
}

std::string with_generator_from(const std::string& network, const Pack& pack) {
    base::Json json = base::parse_own_json(network);
    json["generator_from"] = {{"id", pack.manifest().id}, {"sha256", pack.sha256()}};
    return json.dump();
}

}  // namespace whynot::training
