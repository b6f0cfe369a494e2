#pragma once

#include "commands/common.h"

namespace whynot::cli {

struct DoctorCommand : CommonOptions {};

/// `whynot doctor`: is this machine fit for whynot, and if not, what to do?
int doctor(const DoctorCommand& command);

}  // namespace whynot::cli
