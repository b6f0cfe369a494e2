#include "corpora/images.h"

#include <algorithm>

#include "base/hash.h"
#include "base/sha256.h"
#include "corpora/content.h"
#include "corpora/files.h"
#include "whynot/error.h"

namespace whynot::corpora {

namespace {

namespace fs = std::filesystem;

/// A file of the corpus that was read.
struct Content {
    fs::path path;
    std::string bytes;
};

/// Images of which `labels` are filled in later.
LabelledImages images_of(const Content& file) {
    const Idx idx = parse_idx(file.bytes, file.path, 3, 4);
    LabelledImages images;
    images.count = idx.shape[0];
    images.height = idx.shape[1];
    images.width = idx.shape[2];
    images.channels = idx.shape.size() == 4 ? idx.shape[3] : 1;
    if (images.channels != 1 && images.channels != 3)
        bad(file.path, "expected images of 1 or 3 channels (the last size of the IDX header), found " + std::to_string(images.channels));
    images.pixels.assign(idx.bytes.begin(), idx.bytes.end());
    return images;
}

std::vector<int64_t> labels_of(const Content& file, const std::vector<std::string>& classes) {
    const Idx idx = parse_idx(file.bytes, file.path, 1, 1);
    std::vector<int64_t> labels;
    for (const char c : idx.bytes) {
        labels.push_back(static_cast<unsigned char>(c));
        if (labels.back() >= static_cast<int64_t>(classes.size()))
            bad(file.path, "expected labels from 0 to " + std::to_string(classes.size() - 1) + " (" + std::to_string(classes.size()) +
                               " classes), found " + std::to_string(labels.back()) + " for image " + std::to_string(labels.size() - 1) +
                               " (from 0); fetch it again, or list the classes that it has");
    }
    return labels;
}

void require_equal(const Content& images, size_t image_count, const Content& labels, size_t label_count) {
    if (image_count != label_count)
        bad(labels.path, "expected a label for each of the " + std::to_string(image_count) + " images of " +
                             images.path.filename().string() + ", found " + std::to_string(label_count) +
                             "; the two files do not belong together: fetch both again");
}

size_t column_of(const Table& table, const std::string& name, const fs::path& path) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    if (found == table.columns.end()) {
        std::string columns;
        for (const std::string_view column : table.columns) columns += (columns.empty() ? "" : ", ") + std::string(column);
        bad(path, "expected a column \"" + name + "\", found " + columns + "; the manifest names columns as the header does");
    }
    return static_cast<size_t>(found - table.columns.begin());
}

/// Deals the images of one file to train and held_out, as the table says.
void deal(const Content& images_file, const Content& table_file, const LabelTable& rules, ImageCorpus& corpus) {
    const LabelledImages all = images_of(images_file);
    const Table table = parse_table(table_file.bytes, table_file.path);
    require_equal(images_file, static_cast<size_t>(all.count), table_file, table.lines.size());
    const size_t split_column = column_of(table, rules.split_column, table_file.path);
    std::vector<std::vector<std::pair<size_t, std::string>>> conditions;
    for (const auto& condition : rules.conditions) {
        conditions.emplace_back();
        for (const auto& [column, value] : condition) conditions.back().emplace_back(column_of(table, column, table_file.path), value);
    }
    for (LabelledImages* part : {&corpus.train, &corpus.held_out}) {
        part->height = all.height;
        part->width = all.width;
        part->channels = all.channels;
    }
    for (size_t i = 0; i < table.lines.size(); ++i) {
        const auto& line = table.lines[i];
        const std::string where = "image " + std::to_string(i) + " (from 0): ";
        int64_t label = -1;
        for (size_t c = 0; c < conditions.size(); ++c) {
            const bool holds = std::all_of(conditions[c].begin(), conditions[c].end(),
                                           [&](const auto& condition) { return line[condition.first] == condition.second; });
            if (!holds) continue;
            if (label >= 0)
                bad(table_file.path, where + "expected it to be of one class, found it to be of " +
                                         corpus.classes()[static_cast<size_t>(label)] + " and of " + corpus.classes()[c] +
                                         "; the manifest's conditions must exclude one another");
            label = static_cast<int64_t>(c);
        }
        const auto split = rules.splits.find(std::string(line[split_column]));
        if (split == rules.splits.end())
            bad(table_file.path, where + "the manifest does not say what \"" + std::string(line[split_column]) + "\" in the column \"" +
                                     rules.split_column + "\" stands for, train or held_out");
        LabelledImages& part = split->second == "train" ? corpus.train : corpus.held_out;
        if (label < 0 && &part == &corpus.held_out) continue;
        const auto begin = all.pixels.begin() + static_cast<int64_t>(i) * all.image_bytes();
        part.pixels.insert(part.pixels.end(), begin, begin + all.image_bytes());
        part.labels.push_back(label);
        ++part.count;
    }
}

}  // namespace

