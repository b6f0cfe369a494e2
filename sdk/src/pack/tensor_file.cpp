#include "whynot/tensor_file.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <tuple>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "whynot/error.h"

namespace whynot {
namespace {

constexpr uint64_t max_header_bytes = 16 << 20;
constexpr size_t max_dimensions = 16;
constexpr const char* metadata_key = "__metadata__";
constexpr Dtype dtypes[] = {Dtype::f16, Dtype::f32, Dtype::i64};

/// Bytes of a tensor, or nothing where they do not fit into the numbers.
std::optional<uint64_t> bytes_of(Dtype dtype, const std::vector<int64_t>& shape) {
    uint64_t bytes = size_of(dtype);
    for (int64_t size : shape) {
        if (size < 0) return std::nullopt;
        // A bound far below 2^64 keeps the product of what follows a zero exact as well.
        if (size > 0 && bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / static_cast<uint64_t>(size))
            return std::nullopt;
        bytes *= static_cast<uint64_t>(size);
    }
    return bytes;
}

/// A tensor, and where its data lies.
struct Placed {
    uint64_t begin, end;
    TensorView view;
};

/// What the header of a file says, checked against the size of its data.
class Header {
public:
    Header(base::InputFile& file, std::string path) : path_(std::move(path)) {
        if (file.size() < 8) refuse("expected a tensor file (safetensors), found only " + std::to_string(file.size()) + " bytes");
        unsigned char prefix[8];
        file.read(prefix, sizeof prefix);
        uint64_t bytes = 0;
        for (int i = 7; i >= 0; --i) bytes = bytes << 8 | prefix[i];
        if (bytes > max_header_bytes || bytes > file.size() - 8)
            refuse("the header should have " + std::to_string(bytes) + " bytes, but the file has " + std::to_string(file.size()) +
                   "; it is truncated or no tensor file (safetensors)");
        std::string header(bytes, '\0');
        file.read(header.data(), header.size());
        data_bytes_ = file.size() - 8 - bytes;
        table_ = base::parse_json_object(header, ErrorCode::bad_pack, path_ + ", header");
    }

    uint64_t data_bytes() const { return data_bytes_; }

    std::map<std::string, std::string> metadata() const {
        std::map<std::string, std::string> metadata;
        const auto found = table_.find(metadata_key);
        if (found == table_.end()) return metadata;
        if (!found->is_object()) refuse("the metadata must be an object, found " + base::kind_of(*found));
        for (const auto& [key, value] : found->items()) {
            if (!value.is_string()) refuse("the metadata " + base::in_quotes(key) + " must be a string, found " + base::kind_of(value));
            metadata[key] = value.get<std::string>();
        }
        return metadata;
    }

