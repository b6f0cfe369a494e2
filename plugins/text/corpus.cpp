#include "corpus.h"

#include <openssl/evp.h>
#include <unicode/utf8.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <unordered_set>

#include "whynot/error.h"
#include "words.h"

namespace whynot::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// corpora/*.json, put here by the build.
constexpr std::string_view built_in[] = {
#include "built_in_corpora.inc"
};

[[noreturn]] void fail(ErrorCode code, const std::string& message) { throw Error(code, message); }

class Sha256 {
public:
    Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail(ErrorCode::internal, "OpenSSL has no SHA-256");
    }
    void update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
        unsigned size = 0;
        EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += "0123456789abcdef"[digest[i] >> 4];
            text += "0123456789abcdef"[digest[i] & 15];
        }
        return text;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

// --- Manifests -------------------------------------------------------------------------------------------------------

/// A name from outside that will become part of a path: it may not leave its folder.
bool stays_inside(const fs::path& path) {
    return !path.empty() && path.is_relative() &&
           std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part.empty() || part == "." || part == ".."; });
}

CorpusManifest parse_manifest(std::string_view text, const std::string& where) {
    const auto bad = [&](const std::string& why) {
        fail(ErrorCode::invalid_input, "the corpus manifest " + where + " is not as expected: " + why);
    };
    CorpusManifest manifest;
    try {
        const json root = json::parse(text);
        if (root.at("schema") != "whynot.corpus/1") bad("schema is not whynot.corpus/1");
        if (root.at("kind") != "labelled-sentences") bad("kind is not labelled-sentences");
        manifest.name = root.at("name");
        manifest.licence = root.at("licence");
        manifest.title = root.value("title", "");
        manifest.home = root.value("home", "");
        manifest.citation = root.value("citation", "");
        manifest.classes = root.at("classes").get<std::vector<std::string>>();
        manifest.tokenised = root.at("tokenised");
        for (const json& entry : root.at("files")) {
            CorpusFile file;
            file.name = entry.at("name");
            file.split = entry.at("split");
            file.lines = entry.value("lines", int64_t{-1});
            file.text_sha256 = entry.value("text_sha256", "");
            const auto label = std::find(manifest.classes.begin(), manifest.classes.end(), entry.at("class").get<std::string>());
            if (label == manifest.classes.end()) bad("the class of " + file.name + " is not among the classes");
            file.label = label - manifest.classes.begin();
            if (file.split != "train" && file.split != "dev") bad("the split of " + file.name + " is neither train nor dev");
            if (!stays_inside(file.name)) bad("the file name \"" + file.name + "\" leads out of the folder");
            manifest.files.push_back(file);
        }
    } catch (const json::exception& error) {
        bad(error.what());
    }
    if (manifest.classes.size() < 2) bad("it has fewer than two classes");
    if (manifest.files.empty()) bad("it has no files");
    return manifest;
}

// --- Files -----------------------------------------------------------------------------------------------------------

std::string read_plain(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
    if (in.bad() || !in.is_open() || !text) fail(ErrorCode::io, "cannot read " + path.string() + ": " + std::strerror(errno));
    return text.str();
}

