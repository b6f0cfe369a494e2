#pragma once

/// The web application that participants see (docs/study.md). It holds each one's place: a reload, the back button or another device
/// with the same link go on where he or she is.

#include <memory>
#include <string>
#include <vector>

#include "serve/http.h"
#include "study/taking/store.h"

namespace whynot::cli::study {

class App {
public:
    /// @param hosts by which it may be addressed beside this machine's own names: that of the proxy before it
    /// @param most_participants beyond which nobody can begin
    App(const Design& design, Store& store, std::vector<std::string> hosts, int64_t most_participants);

    /// The port on which the server listens.
    void set_port(uint16_t port) { port_ = port; }

    std::optional<HttpResponse> check(const HttpRequest& head) const;
    void answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply);

private:
    HttpResponse respond(const HttpRequest& request);
    HttpResponse first(const base::Json& body);
    HttpResponse begin(const base::Json& body);
    HttpResponse now(const base::Json& body);
    HttpResponse take(const base::Json& body);
    HttpResponse withdraw(const base::Json& body);
    HttpResponse picture(const std::string& path) const;
    base::Json now_of(const Participant& participant) const;
    void expect_room(const base::Json& external) const;
    void save_answer(Participant& participant, const base::Json& body, const Screen& screen);
    Participant& participant_in(const base::Json& body);
    bool is_ours(const std::string& host) const;

    const Design& design_;
    Store& store_;
    const OpaqueNames names_;
    const std::vector<std::string> hosts_;
    const int64_t most_participants_;
    uint16_t port_ = 0;
};

}  // namespace whynot::cli::study
