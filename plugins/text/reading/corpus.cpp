#include "text/reading/corpus.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "base/format.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "corpora/files.h"
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
        for (LabelledSentence& sentence : parse_lines(text, path, corpus.manifest, file.label)) {
            if (file.split == "dev") {
                dev.push_back(std::move(sentence));
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

Halves language_model_halves(const std::vector<LabelledSentence>& sentences) {
    Halves halves;
    std::unordered_set<std::string> seen;
    for (const LabelledSentence& sentence : sentences) {
        if (!seen.insert(base::joined(sentence.words, " ")).second) continue;
        (bit(sentence_hash(sentence.words), 33) ? halves.yardstick : halves.search).push_back(sentence.words);
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
