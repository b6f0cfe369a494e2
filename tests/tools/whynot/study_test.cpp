// A study: its design, the course of a participant, what is on disk, and what the server tells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "study/analysis/people.h"
#include "study/making/design.h"
#include "study/making/presets.h"
#include "study/planning/preregistration.h"
#include "study/taking/app.h"
#include "study/taking/course.h"
#include "study/taking/crowd.h"
#include "study/taking/store.h"
#include "support/temporary_folder.h"
#include "whynot/error.h"

namespace {

using namespace whynot;
using namespace whynot::cli;
using namespace whynot::cli::study;
using base::Json;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

template <class Call>
std::string refusal_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was refused";
}

/// Three arms, of texts: so that no picture is needed.
Json design_json() {
    Json stimuli = Json::object(), learning = Json::array(), test = Json::array();
    for (int i = 0; i < 12; ++i) {
        const std::string id = (i < 6 ? "l" : "t") + std::to_string(i), model = i % 2 == 0 ? "Ternal" : "Peat";
        stimuli[id] = {{"text", "the sentence " + id},
                       {"model", model},
                       {"margin", 1.5},
                       {"edited", {{"text", "edited " + id}, {"model", i % 4 < 2 ? "Ternal" : "Peat"}}},
                       {"explanations",
                        {{"words", {{"parts", Json::array({Json::array({"sentence", 1.5}), Json::array({"the", -0.2})})}}},
                         {"edits", {{"line", "the -[sentence]- +[word]+"}}}}}};
        (i < 6 ? learning : test).push_back(id);
    }
    stimuli["t11"]["catch"] = true;
    return {{"schema", "whynot.study/1"},
            {"name", "toy"},
            {"seed", 7},
            {"title", "A study"},
            {"classes", {{{"name", "Ternal"}, {"of", "negative"}}, {{"name", "Peat"}, {"of", "positive"}}}},
            {"arms",
             {{{"id", "control-arm"}, {"explanation", "none"}},
              {{"id", "words-arm"}, {"explanation", "words"}},
              {{"id", "edits-arm"}, {"explanation", "edits"}}}},
            {"block", 3},
            {"steps",
             {{{"id", "consent"}, {"kind", "text"}, {"title", "Before"}, {"text", "a\n\nb"}, {"button", "I agree"}},
              {{"id", "questions"},
               {"kind", "questions"},
               {"title", "Two"},
               {"questions", {{{"id", "q1"}, {"text", "?"}, {"choices", {"a", "b"}}, {"right", 1}}}}},
              {{"id", "learning"},
               {"kind", "trials"},
               {"items", learning},
               {"ask", "class"},
               {"feedback", true},
               {"explain", true},
               {"confidence", false}},
              {{"id", "test"},
               {"kind", "trials"},
               {"items", test},
               {"ask", "class"},
               {"feedback", false},
               {"explain", false},
               {"confidence", true}},
              {{"id", "after"},
               {"kind", "trials"},
               {"items", test},
               {"ask", "after-edit"},
               {"feedback", false},
               {"explain", false},
               {"confidence", false}},
              {{"id", "rating"},
               {"kind", "scale"},
               {"title", "?"},
               {"points", 5},
               {"low", "no"},
               {"high", "yes"},
               {"statements", {{{"id", "s1"}, {"text", "good"}}}}}}},
            {"stimuli", stimuli},
            {"exclude", {{"failed_catches", 1}}},
            {"completion", {{"code", "CODE77"}, {"url", ""}}},
            {"analysis", {{"measure", "test"}, {"comparisons", Json::array({Json::array({"words-arm", "control-arm"})})}}},
            {"files", Json::object()}};
}

/// The same in a folder.
class StudyTest : public testing::Test {
protected:
    StudyTest() {
        std::ofstream(folder_ / "study.json") << design_json().dump(1);
        design_ = std::make_unique<Design>(folder_.path());
    }
    fs::path log() const { return folder_ / "data" / "log.jsonl"; }

