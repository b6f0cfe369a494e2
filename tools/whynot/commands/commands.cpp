#include "commands/commands.h"

const whynot::cli::Commands* whynot_commands() {
    using namespace whynot::cli;
    static const Commands commands{WHYNOT_VERSION,    &explain,        &classify,         &train,        &evaluate, &doctor,
                                   &list_experiments, &run_experiment, &check_in_process, &import_model, &bench};
    return &commands;
}
