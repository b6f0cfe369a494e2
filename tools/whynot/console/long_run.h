#pragma once

/// What commands share that take minutes.

#include "console/terminal.h"
#include "whynot/progress.h"

namespace whynot::cli {

/// Shows progress as a bar, logs above it, and stops at a signal. `status` must outlive it.
Observer observer(StatusLine& status);

}  // namespace whynot::cli
