#include "console/long_run.h"

#include "console/interrupt.h"

namespace whynot::cli {

Observer observer(StatusLine& status) {
    Observer watch;
    watch.progress = [&](const Progress& progress) { status.show(progress); };
    watch.log = [&](const std::string& line) {
        status.clear();
        complain(line);
    };
    watch.cancelled = [] { return interrupted(); };
    return watch;
}

}  // namespace whynot::cli
