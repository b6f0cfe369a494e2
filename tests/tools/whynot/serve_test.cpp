// `whynot serve` without its models: who may ask, what a job is, how jobs come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "serve/api.h"
#include "serve/guard.h"
#include "serve/jobs.h"
#include "serve/request.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::cli;
using testing::HasSubstr;

HttpRequest request_to(const std::string& host, const std::string& token = "") {
    HttpRequest request{"GET", "/api/packs", {}, {{"host", host}}, ""};
    if (!token.empty()) request.headers.emplace_back("authorization", "Bearer " + token);
    return request;
}

int status_of(Guard& guard, const HttpRequest& request) {
    const auto refused = guard.check(request);
    return refused ? refused->status : 200;
}

TEST(Guard, AnswersToItsOwnNamesOnly) {
    Guard guard(8741);
    for (const char* host : {"localhost:8741", "localhost.:8741", "127.0.0.1:8741", "[::1]:8741"})
        EXPECT_EQ(status_of(guard, request_to(host, guard.token())), 200) << host;
    for (const char* host :
         {"evil.test:8741", "localhost.evil.com:8741", "127.0.0.1.nip.io:8741", "localhost", "127.0.0.1:80", "localhost:87410",
          "127.0.0.1:8741.evil.com", "", "LOCALHOST@evil.test:8741", "0.0.0.0:8741", "127.0.0.1:8741@evil.test"})
        EXPECT_EQ(status_of(guard, request_to(host, guard.token())), 403) << host;
    HttpRequest none = request_to("localhost:8741", guard.token()), two = none;
    none.headers.erase(none.headers.begin());
    two.headers.emplace_back("host", "localhost:8741");
    EXPECT_EQ(status_of(guard, none), 400);
    EXPECT_EQ(status_of(guard, two), 400);
}

TEST(Guard, RefusesPagesOfOtherSites) {
    Guard guard(8741);
    const auto with = [&](const std::string& name, const std::string& value) {
        HttpRequest request = request_to("localhost:8741", guard.token());
        request.headers.emplace_back(name, value);
        return status_of(guard, request);
    };
    for (const char* origin :
         {"null", "http://evil.test", "http://localhost:9000", "https://localhost:8741", "http://localhost:8741.evil.test", ""})
        EXPECT_EQ(with("origin", origin), 403) << origin;
    EXPECT_EQ(with("origin", "http://127.0.0.1:8741"), 200);
    EXPECT_EQ(with("sec-fetch-site", "cross-site"), 403);
    EXPECT_EQ(with("sec-fetch-site", "same-site"), 403);
    EXPECT_EQ(with("sec-fetch-site", "same-origin"), 200);
    EXPECT_EQ(with("sec-fetch-site", "none"), 200);
}

TEST(Guard, WantsItsToken) {
    Guard guard(8741);
    EXPECT_EQ(guard.token().size(), 48U);
    EXPECT_NE(guard.token(), Guard(8741).token());
    EXPECT_EQ(status_of(guard, request_to("localhost:8741")), 401);
    EXPECT_EQ(status_of(guard, request_to("localhost:8741", guard.token() + "0")), 401);
    std::string wrong = guard.token();
    wrong[5] = wrong[5] == '0' ? '1' : '0';
    EXPECT_EQ(status_of(guard, request_to("localhost:8741", wrong)), 401);
    HttpRequest cookie = request_to("localhost:8741");
    cookie.headers.emplace_back("cookie", "other=1; whynot-8741=" + guard.token() + "; more=2");
    EXPECT_EQ(status_of(guard, cookie), 200);
    cookie.headers.back().second = "xwhynot-8741=" + guard.token();
    EXPECT_EQ(status_of(guard, cookie), 401);
    // A token in the address is for the first page alone.
    HttpRequest by_address = request_to("localhost:8741");
    by_address.query["token"] = guard.token();
    EXPECT_EQ(status_of(guard, by_address), 401);
}

