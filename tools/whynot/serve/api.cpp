#include "serve/api.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/json.h"
#include "base/text.h"
#include "serve/files.h"
#include "serve/guard.h"
#include "serve/request.h"
#include "stream/records.h"
#include "whynot/error.h"
#include "whynot/explanation.h"
#include "whynot/page.h"
#include "whynot/version.h"

namespace whynot::cli {
namespace {

using base::Json;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr double longest_wait = 60;  // seconds

/// What every answer has: nobody keeps it, frames it, guesses its type or hears where it came from.
Headers safe_headers() {
    return {{"Cache-Control", "no-store"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Opener-Policy", "same-origin"},
            {"Cross-Origin-Resource-Policy", "same-origin"},
            {"Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; form-action 'none'; "
             "base-uri "
             "'none'; frame-ancestors 'none'"}};
}

HttpResponse safe(HttpResponse response) {
    for (auto& header : safe_headers()) response.headers.push_back(std::move(header));
    return response;
}

HttpResponse json(const Json& value, int status = 200) {
    return {status, "application/json", value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

HttpResponse attachment(const std::string& type, const std::string& name, std::string body) {
    return {200, type, std::move(body), {{"Content-Disposition", "attachment; filename=\"" + name + "\""}}};
}

int status_of(ErrorCode code) {
    if (code == ErrorCode::invalid_argument || code == ErrorCode::invalid_input) return 400;
    return code == ErrorCode::not_found ? 404 : 500;
}

/// A request that names what there is not.
HttpResponse unknown(const std::string& path) { return refusal(404, "not-found", "there is no " + base::in_quotes(path) + " here"); }

/// Seconds that a request waits; 0: not at all.
double wait_of(const HttpRequest& request) {
    const auto wait = request.query.find("wait");
    if (wait == request.query.end()) return 0;
    const double seconds = std::strtod(wait->second.c_str(), nullptr);
    return std::isfinite(seconds) ? std::clamp(seconds, 0.0, longest_wait) : 0;
}

const char* stage_of(const AskProgress& progress) {
    constexpr const char* names[] = {"loading", "start", "search", "render"};
    return names[static_cast<int>(progress.stage)];
}

/// How far it is, for a person.
std::string says(const JobView& view) {
    if (view.state == JobView::State::waiting) return view.ahead > 0 ? "waiting behind " + std::to_string(view.ahead) : "waiting";
    if (view.state == JobView::State::loading) return "opening the pack";
    if (view.state != JobView::State::working) return to_string(view.state);
    return std::string(stage_of(view.progress)) +
           (view.progress.of > 0 ? ", step " + std::to_string(view.progress.done) + " of " + std::to_string(view.progress.of) : "");
}

std::string to_text(const JobView& view) {
    Json head{{"job", view.id},
              {"state", to_string(view.state)},
              {"ahead", view.ahead},
              {"says", says(view)},
              {"progress", {{"stage", stage_of(view.progress)}, {"done", view.progress.done}, {"of", view.progress.of}}},
              {"seconds", view.seconds},
              {"error", nullptr}};
    if (!view.error.empty()) head["error"] = {{"code", view.error_code}, {"message", view.error}};
    std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (view.written && !view.written->empty()) text.insert(text.size() - 1, "," + *view.written);
    return text + "\n";
}

Json answer_json(const Answer& answer, size_t number) {
    const AnswerPieces pieces = answer_pieces(answer, number);
    return {{"record", base::parse_own_json(to_json(answer.record))},
            {"terminal", base::is_utf8(answer.terminal) ? answer.terminal : base::escape_controls(answer.terminal)},
            {"title", pieces.question},
            {"article", pieces.article},
            {"row", pieces.row},
            {"csv", pieces.csv},
            {"latex", pieces.latex},
            {"input", answer.record.question.input}};
}

}  // namespace

std::string written(const AskResult& result) {
    constexpr const char* names[] = {"answers", "classifications", "attributions", "samples", "samples"};
    Json all{{names[static_cast<int>(result.task)], Json::array()}};
    for (size_t i = 0; i < result.answers.size(); ++i)
        all["answers"].push_back(answer_json(result.answers[i], static_cast<size_t>(result.first) + i));
    for (const Classification& said : result.classifications) all["classifications"].push_back(record_of(said));
    for (const Attributed& one : result.attributions)
        all["attributions"].push_back({{"record", base::parse_own_json(to_json(one))}, {"article", article_of(one)}});
    for (const AttributionMethod& method : result.methods)
        all["methods"].push_back({{"name", method.name}, {"title", method.title}, {"needs", method.needs}});
    for (const Input& sample : result.samples) all["samples"].push_back(to_json(sample));
    const std::string text = all.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.substr(1, text.size() - 2);
}

Api::Api(const KnownPacks& packs, Jobs& jobs, std::string command, std::function<void(double, std::function<void()>)> later)
    : packs_(packs), jobs_(jobs), command_(std::move(command)), later_(std::move(later)) {}

void Api::answer(HttpRequest request, const std::shared_ptr<HttpReply>& reply) {
    try {
        constexpr const char* jobs = "/api/jobs";
        if (request.path == jobs && request.method == "POST") return add(request, reply);
        if (request.path.rfind(std::string(jobs) + "/", 0) == 0) return job(request, reply);
        reply->send(safe(respond(request)));
    } catch (const Error& error) {
        reply->send(safe(refusal(status_of(error.code()), to_string(error.code()), error.what())));
    } catch (const std::exception& error) {
        reply->send(safe(refusal(500, "internal", error.what())));
    }
}

HttpResponse Api::respond(const HttpRequest& request) {
    if (request.method != "GET" && request.method != "HEAD") return unknown(request.path);
    if (request.path == "/api/version")
        return json({{"whynot", WHYNOT_VERSION},
                     {"record", Explanation::schema},
                     {"limits",
                      {{"body", HttpLimits().body}, {"inputs", most_inputs}, {"waiting", JobLimits().waiting}, {"pixels", most_pixels}}}});
    if (request.path == "/api/packs") return json(packs_.to_json(jobs_.open()));
    if (const File* const file = file_at(request.path)) return {200, file->type, file->content};
    return unknown(request.path);
}

void Api::add(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
    const std::string id = jobs_.add(request_from_json(request.body, packs_));
    if (id.empty()) {
        HttpResponse busy = refusal(503, "busy", "as many jobs are waiting as may; ask again in a moment");
        busy.headers.emplace_back("Retry-After", "1");
        return reply->send(safe(std::move(busy)));
    }
    when_ended(id, wait_of(request), true, reply);
}

void Api::job(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
    std::string id = request.path.substr(std::string("/api/jobs/").size()), part;
    if (const size_t slash = id.find('/'); slash != std::string::npos) {
        part = id.substr(slash + 1);
        id.resize(slash);
    }
    const std::optional<JobView> view = jobs_.look(id);
    if (!view) return reply->send(safe(refusal(404, "not-found", "there is no such job, or it is forgotten")));
    if (request.method == "DELETE" && part.empty()) {
        jobs_.cancel(id);
        return reply->send(safe(json({{"job", id}, {"state", view->has_ended() ? to_string(view->state) : "cancelled"}})));
    }
    if (request.method != "GET") return reply->send(safe(unknown(request.path)));
    if (!part.empty()) return reply->send(safe(part_of(*view, part, request)));
    when_ended(id, wait_of(request), false, reply);
}

/// Answers when the job has ended, or `wait` seconds have gone.
/// @param is_its_own whoever waits has begun the job: with him it ends
void Api::when_ended(const std::string& id, double wait, bool is_its_own, const std::shared_ptr<HttpReply>& reply) {
    const auto tell = [this, id, is_its_own](HttpReply& to) {
        HttpResponse response = view(id);
        if (is_its_own) response.headers.emplace_back("Location", "/api/jobs/" + id);
        const bool has_ended = response.status == 200;
        if (!has_ended && !is_its_own) response.status = 200;
        to.send(safe(std::move(response)));
    };
    jobs_.hold(id, wait);
    if (wait <= 0) return tell(*reply);
    // The job keeps the connection, the clock does not: one that was answered is not held until its time is up.
    jobs_.when_ended(id, [this, tell, reply] { later_(0, [tell, reply] { tell(*reply); }); });
    later_(wait, [tell, left = std::weak_ptr<HttpReply>(reply)] {
        if (const auto there = left.lock()) tell(*there);
    });
    reply->when_gone([this, id, is_its_own] { is_its_own ? static_cast<void>(jobs_.cancel(id)) : jobs_.leave(id); });
}

/// 202 until the job has ended.
HttpResponse Api::view(const std::string& id) {
    const std::optional<JobView> view = jobs_.look(id);
    if (!view) return refusal(404, "not-found", "there is no such job, or it is forgotten");
    return {view->has_ended() ? 200 : 202, "application/json", to_text(*view)};
}

HttpResponse Api::part_of(const JobView& view, const std::string& part, const HttpRequest& request) const {
    if (!view.result || view.result->answers.empty()) return refusal(404, "not-found", "this job has no answers");
    const std::vector<Answer>& answers = view.result->answers;
    const auto place = request.query.find("answer");
    const std::string digits = place == request.query.end() ? "0" : place->second;
    const bool is_number = !digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == std::string::npos;
    const size_t number = is_number ? std::stoul(digits) : answers.size();
    if (number >= answers.size()) return refusal(404, "not-found", "this job has no answer of that number");
    if (part == "page") {
        ExplanationPage page({"Why this class and not that one?", command_, {view.result->pack}});
        if (place != request.query.end())
            page.add(answers[number]);
        else
            for (const Answer& answer : answers) page.add(answer);
        return attachment("text/html; charset=utf-8", "answer.html", page.html());
    }
    if (part == "records") {
        std::string lines;
        for (const Answer& answer : answers) lines += to_json(answer.record) + "\n";
        return attachment("application/jsonl", "records.jsonl", lines);
    }
    if (part == "figure") return attachment("image/svg+xml", "figure.svg", to_svg(answers[number]));
    return unknown(part);
}

}  // namespace whynot::cli
