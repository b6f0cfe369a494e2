#include "corpora/manifest.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/members.h"
#include "base/sha256.h"
#include "base/text.h"
#include "corpora/content.h"
#include "corpora/files.h"
#include "corpora/images.h"
#include "whynot/error.h"

namespace whynot::corpora {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t max_manifest_bytes = 1 << 20;
constexpr int64_t most = INT64_MAX;

/// corpora/*.json, put here by the build.
constexpr std::string_view built_in[] = {
#include "built_in_corpora.inc"
};

using Splits = std::set<std::string>;
const Splits sentence_splits = {"train", "dev"}, table_splits = {"train", "dev", "all"}, image_splits = {"train", "held_out"};

/// Where a path under a home is to be had: GitHub keeps the files of a repository elsewhere, by revision.
std::string url_of(std::string home, const std::string& revision, const std::string& path) {
    while (!home.empty() && home.back() == '/') home.pop_back();
    if (home.empty()) return "";
    const std::string_view github = "https://github.com/";
    if (home.compare(0, github.size(), github) == 0 && !revision.empty())
        home = "https://raw.githubusercontent.com/" + home.substr(github.size()) + '/' + revision;
    return home + '/' + url_path(path);
}

/// Reads one manifest.
class ManifestReader {
public:
    ManifestReader(std::string_view text, const std::string& where) : begin_("the corpus manifest " + where + " is not as expected") {
        const base::Json json = base::parse_json_object(text, ErrorCode::invalid_input, "the corpus manifest " + where);
        read(Members(json, ErrorCode::invalid_input, begin_));
    }
    CorpusManifest manifest;

private:
    using Members = base::Members;

    [[noreturn]] void bad(const std::string& why) const { throw Error(ErrorCode::invalid_input, begin_ + ": " + why); }

    void read(Members root) {
        if (root.text("schema") != "whynot.corpus/1") root.refuse("schema", "whynot.corpus/1");
        const std::string kind = root.text("kind");
        if (kind == to_string(CorpusKind::labelled_images))
            manifest.kind = CorpusKind::labelled_images;
        else if (kind != to_string(CorpusKind::labelled_sentences))
            root.refuse("kind", "labelled-sentences or labelled-images");
        manifest.name = root.text("name");
        manifest.licence = root.text("licence");
        manifest.title = root.text("title", "");
        manifest.home = root.text("home", "");
        manifest.citation = root.text("citation", "");
        manifest.note = root.text("note", "");
        manifest.classes = root.texts("classes");
        if (manifest.classes.size() < 2) bad("it has fewer than two classes");
        if (Splits(manifest.classes.begin(), manifest.classes.end()).size() < manifest.classes.size()) bad("it names a class twice");
        const bool sentences = manifest.kind == CorpusKind::labelled_sentences;
        if (sentences) manifest.tokenised = root.flag("tokenised");
        manifest.framing = root.text("framing", manifest.framing);
        manifest.light_on_dark = root.flag("light_on_dark", manifest.light_on_dark);
        if (manifest.framing != "plain" && manifest.framing != "digit") root.refuse("framing", "plain or digit");
        for (Members& entry : root.objects("files")) {
            CorpusFile file;
            file.name = entry.text("name");
            if (!stays_inside(file.name)) bad("the file name " + base::in_quotes(file.name) + " leads out of the folder");
            file.sha256 = entry.text("sha256", "");
            file.content_bytes = entry.whole("content_bytes", 0, static_cast<int64_t>(max_content_bytes), -1);
            if (entry.has("source")) read_source(entry.object("source"), root, file.source);
            if (sentences)
                read_sentences(entry, file);
            else
                read_images(entry, file);
            manifest.files.push_back(file);
        }
        if (manifest.files.empty()) bad("it has no files");
        if (!sentences) check_images();
    }

    static void read_source(Members entry, Members& corpus, CorpusSource& source) {
        source.made_from = entry.text("made_from", "");
        source.first_lines = entry.whole("first_lines", 1, most, -1);
        if (!entry.has("path")) return;
        Members& where = entry.has("home") ? entry : corpus;
        source.url = url_of(where.text("home", ""), where.text("revision", ""), entry.text("path"));
    }

    int64_t label_of(const std::string& name, const std::string& what) const {
        const auto label = std::find(manifest.classes.begin(), manifest.classes.end(), name);
        if (label == manifest.classes.end()) bad(what + " is not among the classes");
        return label - manifest.classes.begin();
    }