TEST(Guard, TradesTheTokenOfAnAddressForACookie) {
    Guard guard(8741);
    HttpRequest first{"GET", "/", {{"token", guard.token()}}, {{"host", "127.0.0.1:8741"}}, ""};
    const auto entered = guard.check(first);
    ASSERT_TRUE(entered);
    EXPECT_EQ(entered->status, 303);
    std::string cookie;
    for (const auto& [name, value] : entered->headers)
        if (name == "Set-Cookie") cookie = value;
    EXPECT_THAT(cookie, HasSubstr("HttpOnly"));
    EXPECT_THAT(cookie, HasSubstr("SameSite=Strict"));
    first.query["token"] = "0";
    EXPECT_EQ(status_of(guard, first), 401);
}

TEST(Guard, LetsATicketInOnce) {
    Guard guard(8741);
    HttpRequest first{"GET", "/", {{"ticket", guard.ticket()}}, {{"host", "127.0.0.1:8741"}}, ""};
    EXPECT_EQ(status_of(guard, first), 303);
    EXPECT_EQ(status_of(guard, first), 401);
    first.query["ticket"] = "";
    EXPECT_EQ(status_of(guard, first), 401);
}

/// Answers when it is told to.
class SlowAsker : public Asker {
public:
    AskResult ask(const AskRequest& request, const Watch& watch) override {
        ++asked;
        while (hold) {
            if (!watch({AskProgress::Stage::search, 0, 1})) throw Error(ErrorCode::cancelled, "cancelled");
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        if (request.seed == 13) throw Error(ErrorCode::bad_pack, "thirteen");
        AskResult result;
        result.classifications.emplace_back().predicted = std::to_string(request.seed);
        return result;
    }
    std::vector<std::string> open() const override { return {"toy"}; }

    std::atomic<bool> hold{false};
    std::atomic<int> asked{0};
};

/// Jobs with such an asker.
class JobsTest : public testing::Test {
protected:
    Jobs& jobs(const JobLimits& limits = {}) {
        jobs_ = std::make_unique<Jobs>(
            limits,
            [this] {
                auto made = std::make_unique<SlowAsker>();
                made->hold = hold_.load();
                asker_ = made.get();
                return made;
            },
            [](const AskResult& result) { return "\"said\":\"" + result.classifications.at(0).predicted + "\""; });
        return *jobs_;
    }

    static AskRequest asking(uint64_t seed) {
        AskRequest request;
        request.seed = seed;
        return request;
    }

    JobView ended(const std::string& id) {
        std::promise<void> done;
        jobs_->when_ended(id, [&] { done.set_value(); });
        done.get_future().wait();
        return jobs_->look(id).value();
    }

