#include "corpora/fetch/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <utility>

#include "base/atomic_file.h"
#include "base/file.h"
#include "corpora/content.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/version.h"

namespace whynot::corpora {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int most_connections = 5;  // for one file, when they break

uint64_t size_of(const fs::path& path) {
    std::error_code missing;
    const uint64_t size = fs::file_size(path, missing);
    return missing ? 0 : size;
}

/// FILE.part, which comes into being with the first bytes and is locked from then on.
class Part {
public:
    explicit Part(fs::path path) : path_(std::move(path)) {}
    ~Part() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    void append(std::string_view bytes) {
        if (descriptor_ < 0) open_it();
        base::write_all(descriptor_, bytes, path_);
    }

private:
    void open_it() {
        fs::create_directories(path_.parent_path());
        descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (descriptor_ < 0) throw base::file_error("write", path_, errno);
        if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
            throw Error(ErrorCode::io, "another program is fetching " + path_.string() + " now; wait until it has ended");
    }

    const fs::path path_;
    int descriptor_ = -1;
};

/// What libcurl calls back while it works. Nothing may be thrown through it.
struct Transfer {
    Transfer(const fs::path& path, uint64_t most, const Observer& watching)
        : part(path), begin(size_of(path)), limit(most), observer(watching) {}

    Part part;
    const uint64_t begin, limit;
    const Observer& observer;
    uint64_t received = 0;
    bool too_large = false;
    std::exception_ptr failure;
    Clock::time_point shown{};

    static size_t write(char* bytes, size_t, size_t count, void* self) { return static_cast<Transfer*>(self)->take({bytes, count}); }
    static int progress(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
        return static_cast<Transfer*>(self)->watch(total, now);
    }

private:
    size_t take(std::string_view bytes) {
        too_large = begin + received + bytes.size() > limit;
        if (too_large) return 0;
        try {
            part.append(bytes);
        } catch (...) {
            failure = std::current_exception();
            return 0;
        }
        received += bytes.size();
        return bytes.size();
    }

    int watch(curl_off_t total, curl_off_t now) {
        try {
            if (observer.cancelled && observer.cancelled()) return 1;
            if (!observer.progress || Clock::now() - shown < std::chrono::milliseconds(100)) return 0;
            shown = Clock::now();
            const double before = static_cast<double>(begin), whole = before + static_cast<double>(total);
            const double here = before + static_cast<double>(now);
            std::array<char, 64> text{};
            std::snprintf(text.data(), text.size(), total > 0 ? "%.1f of %.1f MB" : "%.1f MB", here / 1e6, whole / 1e6);
            observer.progress({"fetching", total > 0 ? here / whole : 0, text.data()});
            return 0;
        } catch (...) {
            failure = std::current_exception();
            return 1;
        }
    }
};

std::string server_of(const std::string& url) { return url.substr(0, url.find('/', url.find("://") + 3)); }

bool is_gzip(const fs::path& path) {
    std::array<char, 2> begin{};
    std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
    return begin[0] == '\x1f' && begin[1] == '\x8b';
}

void cut_to_lines(std::string& text, int64_t lines) {
    size_t end = 0;
    for (; lines > 0 && end < text.size(); --lines) end = std::min(text.find('\n', end), text.size() - 1) + 1;
    text.resize(end);
}

/// The most that a source of this file may send, and that it may be uncompressed. Of one that holds more lines than the corpus takes the
/// size is not known; four times the file's is allowed.
uint64_t most_of(const CorpusFile& file, uint64_t limit) {
    constexpr uint64_t header = 1 << 16;  // of a compressed file that did not become smaller
    if (file.content_bytes < 0) return limit;
    const auto content = static_cast<uint64_t>(file.content_bytes);
    return std::min(limit, (file.source.first_lines >= 0 ? 4 * content : content) + header);
}

/// Gives what came its name. @return what is wrong with it otherwise; then it stays where it is
std::string accept(const fs::path& part, const fs::path& path, const CorpusFile& file, const std::string& url, uint64_t limit) {
    std::string content;
    try {
        content = read_content(part, limit);
    } catch (const Error& error) {
        return "what came from " + url + " cannot be used: " + error.what();
    }
    const size_t whole = content.size();
    if (file.source.first_lines >= 0) cut_to_lines(content, file.source.first_lines);
    const std::string problem = content_problem(content, file, url);
    if (!problem.empty()) return problem;

    const bool zipped = path.extension() == ".gz";
    if (content.size() == whole && is_gzip(part) == zipped) {
        base::flush_to_disk(part);
        fs::rename(part, path);
    } else {
        write_file_atomically(path, zipped ? gzip(content) : content);
        fs::remove(part);
    }
    return "";
}

/// What is wrong with a file that is there; whether it is there at all.
std::pair<bool, std::string> state_of(const fs::path& path, const CorpusFile& file) {
    try {
        return {true, content_problem(read_file(path), file, path)};
    } catch (const Error& error) {
        return {error.code() != ErrorCode::not_found, error.what()};
    }
}

}  // namespace

