// whynot plugins check --in-process: for a debugger, and what the program runs for each check.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "asking/models.h"
#include "commands/plugins/check.h"
#include "stream/inputs.h"

namespace whynot::cli {
namespace {

/// While it lives, what is printed goes to standard error: plugins must not mix their words with results.
class OutputAside {
public:
    OutputAside() : output_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
        std::fflush(stdout);
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    ~OutputAside() {
        std::fflush(stdout);
        dup2(output_, STDOUT_FILENO);
        close(output_);
    }
    OutputAside(const OutputAside&) = delete;
    OutputAside& operator=(const OutputAside&) = delete;

private:
    const int output_;
};

}  // namespace

int check_in_process(const CheckCommand& command) {
    set_threads(command.threads, 1);
    CheckRequest request;
    request.library = library_of(command);
    request.plugin_path = command.plugin_path;
    request.pack = command.pack;
    request.seed = command.seed;
    for (const Argument& argument : look_at(command.inputs))
        request.inputs.push_back(is_image(argument) ? read_image(argument.text) : Input{argument.text, ""});
    CheckReport report(command.json);
    for (const std::string& name : chosen_checks(command)) {
        CheckResult result;
        {
            const OutputAside aside;
            result = run_check(name, request);
        }
        report.add(result);
    }
    return report.finish();
}

}  // namespace whynot::cli
