#include "commands/commands.h"

#include "bench/bench.h"
#include "commands/attribute/attribute.h"
#include "commands/doctor/doctor.h"
#include "commands/experiment/experiment.h"
#include "commands/explain/explain.h"
#include "commands/packs/packs.h"
#include "commands/plugins/check.h"
#include "commands/train/train.h"
#include "serve/asking_packs.h"

const whynot::cli::Commands* whynot_commands() {
    using namespace whynot::cli;
    static const Commands commands{WHYNOT_VERSION,    &explain,        &classify,         &attribute,    &train, &evaluate,  &doctor,
                                   &list_experiments, &run_experiment, &check_in_process, &import_model, &bench, &open_asker};
    return &commands;
}