    /// What a file's name ends with, before .gz.
    static std::string format_of(const std::string& name) {
        const fs::path path(name);
        const std::string end = (path.extension() == ".gz" ? path.stem() : path).extension().string();
        return end.empty() ? end : end.substr(1);
    }

    void read_sentences(Members& entry, CorpusFile& file) const {
        file.split = entry.text("split");
        file.count = entry.whole("lines", 0, most, -1);
        file.content_sha256 = entry.text("text_sha256", "");
        if (entry.has("table")) {
            Members table = entry.object("table");
            file.sentence_table = {table.text("format", format_of(file.name)), table.text("text"), table.text("label")};
            const Splits formats = {"tsv", "csv", "jsonl"};
            if (formats.count(file.sentence_table.format) == 0) table.refuse("format", "tsv, csv or jsonl, or a file name that ends so");
            if (table_splits.count(file.split) == 0) entry.refuse("split", "train, dev or all");
            return;
        }
        file.label = label_of(entry.text("class"), "the class of " + base::in_quotes(file.name));
        if (sentence_splits.count(file.split) == 0) entry.refuse("split", "train or dev");
    }

    void read_images(Members& entry, CorpusFile& file) const {
        const std::string role = entry.text("role");
        file.split = entry.text("split", "");
        file.count = entry.whole("count", 0, most, -1);
        file.content_sha256 = entry.text("content_sha256", "");
        if (!file.split.empty() && image_splits.count(file.split) == 0) entry.refuse("split", "train or held_out");
        if (role == "images") {
            file.role = CorpusFileRole::images;
        } else if (role == "labels") {
            file.role = CorpusFileRole::labels;
        } else if (role == "table") {
            file.role = CorpusFileRole::table;
            read_table(entry, file);
        } else {
            entry.refuse("role", "images, labels or table");
        }
    }

    static std::map<std::string, std::string> texts_by_key(Members object) {
        std::map<std::string, std::string> all;
        for (const auto& [key, value] : object.json().items()) all.emplace(key, object.text(key));
        return all;
    }

    void read_table(Members& entry, CorpusFile& file) const {
        LabelTable& table = file.table;
        Members splits = entry.object("splits");
        table.split_column = splits.text("column");
        table.splits = texts_by_key(splits.object("values"));
        for (const auto& [value, split] : table.splits)
            if (image_splits.count(split) == 0)
                bad("in " + base::in_quotes(file.name) + " " + base::in_quotes(value) + " stands for neither train nor held_out");
        table.conditions.resize(manifest.classes.size());
        Members conditions = entry.object("conditions");
        for (const auto& [name, value] : conditions.json().items())
            table.conditions[static_cast<size_t>(label_of(name, base::in_quotes(name) + " of " + base::in_quotes(file.name)))] =
                texts_by_key(conditions.object(name));
        for (size_t i = 0; i < table.conditions.size(); ++i)
            if (table.conditions[i].empty())
                bad(base::in_quotes(file.name) + " has no conditions for the class " + base::in_quotes(manifest.classes[i]));
    }

    /// Images and labels of each split, or one file of images with a table.
    void check_images() const {
        std::multiset<std::pair<CorpusFileRole, std::string>> found;
        for (const CorpusFile& file : manifest.files) found.insert({file.role, file.split});
        using Role = CorpusFileRole;
        const std::multiset<std::pair<Role, std::string>> apart = {
            {Role::images, "train"}, {Role::labels, "train"}, {Role::images, "held_out"}, {Role::labels, "held_out"}};
        if (found != apart && found != decltype(apart){{Role::images, ""}, {Role::table, ""}})
            bad("expected one file of images and one of labels for each of train and held_out, or one file of images and a table, both "
                "without a split");
    }

