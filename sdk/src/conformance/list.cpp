#include "base/members.h"
#include "whynot/conformance.h"

namespace whynot {

const std::vector<ConformanceCheck>& conformance_checks() {
    static const std::vector<ConformanceCheck> checks{
        {"exported-symbol", "The library exports one symbol, whynot_plugin_entry.", ""},
        {"loads", "The library loads, and its descriptor is of this host's ABI and stamp and the same each time it is asked for.", ""},
        {"required-fields", "The descriptor has every required field, and options whose defaults lie within their bounds.", "loads"},
        {"manifest", "The manifest beside the library says what the descriptor says.", "required-fields"},
        {"listing", "Listing the plugin takes less than 100 ms and does not load it.", "manifest"},
        {"unique-id", "No other plugin where hosts look has its id.", "manifest"},
        {"services", "The plugin initialises itself and gives every service that it lists, the same one each time.", "manifest"},
        {"unknown-services", "Asked for a service that it does not list, it answers null.", "services"},
        {"opens", "The pack opens, and the model has its classes, a latent space and a typical distance.", "services"},
        {"bad-pack", "A pack with a file that is missing, empty or cut short, and an unknown device, give an error.", "opens"},
        {"inputs", "Every sample input is read.", "opens"},
        {"bad-input", "Input that is none is refused with a sentence or read as it is, and leaves its neighbours alone.", "inputs"},
        {"shapes", "classify gives [B, C], start [B, k], log_likelihood [b, C] and extra_starts [q, S, k], all finite.", "inputs"},
        {"probabilities", "The class probabilities of every input sum to one.", "shapes"},
        {"batch-equals-singles", "A batch says what its inputs say one by one, and rows in another order the same.", "shapes"},
        {"same-seed", "Two models give the same explanations, byte for byte, for the same seed.", "shapes"},
        {"round-trip", "At the latent start the classifier sees what it sees in the input, within the bound declared.", "shapes"},
        {"gradients", "The gradients of the log-likelihoods are those of central differences.", "shapes"},
        {"solution", "The solver's boundary points, and the answers made of them, hold when another model is asked afresh.", "shapes"},
        {"shown", "What is shown, read again, has the class probabilities that are shown with it.", "shapes"},
        {"rendering", "Every decoding gives a record that the schema accepts, plain lines, and pictures of the size they claim.", "shapes"},
        {"deadline", "A search ends at its deadline and when it is cancelled, and the model answers as before.", "shapes"},
        {"two-threads", "Two models in two threads give what one gives.", "shapes"},
        {"prints-nothing", "Loading, opening and explaining print nothing.", "inputs"},
        {"process-state", "Thread count, seed, dtype, locale, signal handlers, working folder and environment stay as they were.",
         "inputs"},
    };
    return checks;
}

const char* to_string(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::passed: return "passed";
        case Outcome::skipped: return "skipped";
        case Outcome::warning: return "warning";
        case Outcome::failed: return "failed";
        case Outcome::crashed: return "crashed";
    }
    return "failed";
}

std::string to_json(const CheckResult& result) {
    // A plugin's own words may be in the message, in any bytes.
    return base::Json{{"check", result.check},
                      {"outcome", to_string(result.outcome)},
                      {"message", result.message.empty() ? base::Json() : base::Json(result.message)},
                      {"seconds", result.seconds}}
        .dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

CheckResult check_result_from_json(std::string_view json) {
    const std::string origin = "the result of a check";
    const base::Json object = base::parse_json_object(json, ErrorCode::invalid_input, origin);
    base::Members members(object, ErrorCode::invalid_input, origin);
    CheckResult result;
    result.check = members.text("check");
    const std::string outcome = members.text("outcome");
    for (const Outcome known : {Outcome::passed, Outcome::skipped, Outcome::warning, Outcome::failed, Outcome::crashed})
        if (outcome == to_string(known)) result.outcome = known;
    if (outcome != to_string(result.outcome)) members.refuse("outcome", "passed, skipped, warning, failed or crashed");
    if (!members.take("message").is_null()) result.message = members.text("message");
    result.seconds = members.number("seconds", 0, 1e9);
    return result;
}

}  // namespace whynot
