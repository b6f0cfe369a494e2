// Fetching corpora, from a server of the test's own on the loopback, and from folders.
#include "corpora/fetch/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/sha256.h"
#include "corpora/http_server.h"
#include "corpora/toy_files.h"
#include "support/temporary_folder.h"

namespace whynot::corpora {
namespace {

namespace fs = std::filesystem;
using test::HttpAnswer;
using test::HttpRequest;
using test::HttpServer;
using test::ranged;
using test::whole;
using test::write;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

class Fetching : public testing::Test {
protected:
    Fetching() {
        setenv("no_proxy", "127.0.0.1", 1);
        for (int i = 0; i < 5000; ++i) text_ += "sentence " + std::to_string(i) + " .\n";
    }

    /// A file with this content, as a manifest describes it.
    static CorpusFile described(const std::string& name, const std::string& content, const std::string& url) {
        CorpusFile file;
        file.name = name;
        file.content_sha256 = base::sha256_hex(content);
        file.source.url = url;
        return file;
    }

    FetchedFile fetch(const CorpusFile& file, const FetchOptions& options = {}, const Observer& observer = {}) const {
        return Fetcher(options).fetch(corpus_, file, observer);
    }

    void expect_fetched(const CorpusFile& file, const FetchOptions& options = {}) const {
        const FetchedFile got = fetch(file, options);
        EXPECT_STREQ(to_string(got.status), "fetched");
        EXPECT_EQ(got.reason, "");
        EXPECT_EQ(read_file(corpus_ / file.name), text_);
        EXPECT_FALSE(fs::exists(part(file)));
    }

    /// @return why
    std::string expect_failed(const CorpusFile& file, const FetchOptions& options = {}) const {
        const FetchedFile got = fetch(file, options);
        EXPECT_STREQ(to_string(got.status), "failed");
        EXPECT_FALSE(fs::exists(part(file)));
        return got.reason;
    }

    fs::path part(const CorpusFile& file) const { return corpus_ / (file.name + ".part"); }