    const std::string begin_;  // of every message
};

/// @param kind empty: any
CorpusManifest find(const fs::path& corpora, const std::string& name, const CorpusKind* kind) {
    if (corpora.empty())
        throw Error(ErrorCode::not_found, "no folder of corpora is known; set WHYNOT_CORPORA to the folder that holds " + name);
    std::error_code ignored;
    if (!fs::is_directory(corpora, ignored))
        throw Error(ErrorCode::not_found,
                    "the folder of corpora " + corpora.string() + " does not exist; set WHYNOT_CORPORA to the one that does");
    if (!stays_inside(name) || fs::path(name).has_parent_path())
        throw Error(ErrorCode::not_found,
                    "\"" + name + "\" is no name of a corpus; a folder's name in " + corpora.string() + " was expected");

    const fs::path own = corpora / name / "corpus.json";
    std::string where = own.string();
    CorpusManifest manifest;
    if (fs::exists(own, ignored)) {
        manifest = corpus_manifest_from_json(read_file(own, max_manifest_bytes), where);
        if (manifest.name != name)
            throw Error(ErrorCode::invalid_input,
                        "the manifest " + where + " is of a corpus \"" + manifest.name + "\", \"" + name + "\" was expected");
    } else {
        std::string known;
        for (CorpusManifest& other : built_in_corpora()) {
            if (!kind || other.kind == *kind) known += (known.empty() ? "" : ", ") + other.name;
            if (other.name == name) manifest = std::move(other);
        }
        if (manifest.name.empty()) {
            const char* what = !kind ? "" : *kind == CorpusKind::labelled_sentences ? " of sentences" : " of images";
            throw Error(ErrorCode::not_found, std::string("there is no corpus") + what + " \"" + name + "\": no " + where +
                                                  ", and none of the corpora known here (" + known + ")");
        }
        where = name + ".json";
    }
    if (kind && manifest.kind != *kind)
        throw Error(ErrorCode::invalid_input, "the corpus manifest " + where + " is not as expected: its kind is " +
                                                  to_string(manifest.kind) + ", " + to_string(*kind) + " was expected");
    return manifest;
}

}  // namespace

const char* to_string(CorpusKind kind) noexcept {
    return kind == CorpusKind::labelled_sentences ? "labelled-sentences" : "labelled-images";
}

CorpusManifest corpus_manifest_from_json(std::string_view text, const std::string& where) { return ManifestReader(text, where).manifest; }

CorpusManifest find_corpus(const fs::path& corpora, const std::string& name, CorpusKind kind) { return find(corpora, name, &kind); }

CorpusManifest find_corpus(const fs::path& corpora, const std::string& name) { return find(corpora, name, nullptr); }

std::vector<CorpusManifest> built_in_corpora() {
    std::vector<CorpusManifest> manifests;
    for (const std::string_view text : built_in) manifests.push_back(corpus_manifest_from_json(text, "that is compiled in"));
    return manifests;
}

std::set<std::string> corpus_names(const fs::path& corpora) {
    std::set<std::string> names;
    for (const CorpusManifest& manifest : built_in_corpora()) names.insert(manifest.name);
    std::error_code ignored;
    if (!fs::is_directory(corpora, ignored)) return names;
    for (const fs::directory_entry& entry : fs::directory_iterator(corpora))
        if (fs::exists(entry.path() / "corpus.json", ignored)) names.insert(entry.path().filename().string());
    return names;
}

CorpusManifest known_corpus(const fs::path& corpora, const std::string& name) {
    std::error_code ignored;
    if (!fs::is_directory(corpora, ignored)) {
        for (CorpusManifest& manifest : built_in_corpora())
            if (manifest.name == name) return std::move(manifest);
    }
    return find_corpus(corpora, name);
}

std::vector<std::string> corpus_problems(const fs::path& corpora, const std::string& name) {
    std::vector<std::string> problems;
    const CorpusManifest manifest = find_corpus(corpora, name);
    for (const CorpusFile& file : manifest.files) {
        const fs::path path = corpora / name / file.name;
        try {
            std::string problem = content_problem(read_file(path), file, path);
            if (!problem.empty()) problems.push_back(std::move(problem));
        } catch (const Error& error) {
            problems.push_back(error.what());
        }
    }
    // What no file shows alone: that images and labels belong together.
    if (problems.empty() && manifest.kind == CorpusKind::labelled_images) {
        try {
            read_images(corpora, name);
        } catch (const Error& error) {
            problems.push_back(error.what());
        }
    }
    return problems;
}

std::string corpus_sha256(const fs::path& corpora, const std::string& name) {
    base::Sha256 hash;
    for (const CorpusFile& file : find_corpus(corpora, name).files) hash.update(read_file(corpora / name / file.name));
    return hash.hex();
}

}  // namespace whynot::corpora