    TemporaryFolder folder_;
    std::unique_ptr<Design> design_;
};

std::string refusal(const Json& json) {
    try {
        const Design design(json);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_input);
        return error.what();
    }
    return "none";
}

TEST(StudyDesign, IsRefusedWithWhatIsWrongWithIt) {
    EXPECT_EQ(refusal(design_json()), "none");
    const std::vector<std::pair<std::string, Json>> wrong{
        {"/schema", "whynot.study/2"},
        {"/title", nullptr},
        {"/seed", -1},
        {"/seed", "one"},
        {"/classes", Json::array()},
        {"/classes/1/name", "Ternal"},
        {"/arms", Json::array()},
        {"/arms/1/explanation", "telepathy"},
        {"/arms/1/id", "control-arm"},
        {"/arms/1/id", "../x"},
        {"/block", 4},
        {"/block", 0},
        {"/steps", Json::array()},
        {"/steps/0/kind", "dance"},
        {"/steps/0/id", "learning"},
        {"/steps/1/questions/0/right", 2},
        {"/steps/2/items", Json::array()},
        {"/steps/2/items/0", "nobody"},
        {"/steps/2/items/0", "l1"},
        {"/steps/2/feedback", false},
        {"/steps/2/ask", "weight"},
        {"/stimuli/l1/model", "negative"},
        {"/stimuli/l1/explanations", Json::object()},
        {"/stimuli/t7/edited", nullptr},
        {"/stimuli/l1/text", 7},
        {"/analysis/measure", "rating"},
        {"/analysis/measure", "nothing"},
        {"/analysis/comparisons/0/0", "nobody"},
        {"/analysis/comparisons/0/0", "control-arm"},
        {"/exclude/failed_catches", -1},
        {"/exclude/failed_catches", 1.5},
        {"/steps/1/questions/0/right", 0.5},
        {"/steps/1/questions/1", {{"id", "q1"}, {"text", "?"}, {"choices", {"a", "b"}}, {"right", 1}}},
        {"/steps/5/points", 4.5},
        {"/stimuli/l1/catch", "yes"},
        {"/exlude", Json::object()},  // a key that is misspelt would take what is declared away
        {"/exclude/failed_catch", 1},
        {"/stimuli/l1/cacth", true},
        {"/stimuli/l1/edited/modle", "Peat"},
        {"/completion/cod", "X"},
        {"/arms/0/explains", "none"},
        {"/steps/5/statements/0/txt", "?"},
        {"/steps/1/questions/0/right", 1.0},
        {"/steps/2/title", "Trials"},
        {"/made", 1},
        {"/analysis/measures", "test"},
        {"/steps/2/feedbacks", true},
        {"/steps/0/explain", true},
        {"/steps/1/questions/0/correct", 1},
        {"/exclude/least_median_seconds", 0.3},  // the page takes no answer so early
    };
    for (const auto& [place, value] : wrong) {
        Json json = design_json();
        json[Json::json_pointer(place)] = value;
        EXPECT_NE(refusal(json), "none") << place << " " << value;
    }
}

TEST(StudyDesign, SaysWhatIsStillToBeWritten) {
    EXPECT_EQ(unfinished(Design(design_json())).size(), 0U);
    Json json = design_json();
    json["steps"][0]["text"] = "Paid: [what].";
    ASSERT_EQ(unfinished(Design(json)).size(), 1U);
    EXPECT_THAT(unfinished(Design(json))[0], AllOf(HasSubstr("'consent'"), HasSubstr("[what]")));
}

TEST(StudyDesign, KeepsToTheSchemaThatIsWrittenDown) {
    std::ifstream file(WHYNOT_STUDY_SCHEMA);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    rapidjson::Document parsed;
    parsed.Parse(text.c_str());
    ASSERT_FALSE(parsed.HasParseError());
    const rapidjson::SchemaDocument schema(parsed);
    const auto holds = [&](const Json& json) {
        rapidjson::Document document;
        document.Parse(json.dump().c_str());
        rapidjson::SchemaValidator validator(schema);
        return document.Accept(validator);
    };
    EXPECT_TRUE(holds(design_json()));
    for (const char* place : {"/schema", "/arms/0/explanation", "/steps/0/kind", "/stimuli/l1/model", "/analysis/measure"}) {
        Json json = design_json();
        json[Json::json_pointer(place)] = 7;
        EXPECT_FALSE(holds(json)) << place;
    }
}

