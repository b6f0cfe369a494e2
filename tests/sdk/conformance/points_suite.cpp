// The conformance kit as a plugin's own test program links it.
#include "whynot/conformance_suite.h"

namespace {

whynot::CheckRequest points() {
    whynot::CheckRequest request;
    request.library = WHYNOT_POINTS_PLUGIN;
    request.pack = WHYNOT_POINTS_PACK;
    return request;
}

WHYNOT_CONFORMANCE_SUITE(Points, points());

}  // namespace
