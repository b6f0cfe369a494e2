#include "core/location.h"

#include <dlfcn.h>

#include "whynot/error.h"
#include "whynot/host.h"

namespace whynot {

namespace fs = std::filesystem;

fs::path internal::library_directory() {
    static const char anchor = 0;  // data, not a function: the address of a function may lie in the program that calls it
    Dl_info info;
    if (dladdr(&anchor, &info) == 0 || !info.dli_fname)
        throw Error(ErrorCode::internal, "cannot tell where libwhynot_core was loaded from");
    return fs::canonical(info.dli_fname).parent_path();
}

fs::path installed_plugin_folder() { return internal::library_directory() / "whynot" / "plugins"; }

fs::path installed_data_folder() { return (internal::library_directory() / WHYNOT_LIBRARY_TO_DATA / "whynot").lexically_normal(); }

}  // namespace whynot