    const TemporaryFolder folder_;
    const fs::path corpus_ = folder_ / "words";
    std::string text_;
};

TEST_F(Fetching, GetsAFileOnce) {
    const HttpServer server([&](const HttpRequest&) { return whole(text_); });
    const CorpusFile file = described("deep/a.txt.gz", text_, server.url("/a.txt"));
    const FetchedFile first = fetch(file);
    EXPECT_STREQ(to_string(first.status), "fetched");
    EXPECT_EQ(first.bytes, text_.size());
    EXPECT_EQ(first.url, server.url("/a.txt"));
    EXPECT_EQ(read_file(corpus_ / "deep/a.txt.gz"), text_) << "compressed, as its name says";

    const FetchedFile second = fetch(file);
    EXPECT_STREQ(to_string(second.status), "present");
    EXPECT_EQ(second.bytes, 0u);
    fs::remove(corpus_ / "deep/a.txt.gz");
    write(corpus_ / "deep/a.txt", text_);
    EXPECT_STREQ(to_string(fetch(file).status), "present") << "a plain X does for X.gz";
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(Fetching, StoresAsTheNameSays) {
    const std::string packed = gzip(text_);
    const HttpServer server([&](const HttpRequest& request) { return whole(request.path == "/packed" ? packed : text_); });
    for (const char* path : {"/packed", "/plain"}) {
        expect_fetched(described("a.gz", text_, server.url(path)));
        EXPECT_EQ(contents(corpus_ / "a.gz"), packed) << path;
        expect_fetched(described("a", text_, server.url(path)));
        EXPECT_EQ(contents(corpus_ / "a"), text_) << path;
        fs::remove_all(corpus_);
    }
}

TEST_F(Fetching, EndsWhereTheManifestSays) {
    // A mirror that sends without end, and one whose few bytes unpack to a hundred times what they should.
    const std::string endless(size_t{20} << 20, 'x'), bomb = gzip(endless);
    const HttpServer server([&](const HttpRequest& request) { return whole(request.path == "/bomb" ? bomb : endless); });
    for (const char* path : {"/endless", "/bomb"}) {
        CorpusFile file = described("a.txt", text_, server.url(path));
        file.content_bytes = static_cast<int64_t>(text_.size());
        const FetchedFile got = fetch(file);
        EXPECT_STREQ(to_string(got.status), "failed") << path;
        EXPECT_THAT(got.reason, AnyOf(HasSubstr("limit"), HasSubstr("larger than"))) << path;
        EXPECT_LT(got.bytes, size_t{1} << 20) << path << " was taken whole";
        EXPECT_FALSE(fs::exists(corpus_ / "a.txt"));
        EXPECT_FALSE(fs::exists(part(file))) << path;
    }
}

TEST_F(Fetching, TakesTheFirstLines) {
    const HttpServer server([&](const HttpRequest&) { return whole(text_ + "one more .\n"); });
    CorpusFile file = described("a.gz", text_, server.url("/"));
    EXPECT_THAT(expect_failed(file), HasSubstr("was altered"));
    file.source.first_lines = file.count = 5000;
    expect_fetched(file);
    fs::remove_all(corpus_);
    file.source.first_lines = file.count = 5001;
    file.content_sha256 = base::sha256_hex(text_ + "one more .\n");
    EXPECT_STREQ(to_string(fetch(file).status), "fetched") << "all that there are";
    fs::remove_all(corpus_);
    file.source.first_lines = 5002;
    file.count = 5002;
    EXPECT_THAT(expect_failed(file), HasSubstr("5001 lines, 5002 were expected"));
}

TEST_F(Fetching, RefusesWhatIsNotAsTheManifestSays) {
    std::string served = "something else\n";
    const HttpServer server([&](const HttpRequest&) { return whole(served); });
    CorpusFile file = described("a.gz", text_, server.url("/"));
    EXPECT_THAT(expect_failed(file), AllOf(HasSubstr(server.url("/")), HasSubstr(file.content_sha256)));
    EXPECT_TRUE(!fs::exists(corpus_) || fs::is_empty(corpus_));

    write(corpus_ / "a.gz", "older");
    std::vector<std::string> said;
    Observer observer;
    observer.log = [&](const std::string& line) { said.push_back(line); };
    EXPECT_STREQ(to_string(fetch(file, {}, observer).status), "failed");
    EXPECT_EQ(contents(corpus_ / "a.gz"), "older") << "what was there stays until there is better";
    EXPECT_THAT(said, testing::ElementsAre(AllOf(HasSubstr("once more"), HasSubstr("a.gz is no gzip file"))));

    served = gzip(text_).substr(0, 1000);
    EXPECT_THAT(expect_failed(file), AllOf(HasSubstr(server.url("/")), HasSubstr("truncated")));
    served = text_;
    expect_fetched(file);

    file = described("images", "", server.url("/"));
    file.content_sha256.clear();
    file.role = CorpusFileRole::images;
    EXPECT_THAT(expect_failed(file), HasSubstr("expected an IDX file"));
}

TEST_F(Fetching, TakesUpAConnectionThatBreaks) {
    const HttpServer server([&](const HttpRequest& request) {
        HttpAnswer answer = ranged(text_, request);
        if (request.begin < 50000) answer.bytes.resize(answer.bytes.find("\r\n\r\n") + 4 + 30000);
        return answer;
    });
    const CorpusFile file = described("a.gz", text_, server.url("/"));
    const FetchedFile got = fetch(file);
    EXPECT_STREQ(to_string(got.status), "fetched") << got.reason;
    EXPECT_EQ(got.bytes, text_.size());
    EXPECT_EQ(read_file(corpus_ / "a.gz"), text_);
    std::vector<size_t> begins;
    for (const HttpRequest& request : server.requests()) begins.push_back(request.begin);
    EXPECT_THAT(begins, testing::ElementsAre(0, 30000, 60000));
}

TEST_F(Fetching, GivesUpAConnectionThatBreaksAlways) {
    const HttpServer server([&](const HttpRequest& request) {
        HttpAnswer answer = ranged(text_, request);
        answer.bytes.resize(answer.bytes.find("\r\n\r\n") + 4 + 10);
        return answer;
    });
    const CorpusFile file = described("a.gz", text_, server.url("/"));
    EXPECT_STREQ(to_string(fetch(file).status), "failed");
    EXPECT_EQ(server.requests().size(), 5u);
    EXPECT_EQ(contents(part(file)), text_.substr(0, 50)) << "for the next time";
}

TEST_F(Fetching, GoesOnWhereItWasStopped) {
    const HttpServer server([&](const HttpRequest& request) {
        HttpAnswer answer = ranged(text_, request);
        if (!request.ranged) {
            answer.bytes.resize(answer.bytes.find("\r\n\r\n") + 4 + 30000);
            answer.hang = true;
        }
        return answer;
    });
    const CorpusFile file = described("a.gz", text_, server.url("/"));
    Observer observer;
    observer.cancelled = [&] { return contents(part(file)).size() == 30000; };
    message_of(ErrorCode::cancelled, [&] { fetch(file, {}, observer); });
    EXPECT_EQ(contents(part(file)), text_.substr(0, 30000));
    EXPECT_FALSE(fs::exists(corpus_ / "a.gz"));

    const FetchedFile got = fetch(file);
    EXPECT_STREQ(to_string(got.status), "fetched") << got.reason;
    EXPECT_EQ(got.bytes, text_.size() - 30000);
    EXPECT_EQ(read_file(corpus_ / "a.gz"), text_);
}

TEST_F(Fetching, StartsAgainWhereItCannotGoOn) {
    const HttpServer knows([&](const HttpRequest& request) { return ranged(text_, request); });
    const HttpServer knows_not([&](const HttpRequest&) { return whole(text_); });
    for (const HttpServer* server : {&knows, &knows_not}) {
        const CorpusFile file = described("a.gz", text_, server->url("/"));
        for (const std::string& before : {text_.substr(0, 1000), "of another file\n" + text_.substr(0, 1000), text_, text_ + "and more"}) {
            write(part(file), before);
            expect_fetched(file);
            fs::remove(corpus_ / "a.gz");
        }
    }
    EXPECT_EQ(knows.requests().size(), 1u + 2 + 1 + 2) << "again only what was wrong";
}

TEST_F(Fetching, DoesNotGoOnWithoutAChecksum) {
    const HttpServer server([&](const HttpRequest& request) { return ranged(text_, request); });
    CorpusFile file = described("a.gz", text_, server.url("/"));
    file.content_sha256.clear();
    write(part(file), "of another file\n");
    expect_fetched(file);
    EXPECT_STREQ(to_string(fetch(file).status), "present");
}

TEST_F(Fetching, SaysWhatTheServerSays) {
    const HttpServer server([](const HttpRequest& request) {
        return test::status(request.path == "/gone" ? "404 Not Found" : "503 Service Unavailable", "", "<html>sorry</html>");
    });
    EXPECT_THAT(expect_failed(described("a", text_, server.url("/gone"))), AllOf(HasSubstr(server.url("/gone")), HasSubstr("answers 404")));
    EXPECT_THAT(expect_failed(described("a", text_, server.url("/busy"))), HasSubstr("answers 503"));
    EXPECT_FALSE(fs::exists(corpus_));
}

TEST_F(Fetching, FollowsRedirectionsToTheWebOnly) {
    write(folder_ / "secret", text_);
    const HttpServer server([&](const HttpRequest& request) {
        if (request.path == "/there") return whole(text_);
        if (request.path == "/round") return test::status("302 Found", "Location: /round\r\n");
        const std::string to = request.path == "/local" ? "file://" + (folder_ / "secret").string() : "/there";
        return test::status("302 Found", "Location: " + to + "\r\n", "moved");
    });
    expect_failed(described("b", text_, server.url("/local")));
    expect_failed(described("b", text_, server.url("/round")));
    expect_failed(described("b", text_, "gopher://127.0.0.1/"));
    expect_fetched(described("a", text_, server.url("/moved")));
}

TEST_F(Fetching, ReportsAServerThatIsNotThere) {
    std::string url;
    {
        const HttpServer server([](const HttpRequest&) { return HttpAnswer{}; });
        url = server.url("/a");
    }
    EXPECT_THAT(expect_failed(described("a", text_, url)), HasSubstr("cannot fetch " + url + ": "));
    FetchOptions mirror;
    mirror.from = url;
    EXPECT_THAT(expect_failed(described("b", text_, url), mirror), HasSubstr("cannot fetch " + url + "/words/b: ")) << "the first place";
}

TEST_F(Fetching, GivesUpAServerThatSaysNothing) {
    const HttpServer server([](const HttpRequest&) { return HttpAnswer{"", true}; });
    FetchOptions options;
    options.patience = std::chrono::seconds(1);
    Fetcher fetcher(options);
    for (const char* name : {"a", "b"}) {
        const FetchedFile got = fetcher.fetch(corpus_, described(name, text_, server.url("/")));
        EXPECT_STREQ(to_string(got.status), "failed");
        EXPECT_THAT(got.reason, HasSubstr(server.url("/")));
    }
    EXPECT_EQ(server.requests().size(), 1u) << "not asked a second time";
}

TEST_F(Fetching, KeepsToItsLimit) {
    const std::string packed = gzip(text_);
    const HttpServer server([&](const HttpRequest& request) { return whole(request.path == "/packed" ? packed : text_); });
    FetchOptions options;
    options.limit = text_.size() - 1;
    for (const char* path : {"/packed", "/plain"})
        EXPECT_THAT(expect_failed(described("a", text_, server.url(path)), options), HasSubstr(std::to_string(options.limit))) << path;
    options.limit = text_.size();
    expect_fetched(described("a", text_, server.url("/plain")), options);
}

TEST_F(Fetching, LeavesToPeopleWhatHasNoUrl) {
    CorpusFile file = described("a", text_, "");
    file.source.made_from = "the moon's own photographs";
    const FetchedFile got = fetch(file);
    EXPECT_STREQ(to_string(got.status), "by-hand");
    EXPECT_THAT(got.reason, HasSubstr("made from the moon's own photographs"));
    file.source.made_from.clear();
    EXPECT_THAT(fetch(file).reason, HasSubstr("does not say"));
    write(corpus_ / "a", text_);
    EXPECT_STREQ(to_string(fetch(file).status), "present");
}

TEST_F(Fetching, FindsItsWayInAMirror) {
    const fs::path mirror = folder_ / "a mirror, 100 %";
    FetchOptions options;
    options.from = mirror.string();
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { Fetcher f(options); }), HasSubstr(options.from));
    fs::create_directories(mirror);
    const CorpusFile file = described("a #1.gz", text_, "http://127.0.0.1:1/home/raw-1.txt");
    EXPECT_THAT(expect_failed(file, options), HasSubstr("no such file"));