TEST(StudyDesign, ItsFilesAreThoseWithWhichItWasMade) {
    TemporaryFolder folder;
    Json json = design_json();
    json["files"]["stimuli/a.png"] = std::string(64, '0');
    fs::create_directories(folder / "stimuli");
    std::ofstream(folder / "stimuli" / "a.png") << "changed";
    std::ofstream(folder / "study.json") << json.dump();
    EXPECT_THROW(Design{folder.path()}, Error);
    json["files"] = {{"../outside", std::string(64, '0')}};
    std::ofstream(folder / "study.json") << json.dump();
    EXPECT_THROW(Design{folder.path()}, Error);
    EXPECT_THROW(file_in(folder.path(), "/etc/passwd"), Error);
    EXPECT_THROW(Design{folder / "nowhere"}, Error);
}

TEST(StudyDesign, PresetsAreNamed) {
    EXPECT_EQ(presets().size(), 3U);
    EXPECT_EQ(preset("five-arms").arms.size(), 5U);
    EXPECT_THROW(preset("six-arms"), Error);
}

TEST_F(StudyTest, EveryItemComesOnceInAnOrderOfOnesOwn) {
    const std::vector<Screen> course = course_of(*design_, 1), again = course_of(*design_, 1), other = course_of(*design_, 2);
    ASSERT_EQ(course.size(), 2U + 12U + 6U + 6U + 1U);
    std::map<std::string, std::set<std::string>> items;
    bool differs = false;
    for (size_t i = 0; i < course.size(); ++i) {
        EXPECT_EQ(course[i].item, again[i].item);
        differs = differs || course[i].item != other[i].item;
        if (course[i].kind == "trial") {
            EXPECT_TRUE(items[course[i].step].insert(course[i].item).second);
        }
        if (course[i].kind == "feedback") {
            EXPECT_EQ(course[i].item, course[i - 1].item);
        }
    }
    EXPECT_TRUE(differs);
    EXPECT_EQ(items["learning"].size(), 6U);
    EXPECT_EQ(items["test"].size(), 6U);
}

TEST_F(StudyTest, NothingTellsTheArmOrTheRightAnswerBefore) {
    const OpaqueNames names(*design_);
    for (const Arm& arm : design_->arms()) {
        for (const Screen& screen : course_of(*design_, 3)) {
            if (screen.kind == "feedback") continue;
            const std::string told = to_json(*design_, arm, screen, nullptr, names).dump();
            for (const Arm& any : design_->arms()) EXPECT_EQ(told.find(any.id), std::string::npos) << told;
            for (const char* secret : {"\"right\"", "\"model\"", "margin", "negative"})
                EXPECT_EQ(told.find(secret), std::string::npos) << told;
            if (screen.kind != "trial") continue;
            // It is the same whatever is right, but for trials that only show whether somebody reads.
            Json swapped = design_json();
            Json& stimulus = swapped["stimuli"][screen.item];
            if (stimulus.value("catch", false)) continue;
            Json& asked = screen.step == "after" ? stimulus["edited"] : stimulus;  // what it was called before an edit is told
            asked["model"] = asked["model"] == "Peat" ? "Ternal" : "Peat";
            const Design other(swapped);
            EXPECT_EQ(told, to_json(other, arm, screen, nullptr, OpaqueNames(other)).dump());
        }
    }
}

