#include "options/options.h"
#include "commands/doctor/doctor.h"
#include "options/common.h"

namespace whynot::cli {

void add_doctor(CLI::App& program, DoctorCommand& command) {
    CLI::App& app =
        add_command(program, "doctor", "Is this machine fit, are plugins and packs in order? 0: all is well, 1: something is wrong");
    add_json(app, command.json, "Print one object on a line");
    add_common(app, command, "one for each core up to 4");
}

}  // namespace whynot::cli