ImageCorpus read_images(const fs::path& corpora, const std::string& name, const Watch& watch) {
    ImageCorpus corpus;
    corpus.manifest = find_corpus(corpora, name, CorpusKind::labelled_images);
    const std::vector<CorpusFile>& files = corpus.manifest.files;
    base::Sha256 hash;
    std::vector<Content> contents;
    for (const CorpusFile& file : files) {
        contents.push_back({corpora / name / file.name, read_file(corpora / name / file.name, max_content_bytes, watch)});
        constexpr size_t piece = 1 << 20;
        for (std::string_view rest = contents.back().bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
            hash.update(rest.substr(0, piece));
            if (watch) watch();
        }
    }
    corpus.sha256 = hash.hex();

    const auto index_of = [&](CorpusFileRole role, const std::string& split) {
        const auto found =
            std::find_if(files.begin(), files.end(), [&](const CorpusFile& file) { return file.role == role && file.split == split; });
        return static_cast<size_t>(found - files.begin());  // the manifest was checked: it is there
    };
    if (const size_t table = index_of(CorpusFileRole::table, ""); table < files.size()) {
        deal(contents[index_of(CorpusFileRole::images, "")], contents[table], files[table].table, corpus);
    } else {
        for (const auto& [split, part] : {std::pair("train", &corpus.train), std::pair("held_out", &corpus.held_out)}) {
            const Content &images = contents[index_of(CorpusFileRole::images, split)],
                          &labels = contents[index_of(CorpusFileRole::labels, split)];
            *part = images_of(images);
            part->labels = labels_of(labels, corpus.classes());
            require_equal(images, static_cast<size_t>(part->count), labels, part->labels.size());
        }
    }
    const LabelledImages &train = corpus.train, &held_out = corpus.held_out;
    const auto shape = [](const LabelledImages& images) {
        return std::to_string(images.height) + " x " + std::to_string(images.width) + " x " + std::to_string(images.channels);
    };
    if (shape(train) != shape(held_out))
        throw Error(ErrorCode::invalid_input, "the corpus " + name + " in " + corpora.string() + ": expected images of one size, found " +
                                                  shape(train) + " in train and " + shape(held_out) + " in held_out");
    const auto labelled = [](const LabelledImages& images) {
        return std::any_of(images.labels.begin(), images.labels.end(), [](int64_t label) { return label >= 0; });
    };
    for (const auto& [split, part] : {std::pair("train", &train), std::pair("held_out", &held_out)})
        if (!labelled(*part))
            throw Error(ErrorCode::invalid_input,
                        "the corpus " + name + " in " + corpora.string() + " has no labelled image in " + split + "; see its manifest");
    return corpus;
}

uint64_t image_hash(const LabelledImages& images, int64_t index) {
    const auto bytes = static_cast<size_t>(images.image_bytes());
    return base::fnv1a({reinterpret_cast<const char*>(images.pixels.data()) + static_cast<size_t>(index) * bytes, bytes});
}

}  // namespace whynot::corpora
