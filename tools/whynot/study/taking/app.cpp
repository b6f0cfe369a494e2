#include "study/taking/app.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/text.h"
#include "serve/files.h"
#include "serve/guard.h"
#include "whynot/error.h"

namespace whynot::cli::study {
namespace {

using base::Json;

constexpr size_t longest_text = 200;  // of what a browser or a platform says of itself
constexpr double longest_seconds = 86400;

/// What goes wrong with a request, with its status.
struct Refusal {
    HttpResponse response;
};

[[noreturn]] void refuse(int status, const std::string& code, const std::string& message) { throw Refusal{refusal(status, code, message)}; }

HttpResponse json(const Json& value, int status = 200) {
    return {status, "application/json", value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

HttpResponse safe(HttpResponse response) {
    // A picture stays what it is, and a slow line need not bring it twice.
    const bool is_picture = response.status == 200 && response.type == "image/png";
    response.headers.emplace_back("Cache-Control", is_picture ? "private, max-age=86400, immutable" : "no-store");
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"X-Content-Type-Options", "nosniff"},
             {"Referrer-Policy", "no-referrer"},
             {"Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action "
              "'none'; base-uri 'none'; frame-ancestors 'none'"}})
        response.headers.emplace_back(name, value);
    return response;
}

std::string short_text(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>().substr(0, longest_text) : "";
}

/// The ids of a platform, and nothing else that was sent.
Json external_in(const Json& body) {
    Json external = Json::object();
    const Json given = body.value("external", Json::object());
    if (!given.is_object()) return external;
    for (const char* key : {"PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "key"})
        if (const std::string value = short_text(given, key); !value.empty())
            external[key] = base::is_utf8(value) ? value : base::escape_controls(value);
    return external;
}

double seconds_in(const Json& body, const char* key) {
    const auto found = body.find(key);
    const double seconds = found != body.end() && found->is_number() ? found->get<double>() : 0;
    return std::isfinite(seconds) ? std::clamp(seconds, 0.0, longest_seconds) : 0;
}

int64_t count_in(const Json& body, const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_number_integer() ? std::clamp<int64_t>(found->get<int64_t>(), 0, 100000) : 0;
}

}  // namespace

App::App(const Design& design, Store& store, std::vector<std::string> hosts, int64_t most_participants)
    : design_(design), store_(store), names_(design), hosts_(std::move(hosts)), most_participants_(most_participants) {}

bool App::is_ours(const std::string& host) const {
    return is_this_machine(host, port_) || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

std::optional<HttpResponse> App::check(const HttpRequest& head) const {
    const std::vector<std::string> hosts = head.header("host");
    if (hosts.size() != 1) return refusal(400, "invalid-argument", "expected one Host");
    if (!is_ours(hosts[0]))
        return refusal(403, "invalid-argument",
                       "this server is not " + base::in_quotes(hosts[0]) + "; --host names the address that people see");
    for (const std::string& origin : head.header("origin")) {
        const size_t slashes = origin.find("://");
        if (slashes == std::string::npos || !is_ours(origin.substr(slashes + 3)))
            return refusal(403, "invalid-argument", "no page of another site may ask");
    }
    if (head.method != "GET" && head.method != "HEAD" && head.method != "POST")
        return refusal(405, "invalid-argument", "there are GET, HEAD and POST");
    return std::nullopt;
}

void App::answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
    try {
        reply->send(safe(respond(request)));
    } catch (const Refusal& refused) {
        reply->send(safe(refused.response));
    } catch (const Error& error) {
        // Above all a disk that is full: nothing was acknowledged, and the page tries again.
        const bool is_theirs = error.code() == ErrorCode::invalid_argument;
        reply->send(
            safe(refusal(is_theirs ? 400 : 500, to_string(error.code()), is_theirs ? error.what() : "it could not be saved; try again")));
    } catch (const std::exception&) {
        reply->send(safe(refusal(500, "internal", "it could not be saved; try again")));
    }
}

HttpResponse App::respond(const HttpRequest& request) {
    if (request.method == "POST") {
        const Json body = base::parse_json_object(request.body, ErrorCode::invalid_argument, "a request", {8, 1000});
        if (request.path == "/api/first") return first(body);
        if (request.path == "/api/begin") return begin(body);
        if (request.path == "/api/now") return now(body);
        if (request.path == "/api/answer") return take(body);
        if (request.path == "/api/withdraw") return withdraw(body);
        refuse(404, "not-found", "there is no such thing here");
    }
    if (request.path.rfind("/file/", 0) == 0) return picture(request.path);
    if (const File* const file = study_file_at(request.path)) return {200, file->type, file->content};
    refuse(404, "not-found", "there is no such thing here");
}

Json App::now_of(const Participant& participant) const {
    Json now{{"participant", participant.id},
             {"seq", participant.answers.size()},
             {"screens", participant.course.size()},
             {"title", design_.title()}};
    if (participant.withdrawn) {
        now["screen"] = {
            {"kind", "withdrawn"},
            {"title", "You have withdrawn"},
            {"text",
             "Thank you for your time. You may close this page. If you came from a recruiting site, please return your submission there."},
            {"number", participant.id}};
    } else if (participant.has_ended()) {
        const Json completion = design_.json().value("completion", Json::object());
        now["screen"] = {{"kind", "end"},
                         {"title", "Thank you"},
                         {"text", "Everything is saved. You may close this page."},
                         {"number", participant.id},
                         {"code", short_text(completion, "code")},
                         {"url", short_text(completion, "url")}};
    } else {
        const Screen& screen = participant.course[participant.answers.size()];
        const Json given = participant.answers.empty() ? Json() : participant.answers.back().value("answer", Json());
        now["screen"] = to_json(design_, design_.arms()[participant.arm], screen, given, names_);
    }
    return now;
}

void App::expect_room(const Json& external) const {
    if (static_cast<int64_t>(store_.all().size()) >= most_participants_ && !store_.knows(external))
        refuse(503, "full", "this study has as many participants as it takes");
}

/// What somebody sees who comes. Where it is a text, as the consent is, nothing is saved before it is agreed to; of somebody who is known it is the
/// screen that he or she is at.
HttpResponse App::first(const Json& body) {
    const Json external = external_in(body);
    if (store_.knows(external)) {  // comes by the platform's link, and not by that of the page
        const Participant& participant = store_.begin(external, "");
        if (!participant.has_ended() && !participant.withdrawn) store_.reload(participant);
        return json(now_of(participant));
    }
    if (design_.steps().front().kind != "text") return begin(body);
    expect_room(external);
    const Screen screen = course_of(design_, 0).front();
    return json({{"participant", ""},
                 {"seq", 0},
                 {"screens", course_of(design_, 0).size()},
                 {"title", design_.title()},
                 {"screen", to_json(design_, design_.arms().front(), screen, nullptr, names_)}});
}

/// A new participant, with the answer to the first screen, where it has been shown already.
HttpResponse App::begin(const Json& body) {
    const Json external = external_in(body);
    expect_room(external);
    const bool has_answer = body.contains("answer");
    if (has_answer)  // before anybody is made of it
        if (const std::string problem = problem_of(design_, course_of(design_, 0).front(), body.at("answer"), nullptr); !problem.empty())
            refuse(400, "invalid-argument", problem);
    const size_t before = store_.all().size();
    const std::string agent = short_text(body, "agent");
    Participant& participant = store_.begin(external, base::is_utf8(agent) ? agent : base::escape_controls(agent));
    if (has_answer && participant.answers.empty() && !participant.withdrawn) save_answer(participant, body, participant.course.front());
    return json({{"participant", participant.id}, {"now", now_of(participant)}}, store_.all().size() > before ? 201 : 200);
}

Participant& App::participant_in(const Json& body) {
    Participant* const participant = store_.find(short_text(body, "participant"));
    if (!participant) refuse(404, "not-found", "there is no such participant, or not any more; open the study's first address to begin");
    return *participant;
}

/// Asked when a page is opened: where somebody has begun already, that is a reload, and noted.
HttpResponse App::now(const Json& body) {
    const Participant& participant = participant_in(body);
    if (!participant.has_ended() && !participant.withdrawn) store_.reload(participant);
    return json(now_of(participant));
}

HttpResponse App::take(const Json& body) {
    Participant& participant = participant_in(body);
    const auto found = body.find("seq");
    if (found == body.end() || !found->is_number_unsigned()) refuse(400, "invalid-argument", "'seq': expected the number of the screen");
    const auto seq = found->get<size_t>(), at = participant.answers.size();
    const auto conflict = [&](const std::string& why) {
        Json told{{"error", {{"code", "conflict"}, {"message", why}}}, {"now", now_of(participant)}};
        return json(told, 409);
    };
    if (participant.withdrawn) return conflict("you have withdrawn");
    if (seq < at) return json(now_of(participant));  // sent again: it was saved, and its acknowledgement lost
    if (participant.has_ended()) return conflict("this was the end");
    if (seq > at) return conflict("this screen has not come yet");
    save_answer(participant, body, participant.course[at]);
    return json(now_of(participant));
}

void App::save_answer(Participant& participant, const Json& body, const Screen& screen) {
    const Json answer = body.value("answer", Json()), confidence = body.value("confidence", Json());
    if (const std::string problem = problem_of(design_, screen, answer, confidence); !problem.empty())
        refuse(400, "invalid-argument", problem);
    Json event{{"step", screen.step},
               {"kind", screen.kind},
               {"answer", answer},
               {"seconds", seconds_in(body, "seconds")},
               {"blurs", count_in(body, "blurs")}};
    if (!screen.item.empty()) event["item"] = screen.item;
    if (const auto right = right_answer(design_, screen)) event["right"] = *right;
    if (confidence.is_number_integer() && screen.kind == "trial" && design_.step(screen.step).confidence) {
        event["confidence"] = confidence;
        if (body.value("choice_seconds", Json()).is_number())
            event["choice_seconds"] = std::min(seconds_in(body, "choice_seconds"), seconds_in(body, "seconds"));
    }
    if (screen.kind == "feedback" && body.contains("steps_seen")) event["steps_seen"] = count_in(body, "steps_seen");
    store_.answer(participant, std::move(event));
}

HttpResponse App::withdraw(const Json& body) {
    Participant& participant = participant_in(body);
    if (!participant.withdrawn) store_.withdraw(participant);
    const Json now = now_of(participant);
    if (const auto wanted = body.find("delete"); wanted != body.end() && *wanted == true) store_.remove(participant.id);
    return json(now);
}

HttpResponse App::picture(const std::string& path) const {
    const std::string file = names_.file_of(path);
    if (file.empty()) refuse(404, "not-found", "there is no such picture");
    return {200, "image/png", base::read_file(file_in(design_.folder(), file), 16 * 1024 * 1024, ErrorCode::io)};
}

}  // namespace whynot::cli::study