TEST_F(StudyTest, ArmsDifferByOneAtMost) {
    std::map<size_t, int> count;
    std::string order;
    for (int64_t i = 0; i < 100; ++i) {
        ++count[Store::arm_of(*design_, i)];
        order += std::to_string(Store::arm_of(*design_, i));
        int most = 0, least = 100;
        for (size_t arm = 0; arm < 3; ++arm) most = std::max(most, count[arm]), least = std::min(least, count[arm]);
        EXPECT_LE(most - least, 1);
    }
    EXPECT_NE(order.substr(0, 9), order.substr(9, 9));  // not always the same permutation
}

TEST_F(StudyTest, WhatWasAnsweredIsThereAgain) {
    std::string id;
    {
        Store store(*design_);
        Participant& one = store.begin({{"PROLIFIC_PID", "abc"}}, "a browser");
        id = one.id;
        EXPECT_EQ(&store.begin({{"PROLIFIC_PID", "abc"}}, ""), &one);
        EXPECT_NE(store.begin({{"key", "drawn"}}, "").id, id);
        EXPECT_EQ(store.begin({{"key", "drawn"}}, "").number, 1);
        store.answer(one, {{"answer", "next"}, {"step", "consent"}, {"kind", "text"}});
        EXPECT_THROW(Store another(*design_), Error);  // one server at a time
    }
    // A crash in the middle of a line: it was not acknowledged.
    std::ofstream(log(), std::ios::app) << R"({"event":"answer","participant":")" << id << R"(","se)";
    {
        Store store(*design_);
        ASSERT_NE(store.find(id), nullptr);
        EXPECT_EQ(store.find(id)->answers.size(), 1U);
        EXPECT_TRUE(store.knows({{"PROLIFIC_PID", "abc"}}));
        store.answer(*store.find(id), {{"answer", {{"q1", 1}}}, {"step", "questions"}, {"kind", "questions"}});
    }
    Store store(*design_);
    EXPECT_EQ(store.find(id)->answers.size(), 2U);
    EXPECT_EQ(store.all().size(), 2U);
}

TEST_F(StudyTest, APreregistrationSaysWhatIsDeclared) {
    Plan plan;
    plan.by_t = 100, plan.by_simulation = 104, plan.invited = 130;
    const std::string text = preregistration(*design_, plan, {});
    for (const char* said :
         {"No data existed", "## Hypotheses", "5 of them and 1 attention trial", "1 attention trials or more wrongly",
          "words-arm against control-arm", "104 by simulation", "312 analysed and 390 invited in all", "## Secondary and exploratory"})
        EXPECT_THAT(text, HasSubstr(said));
    plan.by_simulation = 0;  // thousands, too many to simulate
    EXPECT_THAT(preregistration(*design_, plan, {}), AllOf(testing::Not(HasSubstr("by simulation")), HasSubstr("300 analysed")));
    { Store(*design_).begin(Json::object(), ""); }
    EXPECT_THAT(preregistration(*design_, plan, {}), HasSubstr("Data of 1 participants existed"));
}

TEST_F(StudyTest, WhoOnlyLooksLeavesNoDataOfAnotherStudy) {
    { Store store(*design_); }
    EXPECT_THAT(refusal_of([&] { read_log(*design_); }), HasSubstr("nobody has taken part yet"));
    Json json = design_json();
    json["title"] = "written at last";
    std::ofstream(folder_ / "study.json") << json.dump(1);
    const Design finished(folder_.path());
    Store store(finished);
    store.begin(Json::object(), "");
    EXPECT_EQ(read_log(finished).size(), 2U);
}

TEST_F(StudyTest, OthersOfThisMachineCannotReadTheLog) {
    Store store(*design_);
    const std::string first = store.begin({{"PROLIFIC_PID", "a"}}, "").id;
    store.begin({{"PROLIFIC_PID", "b"}}, "");
    const auto others = fs::perms::group_all | fs::perms::others_all;
    for (const bool deleted : {false, true}) {
        if (deleted) store.remove(first);
        EXPECT_EQ(fs::status(log()).permissions() & others, fs::perms::none);
        EXPECT_EQ(fs::status(log().parent_path()).permissions() & others, fs::perms::none);
    }
}

