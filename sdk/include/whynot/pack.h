#pragma once

/// Packs: one classifier and one generator of one modality, ready to explain, in a folder.
///
///     yelp/
///       pack.json       the manifest
///       ...             weights, vocabularies: every file that the manifest names with its size and SHA-256
///
/// A pack is data from strangers. `open_pack` checks every size, path and checksum before anything is used and refuses with one
/// sentence that names the file, what was expected and what was found. What the networks look like inside is the modality's matter; a pack
/// with TorchScript files in it (import.h) holds programs, which checksums do not make harmless: opening its model runs them.
///
///     #include "whynot/tensor_file.h"
///
///     whynot::TensorFile weights_of(const std::string& id_or_folder) {
///         const whynot::Pack pack = whynot::find_pack(id_or_folder, whynot::default_pack_search());
///         return whynot::TensorFile(pack.file("weights.safetensors"));
///     }
///
/// Threads: all functions may be called from any thread; a `Pack` is a value. Errors: `bad_pack` for what a pack is, `io` for
/// what the file system says, `not_found` for what is not there.

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/export.h"

namespace whynot {

/// What the classifier's last layer gives. The host checks it: log-probabilities and probabilities must be normalised.
enum class Emits { logits, log_probabilities, probabilities };

/// "logits", "log-probabilities", "probabilities".
WHYNOT_API const char* to_string(Emits emits) noexcept;

/// One file of a pack.
struct PackFile {
    std::string name;    ///< relative to the pack's folder, `/` between folders; never absolute, never with `.` or `..`
    uint64_t size = 0;   ///< bytes
    std::string sha256;  ///< 64 hexadecimal digits, lower case
};

/// The manifest, `pack.json`. Members that hold JSON text are JSON objects of the modality; the host does not look into them. Members
/// that are empty here may be absent there (seed: 0). docs/packs.md describes the file for people; its JSON Schema is installed as
/// share/whynot/schema/pack-1.schema.json.
struct PackManifest {
    static constexpr int64_t format_version = 1;  ///< of the folder and manifest described here; another one is refused

    std::string id;              ///< 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit
    std::string version = "1";   ///< of this pack, for people: changes whenever the weights do
    std::string description;     ///< a sentence for lists; may be empty
    std::string modality;        ///< "text", "image", ...
    std::string plugin_id;       ///< the plugin that made it
    std::string plugin_version;  ///< its version then; may be empty
    std::vector<std::string>
        classes;  ///< names, in the order of the classifier's outputs; two or more, all different; none of a generator alone
    Emits emits = Emits::logits;
    std::string network = "{}";  ///< JSON text: kinds and sizes of the networks, all that is needed to build them before loading weights
    std::string input = "{}";    ///< JSON text: tokenizer, or image shape and scaling
    std::string recipe = "{}";   ///< JSON text: the complete training recipe; with `seed` and the corpus it makes the pack again
    uint64_t seed = 0;
    std::string corpus;           ///< name of the data set it was trained on; empty: unknown (a model brought along)
    std::string corpus_sha256;    ///< of that data set as used; empty where `corpus` is
    std::string quality = "{}";   ///< JSON text: measured figures, each with its N and how it was measured
    std::string licence;          ///< licence of the weights and terms of the data, a sentence; empty: unknown
    std::vector<PackFile> files;  ///< every file but `pack.json` itself; `PackWriter` fills it in
};

/// The manifest as JSON, indented, with a trailing newline. Throws `bad_pack` on what `manifest_from_json` would refuse.
WHYNOT_API std::string to_json(const PackManifest& manifest);

/// Reads a manifest. @param origin how messages call it, normally its path.
WHYNOT_API PackManifest manifest_from_json(std::string_view text, const std::string& origin);

/// Reads `directory`/pack.json and checks it, but none of the files it names: instant, for lists.
WHYNOT_API PackManifest read_manifest(const std::filesystem::path& directory);

/// Which pack, for whoever reads a figure that it gave.
struct PackIdentity {
    std::string id, version;
    std::string sha256;   ///< of its `pack.json`, as `Pack::sha256`
    std::string licence;  ///< as in its manifest; may be empty
};

/// A pack whose every file has been verified.
class WHYNOT_API Pack {
public:
    const std::filesystem::path& directory() const noexcept { return directory_; }  ///< absolute
    const PackManifest& manifest() const noexcept { return manifest_; }