    for (const char* place : {"words/a #1.gz", "a #1.gz", "raw-1.txt"}) {
        write(mirror / place, text_);
        expect_fetched(file, options);
        fs::remove_all(corpus_);
        fs::remove(mirror / place);
    }
    write(mirror / "a #1.gz", "of another corpus\n");
    EXPECT_THAT(expect_failed(file, options), HasSubstr("was altered")) << "rather than that it is not anywhere else";
    write(mirror / "raw-1.txt", text_);
    expect_fetched(file, options);

    const HttpServer server(
        [&](const HttpRequest& request) { return request.path == "/m/raw-1.txt" ? whole(text_) : test::status("404 Not Found"); });
    fs::remove_all(corpus_);
    options.from = server.url("/m");
    expect_fetched(file, options);
    EXPECT_EQ(server.requests().at(0).path, "/m/words/a%20%231.gz");
}

TEST_F(Fetching, WritesThroughNoLink) {
    const HttpServer server([&](const HttpRequest& request) { return ranged(text_, request); });
    const CorpusFile file = described("a", text_, server.url("/"));
    write(folder_ / "outside", "mine");
    fs::create_directories(corpus_);
    fs::create_symlink(folder_ / "outside", part(file));
    message_of(ErrorCode::io, [&] { fetch(file); });
    EXPECT_EQ(contents(folder_ / "outside"), "mine");
}

TEST_F(Fetching, TellsHowFarItIs) {
    const HttpServer server([&](const HttpRequest&) { return whole(text_); });
    Observer observer;
    std::vector<double> fractions;
    observer.progress = [&](const Progress& progress) { fractions.push_back(progress.fraction); };
    fetch(described("a", text_, server.url("/")), {}, observer);
    ASSERT_FALSE(fractions.empty());
    EXPECT_THAT(fractions, testing::Each(AllOf(testing::Ge(0.0), testing::Le(1.0))));
    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
}

}  // namespace
}  // namespace whynot::corpora