std::string read_gzip(const fs::path& path) {
    const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (!file) fail(ErrorCode::io, "cannot read " + path.string() + ": " + std::strerror(errno));
    gzbuffer(file.get(), 1 << 17);
    std::string text;
    std::array<char, 1 << 16> buffer;
    int got = 0;
    while ((got = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0)
        text.append(buffer.data(), static_cast<size_t>(got));
    int status = Z_OK;
    const char* message = gzerror(file.get(), &status);
    if (status != Z_OK || got < 0) {
        fail(ErrorCode::io, path.string() + " is a damaged or truncated gzip file (" + message + "); fetch it again");
    }
    if (gzdirect(file.get()) != 0) fail(ErrorCode::io, path.string() + " is no gzip file although its name ends with .gz; fetch it again");
    return text;
}

/// Of a missing X.gz the plain X is read.
std::string read_file(const fs::path& folder, const CorpusFile& file) {
    const fs::path path = folder / file.name;
    const bool zipped = path.extension() == ".gz";
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return zipped ? read_gzip(path) : read_plain(path);
    fs::path plain = path;
    if (zipped && fs::is_regular_file(plain.replace_extension(), ignored)) return read_plain(plain);
    fail(ErrorCode::not_found, "the corpus file " + path.string() + " is missing" + (zipped ? ", and so is " + plain.string() : "") +
                                   "; corpora/README.md says where it comes from");
}

void require_utf8(std::string_view line, const fs::path& path, size_t number) {
    const auto size = static_cast<int32_t>(line.size());
    for (int32_t i = 0; i < size;) {
        UChar32 c;
        U8_NEXT(line.data(), i, size, c);
        if (c < 0)
            fail(ErrorCode::invalid_input,
                 path.string() + ", line " + std::to_string(number) + ": not valid UTF-8; convert the file to UTF-8");
    }
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

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

bool bit(uint64_t hash, int index) { return (hash >> index & 1) != 0; }

}  // namespace

CorpusManifest find_corpus(const fs::path& corpora, const std::string& name) {
    if (corpora.empty()) fail(ErrorCode::not_found, "no folder of corpora is known; set WHYNOT_CORPORA to the folder that holds " + name);
    std::error_code ignored;
    if (!fs::is_directory(corpora, ignored)) {
        fail(ErrorCode::not_found,
             "the folder of corpora " + corpora.string() + " does not exist; set WHYNOT_CORPORA to the one that does");
    }
    if (!stays_inside(name) || fs::path(name).has_parent_path()) {
        fail(ErrorCode::not_found, "\"" + name + "\" is no name of a corpus; a folder's name in " + corpora.string() + " was expected");
    }
    const fs::path own = corpora / name / "corpus.json";
    CorpusManifest manifest;
    if (fs::exists(own, ignored)) {
        manifest = parse_manifest(read_plain(own), own.string());
    } else {
        std::string known;
        for (const std::string_view text : built_in) {
            const json root = json::parse(text);
            if (root.value("kind", "") != "labelled-sentences") continue;
            if (root.at("name") == name) manifest = parse_manifest(text, name + ".json");
            known += (known.empty() ? "" : ", ") + root.at("name").get<std::string>();
        }
        if (manifest.name.empty()) {
            fail(ErrorCode::not_found, "there is no corpus of sentences \"" + name + "\": no " + own.string() +
                                           ", and none of the corpora known here (" + known + ")");
        }
    }
    if (manifest.name != name) {
        fail(ErrorCode::invalid_input,
             "the manifest " + own.string() + " is of a corpus \"" + manifest.name + "\", \"" + name + "\" was expected");
    }
    return manifest;
}

Corpus read_corpus(const fs::path& corpora, const std::string& name, const CorpusOptions& options) {
    Corpus corpus;
    corpus.manifest = find_corpus(corpora, name);
    std::vector<LabelledSentence> dev;
    std::unordered_set<std::string> seen;
    Sha256 hash;
    for (const CorpusFile& file : corpus.manifest.files) {
        const std::string text = read_file(corpora / name, file);
        hash.update(text);
        for (LabelledSentence& sentence : parse_lines(text, corpora / name / file.name, corpus.manifest, file.label)) {
            if (file.split == "dev") {
                dev.push_back(std::move(sentence));
            } else if (seen.insert(joined(sentence.words)).second || !options.distinct_train) {
                corpus.train.push_back(std::move(sentence));
            }
        }
    }
    corpus.sha256 = hash.hex();
    for (LabelledSentence& sentence : dev) {
        if (!seen.insert(joined(sentence.words)).second) continue;
        (bit(sentence_hash(sentence.words), 32) ? corpus.held_out : corpus.development).push_back(std::move(sentence));
    }
    if (corpus.train.empty())
        fail(ErrorCode::invalid_input, "the corpus " + name + " in " + corpora.string() + " has no training sentence");
    return corpus;
}

std::string corpus_sha256(const fs::path& corpora, const std::string& name) {
    Sha256 hash;
    for (const CorpusFile& file : find_corpus(corpora, name).files) hash.update(read_file(corpora / name, file));
    return hash.hex();
}

std::vector<std::string> corpus_problems(const fs::path& corpora, const std::string& name) {
    std::vector<std::string> problems;
    const CorpusManifest manifest = find_corpus(corpora, name);
    for (const CorpusFile& file : manifest.files) {
        const fs::path path = corpora / name / file.name;
        try {
            const std::string text = read_file(corpora / name, file);
            const int64_t lines = std::count(text.begin(), text.end(), '\n');
            if (file.lines >= 0 && lines != file.lines) {
                problems.push_back(path.string() + " has " + std::to_string(lines) + " lines, " + std::to_string(file.lines) +
                                   " were expected");
            } else if (!file.text_sha256.empty() && sha256(text) != file.text_sha256) {
                problems.push_back(path.string() + " was altered: the SHA-256 of its text is " + sha256(text) + ", " + file.text_sha256 +
                                   " was expected");
            }
        } catch (const Error& error) {
            problems.push_back(error.what());
        }
    }
    return problems;
}

uint64_t sentence_hash(const std::vector<std::string>& words) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : joined(words)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

Halves language_model_halves(const std::vector<LabelledSentence>& sentences) {
    Halves halves;
    std::unordered_set<std::string> seen;
    for (const LabelledSentence& sentence : sentences) {
        if (!seen.insert(joined(sentence.words)).second) continue;
        (bit(sentence_hash(sentence.words), 33) ? halves.yardstick : halves.search).push_back(sentence.words);
    }
    return halves;
}

}  // namespace whynot::text
