#pragma once

/// What packs say of themselves, and reading networks out of them. A pack is data from strangers: memory is taken for what it holds, not for
/// what it declares, and every tensor must be there, of the right shape and finite.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/members.h"
#include "whynot/error.h"
#include "whynot/pack.h"
#include "whynot/tensor_file.h"

namespace whynot::training {

/// Error `bad_pack` that names the pack.
Error bad_pack(const Pack& pack, const std::string& what);

/// What the manifest of a pack says of its networks, and of its inputs: to be read by members, each error a `bad_pack` that names the pack.
class Declared {
public:
    explicit Declared(const Pack& pack);
    Declared(const Declared&) = delete;  // the members point into the JSON
    Declared& operator=(const Declared&) = delete;

private:
    base::Json network_json_, input_json_;

public:
    base::Members network, input;
};

/// A tensor of this shape, filled with one number, that takes no memory: what a network's weights are before they are read or drawn. So a
/// pack that says much of its networks and holds little takes as much memory as it holds.
at::Tensor declared(at::IntArrayRef sizes, double value = 0);

/// The tensors of a pack's file, to be taken one by one.
class StoredTensors {
public:
    StoredTensors(const Pack& pack, const std::string& file);

    /// Gives a declared tensor the values of that name, and memory of its own. `bad_pack` where they are missing, of another shape or not
    /// finite.
    void take(const std::string& name, at::Tensor to);

    /// Takes a tensor whose first size is not known beforehand: floats of shape [n, sizes...].
    at::Tensor take_rows(const std::string& name, at::IntArrayRef sizes);

    /// `bad_pack` where a tensor was not taken: it belongs to no network.
    void finish() const;

private:
    /// As it is stored, 16 or 32 bits wide; a view of `stored_`.
    at::Tensor find(const std::string& name);
    /// `bad_pack` for infinities and for what is no number.
    void check_finite(const std::string& name, const at::Tensor& tensor) const;

    const Pack& pack_;
    std::string file_;
    TensorFile stored_;
    std::map<std::string, TensorView> left_;  // not yet taken
};

/// The manifest of a pack that is made in the folder `out`, which gives it its id. @param plugin that made it and opens it; its modality
/// is of the same name
PackManifest manifest_for(const std::filesystem::path& out, const std::string& plugin, const std::vector<std::string>& classes,
                          uint64_t seed);

/// `PackManifest::network` with a note of where its generator was taken from: "generator_from": {"id", "sha256"}.
std::string with_generator_from(const std::string& network, const Pack& pack);

/// What can be known of the folder of a pack before the work of a training begins. Throws `invalid_argument` for a folder whose name cannot be
/// the id of the pack, `io` where the disk has no room for checkpoints.
void check_folder(const std::filesystem::path& out);

/// Figures without those that measure speed: they differ from run to run, and the same seed is to give the same pack.
base::Json repeatable(const base::Json& figures);

/// The figures of a pack, an evaluation: what was measured, with its number of cases (train.h).
class Figures {
public:
    void add(const std::string& name, double value, int64_t n, const std::string& unit);
    const base::Json& json() const { return figures_; }

private:
    base::Json figures_ = base::Json::array();
};

}  // namespace whynot::training
