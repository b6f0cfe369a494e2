#pragma once

/// What a corpus is: a manifest, `corpus.json` in the corpus's folder, else the one that this library brings for the name
/// (corpora/*.json of the source tree, compiled in). The format stands in corpora/README.md.
///
///     const CorpusManifest mnist = find_corpus(std::getenv("WHYNOT_CORPORA"), "mnist", CorpusKind::labelled_images);
///     for (const std::string& problem : corpus_problems(std::getenv("WHYNOT_CORPORA"), "mnist")) std::puts(problem.c_str());
///
/// Threads: pure functions.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace whynot::corpora {

enum class CorpusKind { labelled_sentences, labelled_images };

/// "labelled-sentences", "labelled-images", as in a manifest.
const char* to_string(CorpusKind kind) noexcept;

/// What a file of a corpus holds.
enum class CorpusFileRole {
    sentences,  ///< UTF-8, one a line of one class; or a table of sentences and labels
    images,     ///< IDX, idx3 (grey) or idx4 (colour)
    labels,     ///< IDX, idx1: a byte an image, an index into the classes
    table,      ///< CSV: a header, and a line an image
};

/// How a table labels images: by conditions on its columns.
struct LabelTable {
    std::string split_column;
    std::map<std::string, std::string> splits;  ///< from what stands in that column to "train" or "held_out"
    /// Of each class, in their order, what must stand in which columns. A line is of one class at most; one of none is an
    /// unlabelled training image, and left out of held_out.
    std::vector<std::map<std::string, std::string>> conditions;
};

/// How a table holds labelled sentences (sentence_table.h).
struct SentenceTable {
    std::string format;       ///< "tsv", "csv" or "jsonl"; empty: the file is no table
    std::string text, label;  ///< the names of two of its columns
};

/// Where a file can be had.
struct CorpusSource {
    std::string url;           ///< of one that can be downloaded, else empty
    int64_t first_lines = -1;  ///< only so many of its lines belong to the corpus; -1: all
    std::string made_from;     ///< what the file was made from by hand, for people, and how
};

/// One file of a corpus. Checksums are empty and counts -1 where the manifest has none.
struct CorpusFile {
    std::string name;  ///< relative to the corpus's folder
    CorpusFileRole role = CorpusFileRole::sentences;
    std::string
        split;  ///< sentences: "train", "dev", or "all": divided by their hash; images: "train" or "held_out", empty where a table says it of each
    int64_t label = 0;           ///< of sentences; of a table's each row has its own
    int64_t count = -1;          ///< of lines (sentences), rows (a table of sentences), images, labels, or lines below the header (table)
    std::string content_sha256;  ///< of the content, uncompressed
    int64_t content_bytes = -1;  ///< of it: more is neither downloaded nor uncompressed
    std::string sha256;          ///< of the file as it was first had; another compression of the same content will do as well
    CorpusSource source;
    LabelTable table;              ///< of images' labels
    SentenceTable sentence_table;  ///< of sentences
};

/// Labelled sentences and labelled images alike; what only one kind has says so.
struct CorpusManifest {
    CorpusKind kind = CorpusKind::labelled_sentences;
    std::string name, title, home, licence, citation, note;
    std::vector<std::string> classes;
    bool tokenised = true;  ///< of sentences: the lines are words separated by spaces
    std::string framing =
        "plain";  ///< of images: how a person's own picture is made one like theirs, "plain" or "digit" (plugins/image/model/fit.h)
    bool light_on_dark = false;  ///< of images: figures are lighter than their ground
    std::vector<CorpusFile> files;
};

/// Reads the text of a manifest. @param where how messages call it
/// @throws Error invalid_input for what is none
CorpusManifest corpus_manifest_from_json(std::string_view text, const std::string& where);

/// Reads the manifest of a corpus, and nothing else of it.
/// @throws Error not_found when `corpora` is empty (WHYNOT_CORPORA is not set), is no folder, or has no such corpus;
///         invalid_input when the manifest is not as it should be, or of another kind
CorpusManifest find_corpus(const std::filesystem::path& corpora, const std::string& name, CorpusKind kind);

/// The same, whatever its kind.
CorpusManifest find_corpus(const std::filesystem::path& corpora, const std::string& name);

/// The manifests that are compiled in.
std::vector<CorpusManifest> built_in_corpora();

/// The names of the corpora that are compiled in and of those that have a manifest in the folder `corpora`, which may be empty or missing.
std::set<std::string> corpus_names(const std::filesystem::path& corpora);

/// As `find_corpus`, but one that is compiled in is found without a folder `corpora` as well: what can be told of a corpus, or fetched,
/// before any is there.
CorpusManifest known_corpus(const std::filesystem::path& corpora, const std::string& name);

/// What is wrong with a corpus's files, one sentence each: missing, damaged, altered, of the wrong size. Empty: all is as the
/// manifest says. @throws Error as `find_corpus`
std::vector<std::string> corpus_problems(const std::filesystem::path& corpora, const std::string& name);

/// SHA-256 of all files, uncompressed, one after the other in the manifest's order: what a pack records of its corpus.
/// @throws Error as `find_corpus` and `read_file`
std::string corpus_sha256(const std::filesystem::path& corpora, const std::string& name);

}  // namespace whynot::corpora
