#pragma once

/// Named tensors in one file, without Torch: the safetensors format (https://huggingface.co/docs/safetensors), which
/// other programs read and write too.
///
///     u64 little-endian n | n bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ...} | data
///
/// Types: F16, F32 and I64, little-endian, row-major; others are refused. A file is checked completely before any of it is used: lengths,
/// offsets (in the file, without holes, overlaps or bytes left over), and that shape times type is the size of the data.
///
///     #include <ATen/ATen.h>
///     #include <whynot/pack.h>
///
///     whynot::TensorFile weights(pack.file("weights.safetensors"));
///     const whynot::TensorView& m = weights.at("embedding");
///     at::Tensor t = at::from_blob(const_cast<void*>(m.data), m.shape, at::kHalf).to(at::kFloat);

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/export.h"

namespace whynot {

enum class Dtype { f16, f32, i64 };

/// "F16", "F32", "I64", as in the file.
WHYNOT_API const char* to_string(Dtype dtype) noexcept;

/// Bytes of one element.
WHYNOT_API size_t size_of(Dtype dtype) noexcept;

/// A tensor somewhere in memory, not owned.
struct TensorView {
    std::string name;
    Dtype dtype = Dtype::f32;
    std::vector<int64_t> shape;  ///< empty: a single number
    const void* data = nullptr;  ///< contiguous, aligned to its type
    size_t bytes = 0;            ///< size_of(dtype) times the product of `shape`
};

/// A tensor file read into memory. The views and what they point to live as long as this object. Reading from several threads is fine.
class WHYNOT_API TensorFile {
public:
    /// Throws `not_found` or `io` when the file cannot be read, `bad_pack` when it is not what the format says.
    explicit TensorFile(const std::filesystem::path& path);
    ~TensorFile();
    TensorFile(TensorFile&&) noexcept;
    TensorFile& operator=(TensorFile&&) noexcept;

    /// All tensors, in the order of their data.
    const std::vector<TensorView>& tensors() const noexcept { return tensors_; }

    /// The tensor of that name; null: there is none.
    const TensorView* find(std::string_view name) const noexcept;

    /// The tensor of that name; `bad_pack` when there is none.
    const TensorView& at(std::string_view name) const;

    /// The file's own notes (`__metadata__`), e.g. the step of a checkpoint.
    const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

private:
    std::string path_;
    std::unique_ptr<std::byte[]> data_;
    std::vector<TensorView> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// Writes tensors to a file, whole or not at all; an existing file is replaced. The data is laid out by decreasing element
/// size, then in the order given, so that every tensor is aligned. The same tensors give the same bytes. Throws `invalid_argument`
/// for tensors that contradict themselves (`bytes`, equal names), `io` when writing fails.
WHYNOT_API void write_tensor_file(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                                  const std::map<std::string, std::string>& metadata = {});

}  // namespace whynot
