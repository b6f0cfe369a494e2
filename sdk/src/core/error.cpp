#include "whynot/error.h"

namespace whynot {

Error::Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

// Out of line, so that the type has one home and is the same on both sides of the plugin boundary.
Error::~Error() = default;

const char* to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_input: return "invalid-input";
        case ErrorCode::invalid_argument: return "invalid-argument";
        case ErrorCode::not_found: return "not-found";
        case ErrorCode::bad_pack: return "bad-pack";
        case ErrorCode::bad_plugin: return "bad-plugin";
        case ErrorCode::io: return "io";
        case ErrorCode::cancelled: return "cancelled";
        case ErrorCode::internal: return "internal";
    }
    return "internal";
}

}  // namespace whynot
