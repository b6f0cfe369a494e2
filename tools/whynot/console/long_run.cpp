#include "console/long_run.h"

#include <cstdlib>

#include "console/interrupt.h"

namespace fs = std::filesystem;

namespace whynot::cli {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

fs::path cache_folder() {
    fs::path base = variable("XDG_CACHE_HOME");
    if (!base.is_absolute()) {  // so says the convention
        const fs::path home = variable("HOME");
        if (!home.is_absolute()) return {};
        base = home / ".cache";
    }
    return base / "whynot";
}

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
