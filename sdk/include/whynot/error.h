#pragma once

#include <stdexcept>
#include <string>

#include "whynot/export.h"

namespace whynot {

/// What went wrong, as a caller can act on it. The sentence that comes with it is for people.
enum class ErrorCode {
    invalid_input,     ///< the input itself: empty, too long, not UTF-8, not an image, an unknown class, ...
    invalid_argument,  ///< an option out of range, shapes that do not fit: the caller's mistake
    not_found,         ///< a pack, plugin, service or file that is not there
    bad_pack,          ///< a pack that is truncated, altered, of another format or does not fit its plugin
    bad_plugin,        ///< a library that is no plugin, of another ABI or stamp, or fails to start
    io,                ///< reading or writing failed: permissions, disk full, ...
    cancelled,         ///< the caller asked to stop
    internal,          ///< a defect of ours or of a plugin
};

/// The one exception of the SDK. Its message says what was expected, what was found and what to do; it is one
/// paragraph (a table for stamps), in UTF-8, without a trailing newline or a backtrace. Texts of strangers within it are escaped and
/// it is cut after 8,000 bytes, so that it can be printed as it is.
///
///     #include <iostream>
///
///     #include "whynot/pack.h"
///
///     void look_for_yelp() {
///         try {
///             whynot::find_pack("yelp", whynot::default_pack_search());
///         } catch (const whynot::Error& error) {
///             if (error.code() != whynot::ErrorCode::not_found) throw;
///             std::cerr << error.what() << '\n';
///         }
///     }
class WHYNOT_API Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message);
    ~Error() override;
    ErrorCode code() const noexcept { return code_; }

private:
    ErrorCode code_;
};

/// The name of a code, as in JSON: "invalid-input", "not-found", ...
WHYNOT_API const char* to_string(ErrorCode code) noexcept;

}  // namespace whynot
