// Plugins with one fault each, chosen by a macro FAULT_<name>; FAULT_none has none. They need no LibTorch.
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "sdk/plugin/echo.h"
#include "whynot/error.h"
#include "whynot/plugin.h"

#ifdef FAULT_torch
#undef TORCH_VERSION
#define TORCH_VERSION "0.4.1"
#endif

namespace {

class LoudEcho : public Echo {
public:
    LoudEcho() {
#ifdef FAULT_service_throws
        throw std::runtime_error(
            "the echo has no mountain\nException raised from LoudEcho at broken.cpp:1 (most recent call first):\nframe #0");
#elif defined(FAULT_service_crashes)
        std::abort();
#endif
    }

    std::string say(const std::string& what) override {
        if (what.empty()) {  // what c10::Error::what() looks like
            throw std::runtime_error("expected words\nException raised from say at broken.cpp:2 (most recent call first):\nframe #0: ...");
        }
        if (what == "number") throw 7;
        if (what == "ours") throw whynot::Error(whynot::ErrorCode::invalid_input, "these words cannot be said");
        return what + '!';
    }
};

const char* const volumes[] = {"low", "high", nullptr};
const whynot_option options[] = {
    {"times", "int", "3", "1", "9", nullptr, "How often it comes back."},
    {"volume", "choice", "low", nullptr, nullptr, volumes, "How loud."},
    {"delay", "float", "0.5", "0", nullptr, nullptr, "Seconds before it comes back."},
    {},
};
const whynot_artifact artifacts[] = {{"mountain.txt", "text", 1, "What throws it back."}, {}};

[[maybe_unused]] void init_throws() { throw std::runtime_error("the licence of the mountain has expired"); }
[[maybe_unused]] int init_fails(char* message, size_t size) {
    if (size > 0) *message = '\0';
    return 42;
}
[[maybe_unused]] void* no_service(const char*, char*, size_t) { return nullptr; }

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
#if defined(FAULT_none) || defined(FAULT_twin)
    plugin.id = "echo";
#else  // an id each, because a process keeps to one plugin of an id
    plugin.id = "echo_" FAULT_NAME;
#endif
    plugin.name = "Echo";
    plugin.version = "1.0.0";
    plugin.licence = "MIT";
    plugin.summary = "Says what it hears.";
    plugin.options = options;
    plugin.artifacts = artifacts;
#ifdef FAULT_init_throws
    plugin.init = init_throws;
#endif
    return plugin;
}

struct Definition {
    static whynot::PluginInfo info() { return describe(); }
    static const whynot_stamp* stamp() {
        static constexpr whynot_stamp value = WHYNOT_STAMP(TORCH_VERSION);
        return &value;
    }
};

}  // namespace

#if defined(FAULT_symbol)
extern "C" WHYNOT_API const void* some_other_symbol() { return Definition::stamp(); }
#elif defined(FAULT_none) || defined(FAULT_torch) || defined(FAULT_init_throws) || defined(FAULT_service_throws) || \
    defined(FAULT_service_crashes)
WHYNOT_PLUGIN(describe(), whynot::Service<Echo, LoudEcho>);
#else
#ifdef FAULT_dependency
extern "C" int gone();
#elif defined(FAULT_exports)
extern "C" WHYNOT_API int left_over() { return 0; }
#endif

extern "C" WHYNOT_API const whynot_plugin_v1* whynot_plugin_entry() noexcept {
    static whynot_plugin_v1 plugin = *whynot::PluginAdapter<Definition, whynot::Service<Echo, LoudEcho>>::descriptor();
#if defined(FAULT_abi)
    plugin.abi_version = 99;
#elif defined(FAULT_null)
    return nullptr;
#elif defined(FAULT_short)
    plugin.struct_size = 24;
#elif defined(FAULT_stamp)
    plugin.stamp = nullptr;
#elif defined(FAULT_field)
    plugin.licence = nullptr;
#elif defined(FAULT_bounds)
    static const whynot_option wrong[] = {{"times", "int", "12", "1", "9", nullptr, "How often it comes back."}, {}};
    plugin.options = wrong;
#elif defined(FAULT_init_fails)
    plugin.init = init_fails;
#elif defined(FAULT_service_missing)
    plugin.service = no_service;
#elif defined(FAULT_twin)
    plugin.name = "Another echo";
#elif defined(FAULT_crashes)
    std::abort();
#elif defined(FAULT_hangs)
    while (true) pause();
#elif defined(FAULT_dependency)
    plugin.abi_version += static_cast<uint32_t>(gone());
#endif
    return &plugin;
}
#endif