// A crash while the very first line was written.
TEST_F(StudyTest, ACutFirstLineIsNoHeader) {
    fs::create_directories(log().parent_path());
    std::ofstream(log()) << R"({"event":"st)";
    {
        Store store(*design_);
        store.begin(Json::object(), "");
    }
    EXPECT_EQ(read_log(*design_).size(), 2U);
    EXPECT_EQ(Store(*design_).all().size(), 1U);
}

TEST_F(StudyTest, IdsOfRecruitersCanBeForgotten) {
    {
        Store store(*design_);
        Participant& one = store.begin({{"PROLIFIC_PID", "secret"}}, "");
        store.answer(one, {{"answer", "next"}, {"step", "consent"}, {"kind", "text"}});
        store.forget_externals();
        EXPECT_THROW(Store another(*design_), Error);  // it is still locked
        EXPECT_FALSE(store.knows({{"PROLIFIC_PID", "secret"}}));
    }
    std::ifstream file(log());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text.find("secret"), std::string::npos);
    Store store(*design_);
    ASSERT_EQ(store.all().size(), 1U);
    EXPECT_EQ(store.all().begin()->second.answers.size(), 1U);
}

TEST_F(StudyTest, EachNameIsOnTheFirstButtonForHalfOfThePeople) {
    int swapped = 0;
    const OpaqueNames names(*design_);
    for (uint64_t seed = 0; seed < 200; ++seed) {
        const std::vector<Screen> course = course_of(*design_, seed);
        for (const Screen& screen : course) {
            if (screen.kind != "trial") continue;
            const Json told = to_json(*design_, design_->arms()[0], screen, nullptr, names);
            ASSERT_EQ(told.at("choices").at(0), design_->classes()[first_choice_of(seed)]);
            ASSERT_EQ(told.at("choices").at(1), design_->classes()[1 - first_choice_of(seed)]);
        }
        swapped += first_choice_of(seed) == 1 ? 1 : 0;
    }
    EXPECT_GT(swapped, 70);
    EXPECT_LT(swapped, 130);
}

TEST_F(StudyTest, PeopleAndSimulatedParticipantsAreKeptApart) {
    { Store(*design_, Taking::simulated).begin(Json::object(), ""); }
    EXPECT_TRUE(people_of(*design_, read_log(*design_)).simulated);
    EXPECT_THAT(refusal_of([&] { Store store(*design_); }), HasSubstr("data of simulated participants"));
    { Store store(*design_, Taking::simulated); }  // they may go on
    fs::remove(log());
    { Store(*design_).begin(Json::object(), ""); }
    EXPECT_FALSE(people_of(*design_, read_log(*design_)).simulated);
    EXPECT_THAT(refusal_of([&] { Store store(*design_, Taking::simulated); }), HasSubstr("data of people"));
}

TEST_F(StudyTest, WhoeverIsDeletedIsGoneFromTheFile) {
    {
        Store store(*design_);
        const std::string first = store.begin({{"PROLIFIC_PID", "secret"}}, "").id, second = store.begin(Json::object(), "").id;
        store.remove(first);
        EXPECT_EQ(store.find(first), nullptr);
        EXPECT_THROW(Store another(*design_), Error);          // it is still locked
        EXPECT_EQ(store.begin(Json::object(), "").number, 2);  // and no number comes twice
        EXPECT_NE(store.find(second), nullptr);
    }
    std::ifstream file(log());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text.find("secret"), std::string::npos);
    Store store(*design_);
    EXPECT_EQ(store.all().size(), 2U);
}

TEST_F(StudyTest, DataOfAnotherStudyAreRefused) {
    { Store(*design_).begin(Json::object(), ""); }
    Json changed = design_json();
    changed["title"] = "Another";
    std::ofstream(folder_ / "study.json") << changed.dump(1);
    const Design other(folder_.path());
    EXPECT_THROW(Store{other}, Error);
    EXPECT_THROW(read_log(other), Error);
    std::ofstream(log(), std::ios::app) << "no event\n";
    EXPECT_THROW(Store{*design_}, Error);
}