    /// In the order of their data, which they fill without overlap or gap.
    std::vector<Placed> tensors() const {
        std::vector<Placed> placed;
        for (const auto& [name, entry] : table_.items())
            if (name != metadata_key) placed.push_back(tensor(name, entry));
        std::sort(placed.begin(), placed.end(),
                  [](const Placed& a, const Placed& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
        uint64_t position = 0;
        for (const Placed& next : placed) {
            if (next.begin != position)
                refuse("the tensor " + base::in_quotes(next.view.name) + " begins at byte " + std::to_string(next.begin) +
                       " of the data, where " + std::to_string(position) + " was expected: tensors may neither overlap nor leave gaps");
            position = next.end;
        }
        if (position != data_bytes_)
            refuse("the tensors end at byte " + std::to_string(position) + " of the data, which has " + std::to_string(data_bytes_) +
                   ": bytes are left over");
        return placed;
    }

private:
    [[noreturn]] void refuse(const std::string& sentence) const { throw Error(ErrorCode::bad_pack, path_ + ": " + sentence); }

    static bool are_counts(const base::Json& value) {
        return value.is_array() && std::all_of(value.begin(), value.end(), [](const base::Json& count) {
                   return count.is_number_unsigned() && count.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
               });
    }

    Placed tensor(const std::string& name, const base::Json& entry) const {
        const std::string tensor = "the tensor " + base::in_quotes(name);
        if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
            !entry.contains("data_offsets"))
            refuse(tensor + " must have dtype, shape and data_offsets");
        const base::Json &type = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
        const auto dtype = std::find_if(std::begin(dtypes), std::end(dtypes), [&](Dtype known) { return type == to_string(known); });
        if (dtype == std::end(dtypes))
            refuse(tensor + " has the type " + base::escape_controls(type.dump()) + "; expected F16, F32 or I64");
        if (!are_counts(shape) || shape.size() > max_dimensions)
            refuse(tensor + " must have a shape of at most " + std::to_string(max_dimensions) + " whole numbers, found " +
                   base::in_quotes(shape.dump()));
        if (!are_counts(offsets) || offsets.size() != 2)
            refuse(tensor + " must have two data_offsets, found " + base::in_quotes(offsets.dump()));
        const uint64_t begin = offsets[0], end = offsets[1];
        if (begin > end || end > data_bytes_)
            refuse(tensor + " lies at bytes " + std::to_string(begin) + " to " + std::to_string(end) + " of the data, which has " +
                   std::to_string(data_bytes_) + "; the file is truncated or altered");
        TensorView view{name, *dtype, shape.get<std::vector<int64_t>>(), nullptr, static_cast<size_t>(end - begin)};
        if (bytes_of(view.dtype, view.shape) != end - begin)
            refuse(tensor + " of type " + to_string(view.dtype) + " and shape " + shape.dump() + " does not fit its " +
                   std::to_string(end - begin) + " bytes");
        if (begin % size_of(view.dtype) != 0)
            refuse(tensor + " is not aligned to its type, at byte " + std::to_string(begin) + " of the data");
        return {begin, end, std::move(view)};
    }

    std::string path_;
    uint64_t data_bytes_ = 0;
    base::Json table_;
};

}  // namespace

const char* to_string(Dtype dtype) noexcept {
    switch (dtype) {
        case Dtype::f16: return "F16";
        case Dtype::f32: return "F32";
        case Dtype::i64: return "I64";
    }
    return "F32";
}

size_t size_of(Dtype dtype) noexcept {
    switch (dtype) {
        case Dtype::f16: return 2;
        case Dtype::f32: return 4;
        case Dtype::i64: return 8;
    }
    return 4;
}

TensorFile::~TensorFile() = default;
TensorFile::TensorFile(TensorFile&&) noexcept = default;
TensorFile& TensorFile::operator=(TensorFile&&) noexcept = default;

TensorFile::TensorFile(const std::filesystem::path& path) : path_(base::escape_controls(path.string())) {
    base::InputFile file(path);
    const Header header(file, path_);
    metadata_ = header.metadata();
    std::vector<Placed> placed = header.tensors();
    data_.reset(new std::byte[header.data_bytes()]);  // aligned for every type we know, and not cleared first
    file.read(data_.get(), header.data_bytes());
    for (Placed& next : placed) {
        next.view.data = data_.get() + next.begin;
        tensors_.push_back(std::move(next.view));
    }
}

const TensorView* TensorFile::find(std::string_view name) const noexcept {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const TensorView& tensor) { return tensor.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

const TensorView& TensorFile::at(std::string_view name) const {
    if (const TensorView* tensor = find(name)) return *tensor;
    throw Error(ErrorCode::bad_pack, path_ + ": there is no tensor " + base::in_quotes(name) + " in it");
}

void write_tensor_file(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
    const std::string shown = base::escape_controls(path.string());
    const auto refuse = [&](const TensorView& tensor, const std::string& sentence) {
        throw Error(ErrorCode::invalid_argument, "cannot write " + shown + ": the tensor " + base::in_quotes(tensor.name) + " " + sentence);
    };
    std::vector<const TensorView*> ordered;
    for (const TensorView& tensor : tensors) ordered.push_back(&tensor);
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const TensorView* a, const TensorView* b) { return size_of(a->dtype) > size_of(b->dtype); });

    base::Json table = base::Json::object();
    if (!metadata.empty()) table[metadata_key] = metadata;
    uint64_t position = 0;
    for (const TensorView* tensor : ordered) {
        if (tensor->name.empty() || tensor->name == metadata_key) refuse(*tensor, "has a name that the format does not allow");
        if (table.contains(tensor->name)) refuse(*tensor, "is there twice");
        if (tensor->shape.size() > max_dimensions) refuse(*tensor, "has more than " + std::to_string(max_dimensions) + " dimensions");
        if (bytes_of(tensor->dtype, tensor->shape) != tensor->bytes || (tensor->bytes > 0 && !tensor->data))
            refuse(*tensor, "has " + std::to_string(tensor->bytes) + " bytes, which do not fit its shape");
        table[tensor->name] = {
            {"dtype", to_string(tensor->dtype)}, {"shape", tensor->shape}, {"data_offsets", {position, position + tensor->bytes}}};
        position += tensor->bytes;
    }
    std::string header = base::write_json(table, -1, ErrorCode::invalid_argument, "the header of " + shown);
    header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data is aligned in the file too
    std::string prefix;
    for (int i = 0; i < 8; ++i) prefix += static_cast<char>(header.size() >> (8 * i) & 0xff);

    base::AtomicFile file(path);
    file.write(prefix + header);
    for (const TensorView* tensor : ordered) file.write({static_cast<const char*>(tensor->data), tensor->bytes});
    file.commit();
}

}  // namespace whynot