    void until_under_way(const std::string& id) {
        while (jobs_->look(id).value().state != JobView::State::working) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

    std::atomic<bool> hold_{false};
    std::atomic<SlowAsker*> asker_{nullptr};
    std::unique_ptr<Jobs> jobs_;
};

TEST_F(JobsTest, AreAnsweredInOrder) {
    jobs();
    const std::string first = jobs_->add(asking(1)), second = jobs_->add(asking(2));
    EXPECT_EQ(*ended(second).written, "\"said\":\"2\"");
    EXPECT_EQ(*ended(first).written, "\"said\":\"1\"");
    EXPECT_EQ(jobs_->open(), std::vector<std::string>{"toy"});
}

TEST_F(JobsTest, OneThatFailsSaysWhyAndTakesNoneWithIt) {
    jobs();
    const std::string bad = jobs_->add(asking(13)), good = jobs_->add(asking(1));
    EXPECT_EQ(ended(good).state, JobView::State::done);
    EXPECT_EQ(ended(bad).state, JobView::State::failed);
    EXPECT_EQ(jobs_->look(bad)->error, "thirteen");
    EXPECT_EQ(jobs_->look(bad)->error_code, "bad-pack");
}

TEST_F(JobsTest, CanBeCancelledWhileTheyWaitAndWhileTheyWork) {
    hold_ = true;
    jobs();
    const std::string working = jobs_->add(asking(1)), waiting = jobs_->add(asking(2));
    until_under_way(working);
    EXPECT_EQ(jobs_->look(waiting)->ahead, 0U);
    EXPECT_TRUE(jobs_->cancel(waiting));
    EXPECT_EQ(ended(waiting).state, JobView::State::cancelled);
    EXPECT_TRUE(jobs_->cancel(working));
    EXPECT_EQ(ended(working).state, JobView::State::cancelled);
    EXPECT_EQ(asker_.load()->asked, 1);
    EXPECT_FALSE(jobs_->cancel("nothing"));
}

TEST_F(JobsTest, TooManyAreTurnedAway) {
    hold_ = true;
    JobLimits limits;
    limits.waiting = 2;
    jobs(limits);
    until_under_way(jobs_->add(asking(1)));
    EXPECT_NE(jobs_->add(asking(2)), "");
    EXPECT_NE(jobs_->add(asking(3)), "");
    EXPECT_EQ(jobs_->add(asking(4)), "");
}

TEST_F(JobsTest, NobodyAsksAboutAreCancelled) {
    hold_ = true;
    JobLimits limits;
    limits.lease = 0;
    jobs(limits);
    const std::string id = jobs_->add(asking(1)), held = jobs_->add(asking(2));
    until_under_way(id);
    jobs_->hold(held, 1000);
    jobs_->tidy();
    EXPECT_EQ(ended(id).state, JobView::State::cancelled);
    jobs_->tidy();
    EXPECT_FALSE(jobs_->look(held)->has_ended());
    asker_.load()->hold = false;
    EXPECT_EQ(ended(held).state, JobView::State::done);
}

TEST_F(JobsTest, OldOnesAreForgotten) {
    JobLimits limits;
    limits.kept = 3;
    jobs(limits);
    std::vector<std::string> ids;
    for (uint64_t i = 20; i < 30; ++i) {
        ids.push_back(jobs_->add(asking(i)));
        ended(ids.back());
    }
    EXPECT_FALSE(jobs_->look(ids.front()));
    EXPECT_TRUE(jobs_->look(ids.back()));
    EXPECT_TRUE(jobs_->look(ids[7]));
    EXPECT_FALSE(jobs_->look(ids[6]));
}

TEST_F(JobsTest, EndWithTheirOwner) {
    hold_ = true;
    jobs();
    until_under_way(jobs_->add(asking(1)));
    jobs_->add(asking(2));
    jobs_.reset();  // returns, though nothing lets them go on
}

/// The packs that are built.
class RequestTest : public testing::Test {
protected:
    AskRequest read(const std::string& body) { return request_from_json(body, packs_); }
    std::string refusal(const std::string& body) {
        try {
            read(body);
        } catch (const Error& error) {
            EXPECT_THAT((std::vector<ErrorCode>{ErrorCode::invalid_argument, ErrorCode::not_found}), testing::Contains(error.code()));
            return error.what();
        }
        return "none";
    }
    const Host host_;
    const KnownPacks packs_{host_, {}};
};

TEST_F(RequestTest, TakesWhatTheDocumentationSays) {
    const AskRequest request = read(
        R"({"do":"explain","pack":"yelp","inputs":["a",{"text":"b","foil":"positive","id":"7"}],"fact":"","keep":["x"],"confidence":0.9,"answers":2,)"
        R"("decode":"audit","seed":3,"method":"","frames":false})");
    EXPECT_EQ(request.inputs.size(), 2U);
    EXPECT_EQ(request.questions[0].foil, "");
    EXPECT_EQ(request.questions[1].foil, "positive");
    EXPECT_EQ(request.questions[1].id, "7");
    EXPECT_EQ(request.keep, std::vector<std::string>{"x"});
    EXPECT_EQ(request.confidence, 0.9);
    EXPECT_EQ(request.seed, 3U);
    EXPECT_FALSE(request.frames);
    EXPECT_EQ(read(R"({"inputs":["a"]})").pack, packs_.find("yelp").folder);
    EXPECT_EQ(read(R"({"inputs":[{"image_base64":"AAAA"}]})").pack, packs_.find("mnist").folder);
}

TEST_F(RequestTest, RefusesWhatIsNoJob) {
    for (const auto& [body, why] :
         std::vector<std::pair<std::string, std::string>>{{"", "a job"},
                                                          {"[]", "a job"},
                                                          {"{}", "'inputs'"},
                                                          {R"({"inputs":[]})", "'inputs'"},
                                                          {R"({"inputs":"a"})", "'inputs'"},
                                                          {R"({"inputs":[1]})", "an input"},
                                                          {R"({"inputs":[{}]})", "an input"},
                                                          {R"({"inputs":[{"text":"a","image_base64":"AAAA"}]})", "not both"},
                                                          {R"({"inputs":[{"path":"/etc/passwd"}]})", "path"},
                                                          {R"({"inputs":["a",{"image_base64":"AAAA"}]})", "all be"},
                                                          {R"({"inputs":["a"],"pack":"mnist"})", "explains image"},
                                                          {R"({"inputs":["a"],"pack":"../../etc"})", "no pack"},
                                                          {R"({"inputs":["a"],"pack":"/etc"})", "no pack"},
                                                          {R"({"inputs":["a"],"do":"run"})", "'do'"},
                                                          {R"({"inputs":["a"],"foils":"x"})", "foils"},
                                                          {R"({"inputs":["a"],"fact":"x","foil":"x"})", "the same"},
                                                          {R"({"inputs":["a"],"confidence":0.2})", "'confidence'"},
                                                          {R"({"inputs":["a"],"confidence":"high"})", "'confidence'"},
                                                          {R"({"inputs":["a"],"answers":0})", "'answers'"},
                                                          {R"({"inputs":["a"],"seed":-1})", "'seed'"},
                                                          {R"({"inputs":["a"],"decode":"backwards"})", "'decode'"},
                                                          {R"({"inputs":["a"],"keep":[1]})", "'keep'"},
                                                          {R"({"inputs":["a"],"frames":1})", "'frames'"}})
        EXPECT_THAT(refusal(body), HasSubstr(why)) << body;
    std::string many = R"({"inputs":["a")";
    for (size_t i = 0; i < most_inputs; ++i) many += ",\"a\"";
    EXPECT_THAT(refusal(many + "]}"), HasSubstr("'inputs'"));
}

TEST_F(RequestTest, APackThatIsNamedIsAskedAndNoOtherInItsPlace) {
    EXPECT_EQ(KnownPacks(host_, {"yelp-sum"}).all().front().manifest.id, "yelp-sum");
    EXPECT_THROW(KnownPacks(host_, {"english"}), Error);  // a generator alone
    EXPECT_THROW(KnownPacks(host_, {"nowhere"}), Error);
}

TEST_F(RequestTest, MeasuresPicturesBeforeTheyAreDecoded) {
    // A PNG's header that promises 40,000 times 40,000 pixels.
    EXPECT_THAT(read(R"({"inputs":[{"image_base64":"iVBORw0KGgoAAAANSUhEUgAAnEAAAJxACAYAAAAAAAAA"}]})").problems.at(0),
                HasSubstr("megapixels"));
    const AskRequest mixed = read(R"({"inputs":[{"image_base64":"%%%"},{"image_base64":"AAAA"}]})");
    EXPECT_THAT(mixed.problems.at(0), HasSubstr("base64"));
    EXPECT_EQ(mixed.problems.at(1), "");
}

}  // namespace