    /// SHA-256 of the bytes of `pack.json`. As that holds the SHA-256 of every file, it identifies the whole pack.
    const std::string& sha256() const noexcept { return sha256_; }

    PackIdentity identity() const { return {manifest_.id, manifest_.version, sha256_, manifest_.licence}; }

    bool has(std::string_view name) const noexcept;

    /// The path of a file that the manifest names; `bad_pack` for any other name.
    std::filesystem::path file(std::string_view name) const;

    /// Throws `bad_pack` where a file is not the one any more that was verified: changed, or replaced. Whoever has read the files by their paths
    /// asks this afterwards; then what was read is what was verified.
    void expect_unchanged() const;

private:
    friend WHYNOT_API Pack open_pack(const std::filesystem::path& directory);
    friend class PackWriter;
    std::filesystem::path directory_;
    PackManifest manifest_;
    std::string sha256_;
    std::vector<std::array<int64_t, 5>> identities_;  // of the files, as they were when they were verified
};

/// Opens a folder as a pack and verifies it: the manifest, then for each file that its path stays in the folder (through
/// symbolic links too), that it is a regular file, its size, its SHA-256. Cost: one reading of every file.
WHYNOT_API Pack open_pack(const std::filesystem::path& directory);

/// Whether a pack may have this id: 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit.
WHYNOT_API bool is_pack_id(std::string_view id) noexcept;

/// Writes a pack: into a hidden folder beside the target, made with its first file, and renamed into place by `finish`. Until then, and whatever goes wrong, the
/// target is as it was; the destructor removes what was not finished.
///
///     #include "whynot/tensor_file.h"
///
///     whynot::Pack write(const std::filesystem::path& out, whynot::PackManifest manifest, const std::vector<whynot::TensorView>& tensors) {
///         whynot::PackWriter writer(out);
///         writer.add("vocabulary.txt", "good\nbad\n");
///         whynot::write_tensor_file(writer.path("weights.safetensors"), tensors);
///         return writer.finish(std::move(manifest));
///     }
class WHYNOT_API PackWriter {
public:
    /// @param directory the pack to be: not there yet, or a folder that is empty but for the entries named in
    /// `disposable` (checkpoints of the training that ends here), which `finish` removes. Parents are made.
    explicit PackWriter(const std::filesystem::path& directory, const std::vector<std::string>& disposable = {});
    ~PackWriter();
    PackWriter(const PackWriter&) = delete;
    PackWriter& operator=(const PackWriter&) = delete;

    /// Writes one file.
    void add(const std::string& name, std::string_view bytes);

    /// Where to write a file oneself before `finish`; makes its parent folders.
    std::filesystem::path path(const std::string& name);

    /// Fills in `manifest.files` from what was written, writes the manifest, verifies the whole and moves it into place. Once only.
    Pack finish(PackManifest manifest);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The folders that hold packs, each pack a folder directly in one of them; searched in order, the first pack of an id wins.
struct PackSearch {
    std::vector<std::filesystem::path> folders;
};

/// `explicit_folders`, then those of WHYNOT_PACK_PATH (separated by `:`), then share/whynot/packs of the installation (or
/// build tree) that this library belongs to.
WHYNOT_API PackSearch default_pack_search(const std::vector<std::filesystem::path>& explicit_folders = {});

/// One folder that looks like a pack.
struct PackEntry {
    std::filesystem::path directory;
    PackManifest manifest;  ///< empty where it could not be read
    std::string rejected;   ///< why it cannot be chosen by its id: a bad manifest, or the pack that goes before it; empty: it can
};

/// Every folder with a `pack.json`, in search order, within one folder by name. Reads manifests only. Folders of the search that do
/// not exist are passed over.
WHYNOT_API std::vector<PackEntry> list_packs(const PackSearch& search);

/// Finds and opens a pack by its id, or by its folder (anything with a `/` in it, or a folder with a `pack.json` whose name is
/// no id of the search). `not_found` says where it looked and which packs there are.
WHYNOT_API Pack find_pack(const std::string& id_or_directory, const PackSearch& search);

}  // namespace whynot
