#pragma once

/// For authors of plugins: everything between a class of yours and a library that whynot can load.
///
///     #include <whynot/modality.h>
///     #include <whynot/plugin.h>
///
///     class Points : public whynot::Modality { ... };
///
///     whynot::PluginInfo describe() {
///         whynot::PluginInfo plugin;
///         plugin.id = "points";
///         plugin.name = "Points in the plane";
///         plugin.version = "1.0.0";
///         plugin.licence = "MIT";
///         plugin.summary = "Explains linear classifiers of points in the plane.";
///         plugin.modality = "points";
///         return plugin;
///     }
///
///     WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Points>);
///
/// and in CMake `whynot_add_plugin(points points.cpp)`. That compiles the library so that it exports the entry alone, and writes its
/// manifest, points.json, beside it.
///
/// Methods of services may throw: the host turns what comes into `whynot::Error`. They may not print, change
/// process-wide state (thread counts, seeds, default dtype, locale), or register operators with LibTorch.
///
/// <torch/version.h> holds macros only: this header costs no time to compile.

#include <torch/version.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <type_traits>

#include "whynot/abi.h"
#include "whynot/export.h"

namespace whynot {

/// What a plugin says of itself. The texts must live as long as the process: use literals.
struct PluginInfo {
    const char* id = nullptr;                ///< unique among plugins; a-z 0-9 . _ -
    const char* name = nullptr;              ///< for people
    const char* version = nullptr;           ///< semantic version, "1.2.0"
    const char* licence = nullptr;           ///< SPDX identifier
    const char* summary = nullptr;           ///< one sentence
    const char* modality = nullptr;          ///< of the packs that its services are for; null: of none. Required with a whynot::Modality
    const whynot_option* options = nullptr;  ///< static table ended by {}
    const whynot_artifact* artifacts = nullptr;  ///< static table ended by {}
    void (*init)() = nullptr;  ///< called once before the first service is asked for; throws what should stand in the refusal
};

/// One service of a plugin: `Implementation` under the id of `Interface`. Made when it is first asked for, with its default constructor,
/// and never destroyed: at exit, threads of LibTorch may still use it.
template <class Interface, class Implementation>
struct Service {
    static_assert(std::is_base_of_v<Interface, Implementation>, "the implementation must derive from the interface");
    static constexpr const char* id = Interface::service_id;

    static void* get() {
        static Implementation* const implementation = new Implementation;
        return static_cast<Interface*>(implementation);  // to the interface before void*: the host casts back to exactly that
    }
};

/// Writes the parts of the descriptor that are the same in every plugin. `Definition` is local to the plugin's file, which
/// keeps these statics out of the reach of other plugins, whatever visibility they are compiled with.
template <class Definition, class... Services>
struct PluginAdapter {
    static_assert(sizeof...(Services) > 0, "a plugin provides at least one service");

    static int init(char* message, size_t size) noexcept {
        return attempt(message, size,
                       [] {
                           if (const auto init = Definition::info().init) init();
                       })
                   ? 0
                   : 1;
    }

    static void* service(const char* id, char* message, size_t size) noexcept {
        void* found = nullptr;
        attempt(message, size, [&] { ((std::strcmp(id, Services::id) == 0 ? void(found = Services::get()) : void()), ...); });
        return found;
    }

    static const whynot_plugin_v1* descriptor() noexcept {
        static constexpr const char* services[] = {Services::id..., nullptr};
        static const PluginInfo info = Definition::info();
        static const whynot_plugin_v1 plugin{sizeof(whynot_plugin_v1),
                                             WHYNOT_PLUGIN_ABI,
                                             Definition::stamp(),
                                             info.id,
                                             info.name,
                                             info.version,
                                             info.licence,
                                             info.summary,
                                             info.modality,
                                             services,
                                             info.options,
                                             info.artifacts,
                                             &init,
                                             &service};
        return &plugin;
    }

private:
    template <class F>
    static bool attempt(char* message, size_t size, F&& f) noexcept {
        if (size > 0) message[0] = '\0';
        try {
            f();
            return true;
        } catch (const std::exception& error) {
            std::snprintf(message, size, "%s", error.what());
        } catch (...) {
            std::snprintf(message, size, "it threw something that is no std::exception");
        }
        return false;
    }
};

}  // namespace whynot

/// Makes a library a plugin. Once in one file of it, at global scope.
/// @param INFO an expression that gives a whynot::PluginInfo and does not throw
///
/// The other arguments: one whynot::Service<Interface, Implementation> for each service.
#define WHYNOT_PLUGIN(INFO, ...)                                                         \
    namespace {                                                                          \
    struct WhynotPluginDefinition {                                                      \
        static whynot::PluginInfo info() { return INFO; }                                \
        static const whynot_stamp* stamp() {                                             \
            static constexpr whynot_stamp value = WHYNOT_STAMP(TORCH_VERSION);           \
            return &value;                                                               \
        }                                                                                \
    };                                                                                   \
    }                                                                                    \
    extern "C" WHYNOT_API const whynot_plugin_v1* whynot_plugin_entry() noexcept {       \
        return whynot::PluginAdapter<WhynotPluginDefinition, __VA_ARGS__>::descriptor(); \
    }                                                                                    \
    static_assert(true, "so that a semicolon may follow")
