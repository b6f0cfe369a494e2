#pragma once

/// The endpoints of `whynot serve` (docs/serve.md), and the files of the explorer.

#include <functional>
#include <memory>
#include <string>

#include "serve/http.h"
#include "serve/jobs.h"
#include "serve/known_packs.h"

namespace whynot::cli {

/// What came of a job as the members of a JSON object, without its braces; empty for a result of nothing.
std::string written(const AskResult& result);

class Api {
public:
    /// @param later calls something in the server's thread
    Api(const KnownPacks& packs, Jobs& jobs, std::string command, std::function<void(double, std::function<void()>)> later);

    /// In the server's thread.
    void answer(HttpRequest request, const std::shared_ptr<HttpReply>& reply);

private:
    HttpResponse respond(const HttpRequest& request);
    void add(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply);
    void job(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply);
    void when_ended(const std::string& id, double wait, bool is_its_own, const std::shared_ptr<HttpReply>& reply);
    HttpResponse view(const std::string& id);
    HttpResponse part_of(const JobView& view, const std::string& part, const HttpRequest& request) const;

    const KnownPacks& packs_;
    Jobs& jobs_;
    const std::string command_;
    const std::function<void(double, std::function<void()>)> later_;
};

}  // namespace whynot::cli
