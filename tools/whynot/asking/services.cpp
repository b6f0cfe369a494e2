#include "asking/services.h"

#include "whynot/error.h"

namespace whynot::cli {

std::string plugin_with(const char* service, const Host& host, const std::string& modality) {
    try {
        return host.find_service(modality, service).manifest.id;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw Error(ErrorCode::not_found, std::string(error.what()) + ". " + build_all_hint);
    }
}

}  // namespace whynot::cli
