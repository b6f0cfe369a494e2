#include "text/reading/corpus.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include "base/format.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "corpora/files.h"
#include "corpora/sentence_table.h"
#include "text/reading/words.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

namespace fs = std::filesystem;
using corpora::CorpusFile;
using corpora::CorpusKind;

[[noreturn]] void fail(ErrorCode code, const std::string& message) { throw Error(code, message); }

void require_utf8(std::string_view line, const fs::path& path, size_t number) {
    if (!base::is_utf8(line))
        fail(ErrorCode::invalid_input, path.string() + ", line " + std::to_string(number) + ": not valid UTF-8; convert the file to UTF-8");
}

std::vector<std::string> words_of(std::string_view line, bool tokenised) {
    std::vector<std::string> words;
    if (!tokenised) return texts(split_words(line));
    for (size_t begin = 0; begin < line.size();) {
        const size_t end = std::min(line.find(' ', begin), line.size());
        if (end > begin) words.emplace_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

std::vector<LabelledSentence> parse_lines(std::string_view text, const fs::path& path, const CorpusManifest& manifest, int64_t label) {
    std::vector<LabelledSentence> sentences;
    size_t number = 0;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        if (line.empty()) continue;
        if (line.size() > max_text_bytes) {
            fail(ErrorCode::invalid_input, path.string() + ", line " + std::to_string(number) + ": " + std::to_string(line.size()) +
                                               " bytes, the limit is " + std::to_string(max_text_bytes));
        }
        require_utf8(line, path, number);
        try {
            sentences.push_back({words_of(line, manifest.tokenised), label});
        } catch (const Error& error) {
            fail(error.code(), path.string() + ", line " + std::to_string(number) + ": " + error.what());
        }
    }
    return sentences;
}

/// The rows of a table. A text of blanks, or of nothing that is a word, is passed over.
std::vector<LabelledSentence> parse_table(std::string_view text, const fs::path& path, const CorpusManifest& manifest,
                                          const CorpusFile& file) {
    std::map<std::string, int64_t> labels;
    for (const std::string& name : manifest.classes) labels.emplace(name, static_cast<int64_t>(labels.size()));
    std::vector<LabelledSentence> sentences;
    for (const corpora::LabelledText& row : corpora::parse_sentence_table(text, file.sentence_table, path)) {
        const auto where = [&] { return path.string() + ", line " + std::to_string(row.line) + ": "; };
        if (row.text.size() > max_text_bytes)
            fail(ErrorCode::invalid_input,
                 where() + "a text of " + std::to_string(row.text.size()) + " bytes, the limit is " + std::to_string(max_text_bytes));
        require_utf8(row.text, path, static_cast<size_t>(row.line));
        const auto label = labels.find(row.label);
        if (label == labels.end())
            fail(ErrorCode::invalid_input,
                 where() + "the label " + base::in_quotes(row.label) + " is not among the classes of the corpus's manifest");
        std::vector<std::string> words;
        try {
            words = words_of(row.text, manifest.tokenised);
        } catch (const Error&) {
            continue;
        }
        if (!words.empty()) sentences.push_back({std::move(words), label->second});
    }
    return sentences;
}

/// Of sentences that no file divides, one in sixteen is for development, and one in sixteen held out.
std::string split_of(const LabelledSentence& sentence) {
    const uint64_t part = sentence_hash(sentence.words) >> 34 & 15;
    return part == 0 ? "held out" : part == 1 ? "development" : "train";
}

bool bit(uint64_t hash, int index) { return (hash >> index & 1) != 0; }

}  // namespace

CorpusManifest find_corpus(const fs::path& corpora, const std::string& name) {
    return corpora::find_corpus(corpora, name, CorpusKind::labelled_sentences);
}

Corpus read_corpus(const fs::path& corpora, const std::string& name, const CorpusOptions& options) {
    Corpus corpus;
    corpus.manifest = find_corpus(corpora, name);
    std::vector<LabelledSentence> dev;
    std::unordered_set<std::string> seen;
    base::Sha256 hash;
    for (const CorpusFile& file : corpus.manifest.files) {
        const fs::path path = corpora / name / file.name;
        const std::string text = corpora::read_file(path);
        hash.update(text);
        for (LabelledSentence& sentence : file.sentence_table.format.empty() ? parse_lines(text, path, corpus.manifest, file.label)
                                                                             : parse_table(text, path, corpus.manifest, file)) {
            const std::string split = file.split == "all" ? split_of(sentence) : file.split;
            if (split == "dev") {
                dev.push_back(std::move(sentence));
            } else if (split != "train") {
                if (seen.insert(base::joined(sentence.words, " ")).second)
                    (split == "held out" ? corpus.held_out : corpus.development).push_back(std::move(sentence));
            } else if (seen.insert(base::joined(sentence.words, " ")).second || !options.distinct_train) {
                corpus.train.push_back(std::move(sentence));
            }
        }
    }
    corpus.sha256 = hash.hex();
    for (LabelledSentence& sentence : dev) {
        if (!seen.insert(base::joined(sentence.words, " ")).second) continue;
        (bit(sentence_hash(sentence.words), 32) ? corpus.held_out : corpus.development).push_back(std::move(sentence));
    }
    if (corpus.train.empty())
        fail(ErrorCode::invalid_input, "the corpus " + name + " in " + corpora.string() + " has no training sentence");
    return corpus;
}

uint64_t sentence_hash(const std::vector<std::string>& words) { return base::fnv1a(base::joined(words, " ")); }

bool is_search_half(const std::vector<std::string>& words) { return !bit(sentence_hash(words), 33); }

Halves language_model_halves(const std::vector<LabelledSentence>& sentences) {
    Halves halves;
    std::unordered_set<std::string> seen;
    for (const LabelledSentence& sentence : sentences) {
        if (!seen.insert(base::joined(sentence.words, " ")).second) continue;
        (is_search_half(sentence.words) ? halves.search : halves.yardstick).push_back(sentence.words);
    }
    return halves;
}

std::vector<const LabelledSentence*> in_order_of_hash(const std::vector<LabelledSentence>& sentences) {
    std::vector<const LabelledSentence*> order;
    for (const LabelledSentence& sentence : sentences) order.push_back(&sentence);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return sentence_hash(a->words) < sentence_hash(b->words); });
    return order;
}

}  // namespace whynot::text