/// Keeps what it is sent.
class Kept : public HttpReply {
public:
    void send(HttpResponse response) override { sent = std::move(response); }
    void when_gone(std::function<void()>) override {}
    HttpResponse sent;
};

/// A participant's requests.
class AppTest : public StudyTest {
protected:
    AppTest() { app_.set_port(80); }

    std::pair<int, Json> ask(const std::string& method, const std::string& path, const Json& body = nullptr) {
        HttpRequest request{method, path, {}, {{"host", "127.0.0.1:80"}}, body.is_null() ? "" : body.dump()};
        const auto reply = std::make_shared<Kept>();
        app_.answer(request, reply);
        return {reply->sent.status, Json::parse(reply->sent.body, nullptr, false)};
    }
    std::pair<int, Json> answer(const std::string& who, int64_t seq, const Json& given) {
        return ask("POST", "/api/answer",
                   {{"participant", who}, {"seq", seq}, {"answer", given}, {"seconds", 1.5}, {"blurs", 0}, {"confidence", 3}});
    }
    std::string begin() { return ask("POST", "/api/begin", {{"external", Json::object()}}).second.at("participant").get<std::string>(); }
    size_t lines() const {
        std::ifstream file(log());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    }

    Store store_{*design_};
    App app_{*design_, store_, {"study.example.org"}, 3};
};

TEST_F(AppTest, NothingIsSavedBeforeSomebodyAgrees) {
    const Json who{{"external", {{"PROLIFIC_PID", "p"}, {"key", "k"}}}};
    const size_t before = lines();
    const Json first = ask("POST", "/api/first", who).second;
    EXPECT_EQ(first.at("participant"), "");
    EXPECT_EQ(first.at("screen").at("button"), "I agree");
    EXPECT_EQ(lines(), before);
    Json agreed = who;
    agreed["answer"] = "no";
    EXPECT_EQ(ask("POST", "/api/begin", agreed).first, 400);
    EXPECT_EQ(lines(), before);
    agreed["answer"] = "next";
    agreed["seconds"] = 12;
    const auto [status, begun] = ask("POST", "/api/begin", agreed);
    EXPECT_EQ(status, 201);
    EXPECT_EQ(begun.at("now").at("seq"), 1);
    EXPECT_EQ(lines(), before + 3);  // of which study, who, what
    // Sent again, or by somebody who comes back: the place that he or she is at.
    EXPECT_EQ(ask("POST", "/api/begin", agreed).second.at("now").at("seq"), 1);
    EXPECT_EQ(lines(), before + 3);
    EXPECT_EQ(ask("POST", "/api/first", who).second.at("participant"), begun.at("participant"));
    EXPECT_EQ(lines(), before + 4);  // that is a reload
}

TEST_F(AppTest, AnAnswerThatComesTwiceCountsOnce) {
    const std::string who = begin();
    EXPECT_EQ(answer(who, 0, "next").second.at("seq"), 1);
    const size_t before = lines();
    EXPECT_EQ(answer(who, 0, "next").second.at("seq"), 1);
    EXPECT_EQ(lines(), before);
    const auto [status, told] = answer(who, 5, "next");
    EXPECT_EQ(status, 409);
    EXPECT_EQ(told.at("now").at("seq"), 1);
    EXPECT_EQ(lines(), before);
}

TEST_F(AppTest, RefusesAnswersThatAreNone) {
    const std::string who = begin();
    EXPECT_EQ(answer(who, 0, "yes").first, 400);
    EXPECT_EQ(answer("0123", 0, "next").first, 404);
    EXPECT_EQ(answer(who, -1, "next").first, 400);
    answer(who, 0, "next");
    for (const Json& wrong : {Json("next"), Json::object(), Json{{"q1", 2}}, Json{{"q1", "1"}}, Json{{"q1", 1}, {"q2", 1}}})
        EXPECT_EQ(answer(who, 1, wrong).first, 400) << wrong;
    EXPECT_EQ(answer(who, 1, {{"q1", 0}}).first, 200);
    EXPECT_EQ(answer(who, 2, "negative").first, 400);
    EXPECT_EQ(answer(who, 2, "Peat").first, 200);
}