struct Fetcher::Connection {
    Connection() {
        static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
        curl.reset(once == CURLE_OK ? curl_easy_init() : nullptr);
        if (!curl) throw Error(ErrorCode::internal, "libcurl could not start");
    }

    /// Appends what lies at `url` to what is there of it.
    CURLcode perform(const std::string& url, Transfer& transfer, std::chrono::seconds patience) {
        CURL* const it = curl.get();
        const auto seconds = static_cast<long>(patience.count());
        words.fill('\0');
        curl_easy_reset(it);  // options only: connections stay open for the next file
        curl_easy_setopt(it, CURLOPT_URL, url.c_str());
        curl_easy_setopt(it, CURLOPT_PROTOCOLS_STR, "http,https,file");
        curl_easy_setopt(it, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(it, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(it, CURLOPT_MAXREDIRS, 10L);
        curl_easy_setopt(it, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(it, CURLOPT_USERAGENT, "whynot/" WHYNOT_VERSION);
        curl_easy_setopt(it, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.begin));
        curl_easy_setopt(it, CURLOPT_CONNECTTIMEOUT, seconds);
        curl_easy_setopt(it, CURLOPT_LOW_SPEED_LIMIT, 1000L);
        curl_easy_setopt(it, CURLOPT_LOW_SPEED_TIME, seconds);
        curl_easy_setopt(it, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(it, CURLOPT_ERRORBUFFER, words.data());
        curl_easy_setopt(it, CURLOPT_WRITEFUNCTION, &Transfer::write);
        curl_easy_setopt(it, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(it, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(it, CURLOPT_XFERINFOFUNCTION, &Transfer::progress);
        curl_easy_setopt(it, CURLOPT_XFERINFODATA, &transfer);
        return curl_easy_perform(it);
    }

    long response() const {
        long code = 0;
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &code);
        return code;
    }

    struct Delete {
        void operator()(CURL* it) const { curl_easy_cleanup(it); }
    };
    std::unique_ptr<CURL, Delete> curl;
    std::array<char, CURL_ERROR_SIZE> words{};
};

/// How the download of one URL ended.
struct Fetcher::Attempt {
    bool complete = false, missing = false;
    uint64_t bytes = 0;
    std::string reason;
};

const char* to_string(FetchStatus status) noexcept {
    switch (status) {
        case FetchStatus::present: return "present";
        case FetchStatus::fetched: return "fetched";
        case FetchStatus::by_hand: return "by-hand";
        case FetchStatus::failed: return "failed";
    }
    return "";
}

Fetcher::Fetcher(FetchOptions options) : options_(std::move(options)), connection_(std::make_unique<Connection>()) {
    std::error_code ignored;
    if (!options_.from.empty() && options_.from.find("://") == std::string::npos && !fs::is_directory(options_.from, ignored)) {
        throw Error(ErrorCode::invalid_argument,
                    "the mirror '" + options_.from + "' is not there; a folder with the files, or a URL (https://...), was expected");
    }
}

Fetcher::~Fetcher() = default;

std::vector<std::string> Fetcher::addresses(const fs::path& folder, const CorpusFile& file) const {
    const std::string& home = file.source.url;
    if (options_.from.empty()) return home.empty() ? std::vector<std::string>{} : std::vector<std::string>{home};
    std::string base = options_.from;
    if (base.find("://") == std::string::npos) base = "file://" + url_path(fs::absolute(base).string());
    if (base.back() != '/') base += '/';
    std::vector<std::string> found{base + url_path((folder.filename() / file.name).string()), base + url_path(file.name)};
    const std::string saved = base + home.substr(home.rfind('/') + 1);
    if (!home.empty() && saved != found.back()) found.push_back(saved);
    return found;
}

Fetcher::Attempt Fetcher::download(const std::string& url, const fs::path& part, uint64_t most, const Observer& observer) {
    Attempt attempt;
    const std::string server = server_of(url);
    const auto because = [&](const std::string& words) {
        attempt.reason = "cannot fetch " + url + ": " + words;
        return attempt;
    };
    if (const auto known = unreachable_.find(server); known != unreachable_.end()) return because(known->second);
    for (int connections = 1;; ++connections) {
        Transfer transfer(part, most, observer);
        const CURLcode code = connection_->perform(url, transfer, options_.patience);
        attempt.bytes += transfer.received;
        if (transfer.failure) std::rethrow_exception(transfer.failure);
        const std::string words = connection_->words[0] ? connection_->words.data() : curl_easy_strerror(code);
        switch (code) {
            case CURLE_OK: attempt.complete = true; return attempt;
            case CURLE_ABORTED_BY_CALLBACK: throw Error(ErrorCode::cancelled, "fetching was stopped; the next time goes on");
            case CURLE_WRITE_ERROR:
                if (!transfer.too_large) return because(words);
                fs::remove(part);
                return because("it is larger than " + std::to_string(most) + " bytes, more than the file can have");
            case CURLE_RANGE_ERROR:
            case CURLE_BAD_DOWNLOAD_RESUME:  // the server cannot go on in the middle, or there is less than we have
                fs::remove(part);
                if (connections < most_connections) continue;
                return because(words);
            case CURLE_PARTIAL_FILE:
            case CURLE_RECV_ERROR:
            case CURLE_HTTP2:
            case CURLE_HTTP2_STREAM:
                if (transfer.received > 0 && connections < most_connections) continue;
                return because(words);
            case CURLE_FILE_COULDNT_READ_FILE: attempt.missing = true; return because("there is no such file");
            case CURLE_HTTP_RETURNED_ERROR:
                // "Range not satisfiable": there is no more than we have.
                if (connection_->response() == 416 && transfer.begin > 0) {
                    attempt.complete = true;
                    return attempt;
                }
                attempt.missing = connection_->response() == 404;
                return because("the server answers " + std::to_string(connection_->response()));
            case CURLE_COULDNT_RESOLVE_HOST:
            case CURLE_COULDNT_RESOLVE_PROXY:
            case CURLE_COULDNT_CONNECT: unreachable_[server] = words; return because(words);
            case CURLE_OPERATION_TIMEDOUT:
                if (transfer.received == 0) unreachable_[server] = words;
                return because(words);
            default: return because(words);
        }
    }
}

FetchedFile Fetcher::fetch(const fs::path& folder, const CorpusFile& file, const Observer& observer) {
    FetchedFile result;
    const fs::path path = folder / file.name, part = path.string() + ".part";
    const auto [there, problem] = state_of(path, file);
    if (problem.empty()) {
        result.status = FetchStatus::present;
        return result;
    }
    if (there && observer.log) observer.log("fetching once more: " + problem);

    const uint64_t most = most_of(file, options_.limit);
    const std::vector<std::string> urls = addresses(folder, file);
    if (urls.empty()) {
        result.status = FetchStatus::by_hand;
        result.reason = file.source.made_from.empty() ? "its manifest does not say where it can be had"
                                                      : "it cannot be downloaded; it was made from " + file.source.made_from;
        return result;
    }
    if (file.content_sha256.empty()) fs::remove(part);  // nothing could tell whether its two halves belong together
    for (const std::string& url : urls) {
        // What was there before may be of another source: then, and only then, it is worth a second time.
        for (bool resumed = size_of(part) > 0, again = true; again; resumed = false) {
            const Attempt attempt = download(url, part, most, observer);
            result.bytes += attempt.bytes;
            std::string reason = attempt.reason;
            if (attempt.complete) {
                reason = accept(part, path, file, url, most);
                if (reason.empty()) {
                    result.status = FetchStatus::fetched;
                    result.url = url;
                    result.reason.clear();
                    return result;
                }
                fs::remove(part);
            }
            again = attempt.complete && resumed;
            // Of several places the one where there was something says most.
            if (!again && (result.reason.empty() || !attempt.missing)) {
                result.url = url;
                result.reason = reason;
            }
        }
        if (unreachable_.count(server_of(url)) > 0) break;
    }
    return result;
}

}  // namespace whynot::corpora
