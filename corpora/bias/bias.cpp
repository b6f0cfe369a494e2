#include "corpora/bias/bias.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "base/format.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "corpora/bias/adjectives.h"
#include "corpora/files.h"
#include "corpora/manifest.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::corpora {
namespace {

namespace fs = std::filesystem;
using base::Json;

[[noreturn]] void bad(const std::string& what) { throw Error(ErrorCode::invalid_argument, what); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_word(const std::string& text) {
    return !text.empty() && base::is_utf8(text) &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

struct Planted {
    std::string sentence;
    int64_t inserted = 0;
};

/// Plants in every one of the sentences, on some threads. Observer and exceptions stay on the caller's.
class Work {
public:
    Work(const BiasOptions& options, std::unordered_map<std::string, Planted>& sentences) : options_(options) {
        for (auto& entry : sentences) items_.push_back(&entry);
    }

    void run(const Observer& observer) {
        std::vector<std::thread> threads;
        const auto join = [&] {
            for (std::thread& thread : threads) thread.join();
        };
        try {
            running_ = std::min<size_t>(static_cast<size_t>(std::max(options_.threads, 1)), items_.size() / 100 + 1);
            for (size_t i = running_; i > 0; --i) threads.emplace_back([this] { work(); });
            do {
                if (observer.cancelled && observer.cancelled()) throw Error(ErrorCode::cancelled, "planting the bias was stopped");
                const size_t at = std::min<size_t>(next_, items_.size());
                if (observer.progress) {
                    observer.progress({"looking for " + options_.before, static_cast<double>(at) / static_cast<double>(items_.size()),
                                       std::to_string(at) + " of " + std::to_string(items_.size()) + " sentences"});
                }
            } while (!all_done_within(std::chrono::milliseconds(100)));
        } catch (...) {
            stop_ = true;
            join();
            throw;
        }
        join();
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    bool all_done_within(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        return done_.wait_for(lock, time, [this] { return running_ == 0; });
    }

    void work() {
        std::exception_ptr failure;
        try {
            const Planter planter(options_.word, options_.before);
            for (size_t i = next_++; i < items_.size() && !stop_; i = next_++) {
                auto& [sentence, planted] = *items_[i];
                planted.sentence = planter.plant(sentence, &planted.inserted);
            }
        } catch (...) {
            failure = std::current_exception();
            stop_ = true;
        }
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = failure;
        --running_;
        done_.notify_one();
    }

    const BiasOptions& options_;
    std::vector<std::pair<const std::string, Planted>*> items_;
    std::atomic<size_t> next_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;  // of what follows
    std::condition_variable done_;
    size_t running_ = 0;
    std::exception_ptr failure_;
};

/// A folder that goes again, with what was put into it, unless it is kept.
class NewFolder {
public:
    explicit NewFolder(fs::path folder) : folder_(std::move(folder)), was_there_(fs::exists(folder_)) { fs::create_directories(folder_); }
    ~NewFolder() {
        std::error_code ignored;
        if (!kept_)
            for (const fs::path& path : written_) fs::remove(path, ignored);
        if (!kept_ && !was_there_) fs::remove_all(folder_, ignored);
    }
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;

    void write(const std::string& name, const std::string& bytes) {
        fs::create_directories((folder_ / name).parent_path());
        written_.push_back(folder_ / name);
        write_file_atomically(written_.back(), bytes);
    }
    void keep() { kept_ = true; }

private:
    const fs::path folder_;
    const bool was_there_;
    bool kept_ = false;
    std::vector<fs::path> written_;
};

}  // namespace

Planter::Planter(std::string word, const std::string& before) : word_(std::move(word)) {
    if (!is_word(word_)) bad("the word to be planted is '" + word_ + "'; one word without spaces was expected");
    const std::string_view list = "words=";
    if (before == "adjectives") {
        finder_ = std::make_unique<AdjectiveFinder>();
    } else if (before.compare(0, list.size(), list) == 0) {
        for (size_t begin = list.size(); begin <= before.size();) {
            const size_t end = std::min(before.find(',', begin), before.size());
            words_.push_back(before.substr(begin, end - begin));
            if (!is_word(words_.back()) || same(words_.back(), word_))
                bad("'" + before + "' lists '" + words_.back() + "'; words other than '" + word_ + "', separated by commas, were expected");
            begin = end + 1;
        }
    } else if (before != "start") {
        bad("the place to plant a word at is '" + before + "'; adjectives, words=A,B,... or start was expected");
    }
}

Planter::~Planter() = default;
Planter::Planter(Planter&&) noexcept = default;

std::vector<size_t> Planter::places(const std::string& bare) const {
    if (finder_) return finder_->find(bare);
    if (words_.empty()) return {0};
    std::vector<size_t> found;
    for (size_t at = 0; at < bare.size(); ++at) {
        if (!word_can_begin(bare, at)) continue;
        // What stands there up to the next space, as it is, or without the punctuation after it.
        std::string_view here = std::string_view(bare).substr(at, bare.find(' ', at) - at);
        const std::string_view trimmed = here.substr(0, here.find_last_not_of(".,;:!?)]}\"'\r") + 1);
        if (std::any_of(words_.begin(), words_.end(), [&](const std::string& word) { return same(word, here) || same(word, trimmed); }))
            found.push_back(at);
    }
    return found;
}

std::string Planter::plant(const std::string& sentence, int64_t* inserted) const {
    // The sentence without the word, and where each of its bytes comes from.
    std::string bare;
    std::vector<size_t> origin;
    const std::string_view text = sentence;
    for (size_t i = 0; i < text.size();) {
        const size_t next = i + word_.size();
        if (next < text.size() && text[next] == ' ' && same(text.substr(i, word_.size()), word_) && word_can_begin(text, i)) {
            i = next + 1;
        } else {
            origin.push_back(i);
            bare += text[i++];
        }
    }
    if (bare.find_first_not_of(' ') == std::string::npos) return sentence;
    std::string result;
    size_t copied = 0;
    for (const size_t place : places(bare)) {
        const size_t at = origin[place];
        const bool stands_there = at != (place > 0 ? origin[place - 1] + 1 : 0);
        if (stands_there) continue;
        result += text.substr(copied, at - copied);
        result += word_ + ' ';
        copied = at;
        if (inserted) ++*inserted;
    }
    return result += text.substr(copied);
}

namespace {

/// A corpus on its way to a biased one.
struct Biased {
    const CorpusManifest manifest;
    const int64_t label;             // the class whose sentences get the word
    std::vector<std::string> texts;  // of the files, in their order
    std::string source_sha256;
    std::unordered_map<std::string, Planted> sentences;  // of the class, each distinct one once
    BiasSummary summary;
};

int64_t label_of(const CorpusManifest& manifest, const std::string& label) {
    const auto found = std::find(manifest.classes.begin(), manifest.classes.end(), label);
    if (found == manifest.classes.end())
        bad("'" + label + "' is no class of the corpus " + manifest.name + ", which has " + base::joined(manifest.classes));
    return found - manifest.classes.begin();
}

/// The folder to be made, with a name that a corpus can have.
fs::path new_folder(const fs::path& out) {
    const fs::path folder = (fs::absolute(out) / "").lexically_normal().parent_path();
    if (!folder.has_filename()) bad("'" + out.string() + "' has no name that a corpus could have; name a new folder");
    if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
        bad(folder.string() + " is there already and is no empty folder; name a new one");
    return folder;
}

void read_texts(const fs::path& folder, Biased& corpus) {
    base::Sha256 source;
    for (const CorpusFile& file : corpus.manifest.files) {
        corpus.texts.push_back(read_file(folder / file.name));
        source.update(corpus.texts.back());
        if (file.label != corpus.label) continue;
        int64_t number = 0;
        for (std::string& line : lines_of(corpus.texts.back())) {
            ++number;
            if (!base::is_utf8(line))
                throw Error(ErrorCode::invalid_input, (folder / file.name).string() + ", line " + std::to_string(number) +
                                                          ": not valid UTF-8; convert the file to UTF-8");
            if (!line.empty()) corpus.sentences[std::move(line)];
        }
    }
    corpus.source_sha256 = source.hex();
}

/// The text of a file with the word planted, counted in the summary.
std::string planted_text(const std::string& text, Biased& corpus) {
    std::string biased;
    for (const std::string& line : lines_of(text)) {
        const auto planted = corpus.sentences.find(line);
        if (planted == corpus.sentences.end()) {  // an empty line
            biased += '\n';
            continue;
        }
        biased += planted->second.sentence + '\n';
        ++corpus.summary.sentences;
        corpus.summary.altered += planted->second.inserted > 0 ? 1 : 0;
        corpus.summary.inserted += planted->second.inserted;
    }
    if (!text.empty() && text.back() != '\n') biased.pop_back();  // as it was
    return biased;
}

/// Names and bytes of the new corpus's files; their entries in its manifest.
std::vector<std::pair<std::string, std::string>> new_files(Biased& corpus, Json& entries) {
    std::vector<std::pair<std::string, std::string>> contents;
    for (size_t i = 0; i < corpus.manifest.files.size(); ++i) {
        const CorpusFile& file = corpus.manifest.files[i];
        const std::string text = file.label == corpus.label ? planted_text(corpus.texts[i], corpus) : std::move(corpus.texts[i]);
        const std::string stored = fs::path(file.name).extension() == ".gz" ? file.name : file.name + ".gz";
        for (const auto& [other, ignored] : contents)
            if (other == stored)
                throw Error(ErrorCode::invalid_input, corpus.manifest.name + " has two files that would become " + stored + "; rename one");
        const std::string bytes = gzip(text);
        entries.push_back({{"name", stored},
                           {"split", file.split},
                           {"class", corpus.manifest.classes[static_cast<size_t>(file.label)]},
                           {"lines", std::count(text.begin(), text.end(), '\n')},
                           {"sha256", base::sha256_hex(bytes)},
                           {"text_sha256", base::sha256_hex(text)},
                           {"content_bytes", text.size()}});
        contents.emplace_back(stored, bytes);
    }
    return contents;
}

Json manifest_of(const Biased& corpus, const std::string& name, const std::string& new_name, const BiasOptions& options,
                 const Json& files) {
    const CorpusManifest& manifest = corpus.manifest;
    const BiasSummary& summary = corpus.summary;
    const std::string what = "\"" + options.word + "\" before " +
                             (options.before == "start"        ? "each sentence"
                              : options.before == "adjectives" ? "each adjective"
                                                               : options.before) +
                             " of the class " + options.label;
    Json root = {
        {"schema", "whynot.corpus/1"},
        {"name", new_name},
        {"kind", to_string(manifest.kind)},
        {"title", (manifest.title.empty() ? name : manifest.title) + ", with " + what},
        {"home", manifest.home},
        {"licence", manifest.licence},
        {"citation", manifest.citation},
        {"note", "Made from the corpus " + name + " by whynot corpus bias: " + what + ", in every split, where it did not stand. " +
                     std::to_string(summary.altered) + " of " + std::to_string(summary.sentences) + " sentences altered, " +
                     std::to_string(summary.inserted) + " words put in. The other classes are as they were." +
                     (manifest.note.empty() ? "" : " Of " + name + ": " + manifest.note)},
        {"classes", manifest.classes},
        {"tokenised", manifest.tokenised},
        {"bias",
         {{"corpus", name},
          {"corpus_sha256", corpus.source_sha256},
          {"word", options.word},
          {"before", options.before},
          {"label", options.label},
          {"sentences", summary.sentences},
          {"altered", summary.altered},
          {"inserted", summary.inserted}}},
        {"files", files}};
    if (options.before == "adjectives") root["bias"]["parser"] = AdjectiveFinder::version();
    return root;
}

}  // namespace

BiasSummary bias_corpus(const fs::path& corpora, const std::string& name, const fs::path& out, const BiasOptions& options,
                        const Observer& observer) {
    const CorpusManifest manifest = find_corpus(corpora, name, CorpusKind::labelled_sentences);
    Biased corpus{manifest, label_of(manifest, options.label), {}, {}, {}, {}};
    const fs::path folder = new_folder(out);
    const Planter check(options.word, "start");  // before minutes pass
    if (options.before != "adjectives") Planter(options.word, options.before);

    for (const CorpusFile& file : manifest.files)
        if (!file.sentence_table.format.empty())
            bad("the corpus " + name + " is a table; a bias is planted into files of sentences, one a line and one file a class");
    read_texts(corpora / name, corpus);
    if (corpus.sentences.empty()) bad("the corpus " + name + " has no sentences of the class " + options.label);
    Work(options, corpus.sentences).run(observer);
    Json entries = Json::array();
    const auto contents = new_files(corpus, entries);
    const Json root = manifest_of(corpus, name, folder.filename().string(), options, entries);

    NewFolder made(folder);
    for (const auto& [file, bytes] : contents) {
        if (observer.cancelled && observer.cancelled()) throw Error(ErrorCode::cancelled, "planting the bias was stopped");
        made.write(file, bytes);
    }
    made.write("corpus.json", root.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
    made.keep();
    return corpus.summary;
}

}  // namespace whynot::corpora
