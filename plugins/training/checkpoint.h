#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace whynot::training {

using NamedTensors = std::map<std::string, at::Tensor>;

/// Writes tensors of any device to one file, numbers as 16-bit floats where `half`; whole or not at all.
void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors, bool half);

/// Reads them back, on the CPU; 16-bit floats become 32-bit ones.
NamedTensors read_tensors(const std::filesystem::path& file);

/// Where a long training run keeps what it needs to go on: one file, replaced as a whole.
class Checkpoint {
public:
    /// Keeps nothing and finds nothing.
    Checkpoint() = default;
    /// @param file where to keep it
    /// @param run what the run depends on (recipe, seed, data); a checkpoint of another run is refused with Error `invalid_argument`
    Checkpoint(std::filesystem::path file, std::string run);

    /// What was saved last; empty when there is nothing. Throws `invalid_argument` for a file that is altered, or of another run, or holds what is
    /// no finite number.
    NamedTensors load() const;
    void save(const NamedTensors& tensors) const;

private:
    std::filesystem::path file_;
    std::string run_;
};

/// The checkpoints of a run that trains several networks one after the other. As long as it lives, no other program trains into the folder.
class CheckpointFolder {
public:
    /// @param folder is made when it is missing @param run as in `Checkpoint`
    /// Throws `io` where another program is training into it.
    CheckpointFolder(std::filesystem::path folder, std::string run);
    Checkpoint at(const std::string& file) const { return {folder_ / file, run_}; }

private:
    std::filesystem::path folder_;
    std::string run_;
    std::shared_ptr<void> lock_;
};

/// The name of a file that keeps what follows from `identity`: "yardstick-0123456789abcdef.safetensors". FNV-1a of the identity (base/hash.h),
/// so that another identity has another file.
std::string cache_name(const std::string& what, std::string_view identity);

/// Rounds weights to what a pack stores, so that what is trained on them later, and every figure, sees the weights that ship.
void round_to_half(const at::Tensor& weights);
void round_to_half(const NamedTensors& weights);

/// Adds `tensors` as "prefix.name" to `all`, and takes such a group out again.
void put_group(NamedTensors& all, const std::string& prefix, const NamedTensors& tensors);
NamedTensors take_group(const NamedTensors& all, const std::string& prefix);

}  // namespace whynot::training
