#include "core/location.h"

#include <dlfcn.h>

#include "whynot/error.h"

namespace whynot {

std::filesystem::path library_directory() {
    static const char anchor = 0;  // data, not a function: the address of a function may lie in the program that calls it
    Dl_info info;
    if (dladdr(&anchor, &info) == 0 || !info.dli_fname)
        throw Error(ErrorCode::internal, "cannot tell where libwhynot_core was loaded from");
    return std::filesystem::canonical(info.dli_fname).parent_path();
}

std::filesystem::path data_directory() { return (library_directory() / WHYNOT_LIBRARY_TO_DATA / "whynot").lexically_normal(); }

}  // namespace whynot
