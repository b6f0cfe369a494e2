#include "text/services/given_sentences.h"

#include <sstream>
#include <unordered_set>
#include <utility>

#include "base/format.h"
#include "base/sha256.h"
#include "corpora/files.h"
#include "text/reading/words.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// Adds one text: a text longer than a generator says is cut behind its sentences.
void add_text(const std::vector<std::string>& words, int64_t label, size_t longest, std::unordered_set<uint64_t>& seen,
              GivenSentences& given) {
    const auto add = [&](std::vector<std::string> sentence) {
        if (sentence.size() > longest) ++given.refused;
        if (sentence.empty() || sentence.size() > longest || !seen.insert(sentence_hash(sentence)).second) return;
        if (sentence_hash(sentence) % 50 == 0)  // every fiftieth by its hash is kept for measuring
            given.development.push_back(std::move(sentence));
        else
            given.train.push_back({std::move(sentence), label});
    };
    if (words.size() <= longest) {
        add(words);
        return;
    }
    std::vector<std::string> sentence;
    for (const std::string& word : words) {
        sentence.push_back(word);
        if (word == "." || word == "!" || word == "?" || word == "...") add(std::exchange(sentence, {}));
    }
    add(std::move(sentence));
}

}  // namespace

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    if (std::filesystem::is_directory(file))
        throw Error(ErrorCode::invalid_input, file.filename().string() + ": expected a file of text, found a folder");
    std::istringstream content(corpora::read_content(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(content, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(line);
    }
    return lines;
}

GivenSentences read_sentences(const GeneratorRequest& request, int64_t longest) {
    GivenSentences given;
    std::unordered_set<uint64_t> seen;
    base::Sha256 hash;
    const auto most = static_cast<size_t>(longest);
    if (request.corpora.empty()) {
        given.name = request.data.filename().string();
        for (const std::string& line : lines_of(request.data)) {
            hash.update(line + '\n');
            if (line.find_first_not_of(" \t") == std::string::npos) continue;
            try {
                add_text(texts(split_words(line)), 0, most, seen, given);
            } catch (const Error&) {
                ++given.refused;
            }
        }
    }
    std::vector<std::string> licences;
    for (size_t c = 0; c < request.corpora.size(); ++c) {
        const std::string& name = request.corpora[c];
        const Corpus corpus = read_corpus(request.corpora_folder, name);
        hash.update(corpus.sha256);
        licences.push_back(name + ": " + corpus.manifest.licence);
        for (const LabelledSentence& sentence : corpus.train) add_text(sentence.words, static_cast<int64_t>(c), most, seen, given);
    }
    if (!request.corpora.empty()) given.name = base::joined(request.corpora, ",");
    given.licence = base::joined(licences, "; ");
    given.sha256 = hash.hex();
    return given;
}

}  // namespace whynot::text
