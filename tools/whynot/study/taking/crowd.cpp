#include "study/taking/crowd.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/names.h"
#include "serve/http_client.h"
#include "study/making/random.h"
#include "study/taking/course.h"
#include "study/taking/store.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

using base::Json;

/// One of them, at the screen where he or she is.
class Person {
public:
    Person(const Design& design, const Crowd& people, const std::map<std::string, std::string>& items, int64_t number)
        : design_(design), items_(items), random_(people.seed, "person " + std::to_string(number)) {
        const std::string& arm = design.arms()[Store::arm_of(design, number)].id;
        const auto own = people.skills.find(arm);
        const double skill = own == people.skills.end() ? people.skill : own->second;
        // A normal deviate by the sum of twelve uniform ones, which needs no function that differs between machines.
        double normal = -6;
        for (int i = 0; i < 12; ++i) normal += random_.share();
        skill_ = std::clamp(skill + people.between * normal, 0.0, 1.0);
        leaves_ = random_.share() < people.leave;
    }

    void begin(HttpClient& client) {
        const Json told = ask(client, "/api/begin", {{"external", Json::object()}, {"agent", "simulated"}});
        now_ = told.at("now");
        id_ = told.at("participant").get<std::string>();
    }

    /// To the end, or to where this one leaves.
    void go(HttpClient& client) {
        const int64_t screens = now_.at("screens").get<int64_t>();
        const int64_t last = leaves_ ? 1 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(screens))) : screens;
        while (now_.at("screen").at("kind") != "end") {
            const int64_t seq = now_.at("seq").get<int64_t>();
            if (seq >= last && leaves_) return;
            Json given = answer(now_.at("screen"));
            given["participant"] = id_;
            given["seq"] = seq;
            given["seconds"] = 0.8 + 2 * random_.share();
            if (given.contains("confidence")) given["choice_seconds"] = given["seconds"].get<double>() / 2;
            given["blurs"] = 0;
            now_ = ask(client, "/api/answer", given);
        }
    }

private:
    static Json ask(HttpClient& client, const std::string& path, const Json& body) {
        const HttpClient::Answer answer = client.ask("POST", path, body.dump());
        if (answer.status >= 300)
            throw Error(ErrorCode::internal, path + " was answered " + std::to_string(answer.status) + ": " + answer.body);
        return base::parse_json_object(answer.body, ErrorCode::internal, "the study's server");
    }

    Json answer(const Json& screen) {
        const std::string kind = screen.at("kind").get<std::string>();
        if (kind == "trial") return trial(screen);
        Json all = Json::object();
        if (kind == "scale") {
            for (const Json& statement : screen.at("statements"))
                all[statement.at("id").get<std::string>()] = 1 + static_cast<int64_t>(random_.below(screen.at("points").get<uint64_t>()));
            return {{"answer", all}};
        }
        if (kind != "questions") return {{"answer", "next"}};
        for (const Json& asked : screen.at("questions")) all[asked.at("id").get<std::string>()] = right_choice(asked);
        return {{"answer", all}};
    }

    /// What is right is known to those who read; where nothing is, the first choice.
    int64_t right_choice(const Json& asked) const {
        for (const Step& step : design_.steps()) {
            if (step.kind != "questions") continue;
            for (const Json& question : step.json.at("questions"))
                if (question.at("id") == asked.at("id") && question.at("text") == asked.at("text"))
                    return question.value("right", int64_t{0});
        }
        return 0;
    }

    Json trial(const Json& screen) {
        const std::string seen =
            screen.contains("picture") ? screen.at("picture").get<std::string>() : screen.at("text").get<std::string>();
        const Json& stimulus = design_.stimulus(items_.at(seen));
        const std::string right = (screen.at("ask") == "after-edit" ? stimulus.at("edited") : stimulus).at("model").get<std::string>();
        const std::vector<std::string>& names = design_.classes();
        const bool knows = stimulus.value("catch", false) || random_.share() < skill_;
        Json given{{"answer", knows ? right : names[right == names[0] ? 1 : 0]}};
        if (!screen.at("confidence").is_null()) given["confidence"] = 1 + static_cast<int64_t>(random_.below(confidence_points));
        return given;
    }

    const Design& design_;
    const std::map<std::string, std::string>& items_;
    Random random_;
    double skill_ = 0;
    bool leaves_ = false;
    Json now_;
    std::string id_;
};

/// Which item a picture or a text is.
std::map<std::string, std::string> items_of(const Design& design) {
    const OpaqueNames names(design);
    std::map<std::string, std::string> items;
    for (const Step& step : design.steps()) {
        for (const std::string& item : step.items) {
            const Json& stimulus = design.stimulus(item);
            items[stimulus.contains("picture") ? names.of(stimulus.at("picture").get<std::string>())
                                               : stimulus.at("text").get<std::string>()] = item;
        }
    }
    return items;
}

}  // namespace

void send(const Design& design, const Crowd& people, uint16_t port, const std::function<bool(int64_t)>& told) {
    std::vector<std::string> arms;
    for (const Arm& arm : design.arms()) arms.push_back(arm.id);
    for (const auto& [arm, ignored] : people.skills)
        if (std::find(arms.begin(), arms.end(), arm) == arms.end())
            throw Error(ErrorCode::invalid_argument, "there is no arm '" + arm + "'; there is " + base::choice_of(arm, arms));
    const std::map<std::string, std::string> items = items_of(design);
    std::vector<Person> all;
    for (int64_t i = 0; i < people.participants; ++i) all.emplace_back(design, people, items, i);
    {
        HttpClient client(port);  // one after another: their numbers say in which arm they are
        for (Person& person : all) person.begin(client);
    }
    std::atomic<size_t> next{0};
    std::atomic<int64_t> ended{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            HttpClient client(port);
            for (size_t i = next++; i < all.size() && !stop; i = next++) {
                all[i].go(client);
                if (!told(++ended)) stop = true;
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            failure = std::current_exception();
            stop = true;
        }
    };
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < std::min(people.at_once, people.participants); ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace whynot::cli::study
