// whynot serve.
#include "commands/serve/serve.h"
#include "commands/study/study.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdlib>

#include "console/interrupt.h"
#include "console/json.h"
#include "console/terminal.h"
#include "serve/api.h"
#include "serve/guard.h"
#include "serve/http.h"
#include "serve/jobs.h"
#include "serve/known_packs.h"
#include "whynot/error.h"
#include "whynot/host.h"

extern char** environ;

namespace whynot::cli {
namespace {

PluginSearch plugins_of(const ServeCommand& command) {
    PluginSearch search;
    search.plugin_path = command.plugin_path;
    return search;
}

/// Opens the desktop's browser, where there is a desktop. What it prints is nobody's concern here.
bool open_browser(const std::string& address) {
    if (!std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
    std::string program = "xdg-open", argument = address;
    char* arguments[] = {program.data(), argument.data(), nullptr};
    pid_t child = 0;
    const bool spawned = posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return spawned;
}

class Serving {
public:
    Serving(const ServeCommand& command, const std::function<std::unique_ptr<Asker>()>& open_asker)
        : command_(command),
          packs_(Host(plugins_of(command)), command.packs),
          server_(
              {}, [this](const HttpRequest& head) { return guard_->check(head); },
              [this](HttpRequest request, const std::shared_ptr<HttpReply>& reply) { api_.answer(std::move(request), reply); }),
          port_(server_.listen(static_cast<uint16_t>(command.port), command.port == 0 ? 1 : 1 + further_ports)),
          guard_(std::make_unique<Guard>(port_)),
          jobs_({}, open_asker, written),
          api_(packs_, jobs_, "whynot serve",
               [this](double seconds, std::function<void()> call) { server_.after(seconds, std::move(call)); }) {}

    int run() {
        announce();
        tidy();
        std::vector<int> ends{interruption()};
        if (command_.end_with_input) ends.push_back(STDIN_FILENO);
        server_.run(ends);
        return answered;
    }

private:
    void announce() {
        const std::string address = "http://127.0.0.1:" + std::to_string(port_) + "/";
        if (command_.port != 0 && port_ != command_.port)
            complain("port " + std::to_string(command_.port) + " is in use; this is port " + std::to_string(port_));
        if (command_.json)
            print_line({{"url", address}, {"port", port_}, {"token", guard_->token()}});
        else
            print(address + "?token=" + guard_->token() + "\n");
        if (command_.no_browser) return;
        if (!open_browser(address + "?ticket=" + guard_->ticket()))
            complain("no desktop here: open that address in a browser of this machine");
    }

    void tidy() {
        jobs_.tidy();
        server_.after(1, [this] { tidy(); });
    }

    const ServeCommand& command_;
    const KnownPacks packs_;
    HttpServer server_;
    const uint16_t port_;
    const std::unique_ptr<Guard> guard_;
    Jobs jobs_;  // before the server goes, its thread has ended
    Api api_;
};

int serve(const ServeCommand& command, const std::function<std::unique_ptr<Asker>()>& open_asker) {
    return interruptible([&] { return Serving(command, open_asker).run(); });
}

}  // namespace
}  // namespace whynot::cli

const whynot::cli::ServeCommands* whynot_serve_commands() {
    static const whynot::cli::ServeCommands commands{WHYNOT_VERSION,
                                                     &whynot::cli::serve,
                                                     &whynot::cli::make_study,
                                                     &whynot::cli::serve_study,
                                                     &whynot::cli::delete_from_study,
                                                     &whynot::cli::simulate_study,
                                                     &whynot::cli::plan_study,
                                                     &whynot::cli::analyse_study};
    return &commands;
}
