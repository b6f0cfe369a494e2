#pragma once

/// Fetching the files of a corpus from their public homes, or from a mirror.
///
///     Fetcher fetcher;
///     for (const CorpusFile& file : known_corpus(corpora, "yelp").files) {
///         const FetchedFile got = fetcher.fetch(corpora / "yelp", file);
///         std::cout << file.name << ": " << to_string(got.status) << ' ' << got.reason << '\n';
///     }
///
/// What comes is kept as FILE.part. Once all of it is there it is decompressed where it is compressed, cut to `first_lines`, compared with
/// the manifest (format, count, checksum), and only then becomes FILE, compressed or not as the name says. So a FILE is always whole and
/// right, and what was there before stays until then.
///
/// A FILE.part from before is gone on with, where the manifest has a checksum to judge the result by; where that fails, or the server
/// cannot go on in the middle, it starts again. A connection that breaks is taken up again at once, up to five times.
///
/// http, https and file URLs; redirections to http and https. Proxies as libcurl has them from the environment (https_proxy, no_proxy, ...).
///
/// Threads: a fetcher is of one thread at a time. Two processes at the same FILE: the second says so and fails.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "corpora/files.h"
#include "corpora/manifest.h"
#include "whynot/progress.h"

namespace whynot::corpora {

struct FetchOptions {
    /// A mirror, which is asked instead of the homes: a folder or a URL. The file F of the corpus C is looked for there as C/F, which is how
    /// corpora lie in WHYNOT_CORPORA, as F, and under the last part of its own URL, as a browser saves it.
    std::string from;
    std::chrono::seconds patience{30};   ///< how long a server may take to answer, or send less than 100 bytes a second
    uint64_t limit = max_content_bytes;  ///< of a file, as it comes and uncompressed
};

enum class FetchStatus {
    present,  ///< it was there and right
    fetched,
    by_hand,  ///< nobody knows a URL for it: `reason` says what it was made from
    failed,
};

/// "present", "fetched", "by-hand", "failed"
const char* to_string(FetchStatus status) noexcept;

struct FetchedFile {
    FetchStatus status = FetchStatus::failed;
    uint64_t bytes = 0;  ///< that came this time, as they came
    std::string url;     ///< where it came from; of one that failed where it was looked for last
    std::string reason;  ///< a sentence, unless the file is there
};

class Fetcher {
public:
    /// @throws Error invalid_argument when `from` is neither a folder nor a URL
    explicit Fetcher(FetchOptions options = {});
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    /// Sees to it that `file` is there and right in `folder`, that of its corpus, which is made where it is missing. A server that could
    /// not be reached, or said nothing, is not tried again by this fetcher.
    /// @throws Error io when the file cannot be written; cancelled (FILE.part stays)
    FetchedFile fetch(const std::filesystem::path& folder, const CorpusFile& file, const Observer& observer = {});

private:
    struct Connection;
    struct Attempt;

    std::vector<std::string> addresses(const std::filesystem::path& folder, const CorpusFile& file) const;
    Attempt download(const std::string& url, const std::filesystem::path& part, uint64_t most, const Observer& observer);

    const FetchOptions options_;
    std::unique_ptr<Connection> connection_;
    std::map<std::string, std::string> unreachable_;  ///< servers, and why
};

}  // namespace whynot::corpora
