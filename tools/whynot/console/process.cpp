#include "console/process.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "console/environment.h"

namespace whynot::cli {
namespace {

void open_standard_streams() {
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", O_RDONLY) != descriptor) std::abort();  // the lowest that is free: this one
    }
}

/// "4" or "4,2": a number for each level of threads within threads.
void bound_openmp() {
    std::string bounded;
    const std::string asked = variable("OMP_NUM_THREADS");
    bool changed = false;
    for (size_t begin = 0; begin <= asked.size() && !asked.empty();) {
        const size_t end = std::min(asked.find(',', begin), asked.size());
        const std::string_view part = std::string_view(asked).substr(begin, end - begin);
        int number = 0;
        const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
        const bool too_many = read.ec == std::errc::result_out_of_range || (read.ec == std::errc() && number > most_threads());
        changed = changed || too_many;
        bounded += (begin > 0 ? "," : "") + (too_many ? std::to_string(most_threads()) : std::string(part));
        begin = end + 1;
    }
    if (changed) setenv("OMP_NUM_THREADS", bounded.c_str(), 1);
}

}  // namespace

int most_threads() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    return 4 * (sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1);
}

void prepare_process() {
    open_standard_streams();
    std::signal(SIGXFSZ, SIG_IGN);
    bound_openmp();
}

}  // namespace whynot::cli
