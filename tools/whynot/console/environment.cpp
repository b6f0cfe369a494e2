#include "console/environment.h"

#include <cstdlib>

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

}  // namespace whynot::cli
