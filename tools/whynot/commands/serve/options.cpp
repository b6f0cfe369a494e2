#include "options/options.h"
#include "commands/serve/serve.h"
#include "options/common.h"

namespace whynot::cli {

void add_serve(CLI::App& program, ServeCommand& command) {
    CLI::App& app = add_command(program, "serve", "The explorer: ask in a browser, or from another program, on this machine alone");
    app.add_option("--pack", command.packs,
                   "A pack, by its id or folder, to stand first; may be given several times. All that are found can be asked")
        ->type_name("PACK")
        ->check(not_empty("a pack"))
        ->expected(1)
        ->take_all();
    app.add_option("--port", command.port, "The port on 127.0.0.1; where it is in use the next free one, up to ten further. 0: any")
        ->type_name("N")
        ->check(between(0, 65535))
        ->capture_default_str();
    app.add_flag("--no-browser", command.no_browser, "Print the address and open no browser");
    app.add_flag("--end-with-input", command.end_with_input,
                 "End when standard input ends, as it does with the program that started this one");
    app.add_option("--memory", command.memory, "Close models that were not asked for longest where all together take more than so many MB")
        ->type_name("MB")
        ->check(between<int64_t>(1))
        ->capture_default_str();
    add_json(app, command.json, "Print one object on a line: url, port, token");
    add_common(app, command, "1 for up to 4 inputs, else one for each core up to 4");
    add_device(app, command);
    app.footer(
        "It answers whoever has the token in the address that it prints, until Ctrl-C. docs/serve.md has its endpoints.\n"
        "Examples:\n  whynot serve\n  whynot serve --no-browser --json --port 0\n\n" +
        std::string(exit_codes));
}

}  // namespace whynot::cli