TEST_F(AppTest, GoesOnWhereSomebodyIs) {
    const std::string who = begin();
    answer(who, 0, "next");
    const size_t before = lines();
    EXPECT_EQ(ask("POST", "/api/now", {{"participant", who}}).second.at("seq"), 1);
    EXPECT_EQ(lines(), before + 1);  // the reload is noted
    EXPECT_EQ(ask("POST", "/api/now", {{"participant", "nobody"}}).first, 404);
    EXPECT_EQ(ask("GET", "/api/now").first, 404);  // no name in an address, which others may keep
}

/// No file grows beyond a size, as on a full disk: what fits of a line is written, then nothing.
class FullDisk {
public:
    explicit FullDisk(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &limit_);
        rlimit full = limit_;
        full.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &full);
    }
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &limit_);
        std::signal(SIGXFSZ, before_);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

private:
    rlimit limit_{};
    void (*const before_)(int);
};

TEST_F(AppTest, WhatAFullDiskDoesNotTakeIsNotAcknowledged) {
    const std::string who = begin();
    const auto text = [&] {
        std::ifstream file(log());
        return std::string{std::istreambuf_iterator<char>(file), {}};
    };
    const std::string before = text();
    {
        const FullDisk full(before.size() + 40);
        EXPECT_EQ(answer(who, 0, "next").first, 500);
        EXPECT_EQ(ask("POST", "/api/begin", {{"external", Json::object()}}).first, 500);
        EXPECT_EQ(ask("POST", "/api/withdraw", {{"participant", who}, {"delete", true}}).first, 500);
        EXPECT_EQ(text(), before);  // no part of a line either
    }
    EXPECT_EQ(answer(who, 0, "next").second.at("seq"), 1);  // the page sends it again
    EXPECT_EQ(people_of(*design_, read_log(*design_)).unreadable, 0);
}

TEST_F(AppTest, WithdrawingEndsIt) {
    const std::string stays = begin(), goes = begin();
    EXPECT_EQ(ask("POST", "/api/withdraw", {{"participant", stays}, {"delete", false}}).second.at("screen").at("kind"), "withdrawn");
    EXPECT_EQ(answer(stays, 0, "next").first, 409);
    EXPECT_EQ(ask("POST", "/api/withdraw", {{"participant", goes}, {"delete", true}}).first, 200);
    EXPECT_EQ(ask("POST", "/api/now", {{"participant", goes}}).first, 404);
}

TEST_F(AppTest, IsFullAtSomeTime) {
    for (int i = 0; i < 3; ++i) begin();
    EXPECT_EQ(ask("POST", "/api/first", {{"external", Json::object()}}).first, 503);
    EXPECT_EQ(ask("POST", "/api/begin", {{"external", Json::object()}}).first, 503);
}

TEST_F(AppTest, AnswersToItsOwnNamesOnly) {
    const auto status = [&](const std::string& host, const std::string& origin) {
        HttpRequest request{"GET", "/", {}, {{"host", host}}, ""};
        if (!origin.empty()) request.headers.emplace_back("origin", origin);
        const auto refused = app_.check(request);
        return refused ? refused->status : 200;
    };
    EXPECT_EQ(status("127.0.0.1:80", ""), 200);
    EXPECT_EQ(status("study.example.org", "https://study.example.org"), 200);
    EXPECT_EQ(status("evil.test", ""), 403);
    EXPECT_EQ(status("study.example.org", "https://evil.test"), 403);
    EXPECT_EQ(status("study.example.org", "null"), 403);
    EXPECT_EQ(ask("GET", "/file/0123").first, 404);
    EXPECT_EQ(ask("GET", "/file/../study.json").first, 404);
    EXPECT_EQ(ask("GET", "/study.json").first, 404);
}

}  // namespace
