#pragma once

/// The plugin boundary itself: what a host may read of a library before it knows whether the two fit together.
///
/// Everything here is plain data with C linkage, needs no Torch, and depends on no compiler switch. C++ objects cross only after the stamps
/// of host and plugin have been found equal. Authors of plugins include `whynot/plugin.h`, which fills all this in.
///
/// A host reads in this order. Until it has come to the end, it calls nothing of the plugin but the entry:
///
///     whynot_plugin_entry() -> struct_size -> abi_version -> stamp -> the other fields -> init
///
/// Lifetime: whatever the descriptor points to lives as long as the process; plugins are never unloaded.
/// Threads: the entry and `service` may be called from any thread; `init` is called once, before the first `service`.
/// Errors: nothing throws across this boundary.

#include <cstddef>
#include <cstdint>

/// Version of the structures below. The entry's name stays as long as `struct_size` and `abi_version` come first.
#define WHYNOT_PLUGIN_ABI 1

/// Counts incompatible changes of the C++ interfaces behind the services. Before 1.0 a method may still change in place:
/// then this number grows, and plugins built before are refused instead of called wrongly.
#define WHYNOT_SDK_EPOCH 2

extern "C" {

/// How a library was compiled, as far as C++ objects that cross from one to another care. All fields must be equal.
struct whynot_stamp {
    uint32_t struct_size;            ///< sizeof(whynot_stamp)
    int32_t epoch;                   ///< WHYNOT_SDK_EPOCH
    int32_t pointer_size;            ///< bytes
    int32_t cxx11_abi;               ///< _GLIBCXX_USE_CXX11_ABI; -1 where the standard library has no such switch
    int32_t standard_library_debug;  ///< 1: containers with debug mode, which have other sizes
    const char* standard_library;    ///< "libstdc++", "libc++"
    const char* torch;               ///< TORCH_VERSION of the headers, "1.13.0"; LibTorch promises nothing across versions
    const char* sanitizers;          ///< "none", "address", "thread"
};

/// One option of a plugin, for help, validation and documentation. A table ends with an option whose key is null.
struct whynot_option {
    const char* key;            ///< "decode"
    const char* type;           ///< "bool", "int", "float", "string" or "choice"
    const char* default_value;  ///< as text: "true", "12", "0.5"
    const char* min;            ///< of int and float, as text, inclusive; null: no bound
    const char* max;
    const char* const* choices;  ///< of choice: the values, ended by null
    const char* help;            ///< one sentence
};

/// One kind of file that the plugin's packs hold. A table ends with an artifact whose key is null.
struct whynot_artifact {
    const char* key;   ///< name of the file in the pack: "weights.safetensors"
    const char* kind;  ///< "tensors", "vocabulary", "torchscript", ...
    int32_t required;  ///< 0: packs may lack it
    const char* help;  ///< one sentence
};

/// What the entry answers with. Texts are UTF-8.
struct whynot_plugin_v1 {
    uint32_t struct_size;  ///< sizeof(whynot_plugin_v1) as the plugin was compiled; a longer one has fields we do not know
    uint32_t abi_version;  ///< WHYNOT_PLUGIN_ABI
    const whynot_stamp* stamp;
    const char* id;                    ///< unique among plugins; a-z 0-9 . _ -, as in "text" or "org.example.audio"
    const char* name;                  ///< for people
    const char* version;               ///< semantic version of the plugin, "1.2.0"
    const char* licence;               ///< SPDX identifier
    const char* summary;               ///< one sentence
    const char* modality;              ///< of the packs that its services are for, "text"; null: of none. Required with whynot.modality
    const char* const* services;       ///< ids of what `service` gives, at least one, ended by null
    const whynot_option* options;      ///< null: none
    const whynot_artifact* artifacts;  ///< null: none

    /// Prepares the plugin. Anything but 0 refuses, with a sentence in `message` (`size` bytes with its terminating zero). Null: nothing to do.
    int (*init)(char* message, size_t size);

    /// The service of that id: a pointer to exactly the C++ interface whose `service_id` it is, owned by the plugin. Null for an id it
    /// does not know (message empty) or when the service could not be made (message says why).
    void* (*service)(const char* id, char* message, size_t size);
};

}  // extern "C"

/// The one symbol that a plugin exports.
#define WHYNOT_PLUGIN_ENTRY "whynot_plugin_entry"
using whynot_plugin_entry_t = const whynot_plugin_v1*();

#if defined(_GLIBCXX_USE_CXX11_ABI)
#define WHYNOT_STAMP_CXX11_ABI _GLIBCXX_USE_CXX11_ABI
#else
#define WHYNOT_STAMP_CXX11_ABI (-1)
#endif

#if defined(_GLIBCXX_DEBUG) || defined(_LIBCPP_ENABLE_DEBUG_MODE)
#define WHYNOT_STAMP_LIBRARY_DEBUG 1
#else
#define WHYNOT_STAMP_LIBRARY_DEBUG 0
#endif

#if defined(_LIBCPP_VERSION)
#define WHYNOT_STAMP_LIBRARY "libc++"
#elif defined(__GLIBCXX__)
#define WHYNOT_STAMP_LIBRARY "libstdc++"
#else
#define WHYNOT_STAMP_LIBRARY "unknown"
#endif

#if defined(__has_feature)
#define WHYNOT_HAS_FEATURE(x) __has_feature(x)
#else
#define WHYNOT_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || WHYNOT_HAS_FEATURE(address_sanitizer)
#define WHYNOT_STAMP_SANITIZERS "address"
#elif defined(__SANITIZE_THREAD__) || WHYNOT_HAS_FEATURE(thread_sanitizer)
#define WHYNOT_STAMP_SANITIZERS "thread"
#else  // the undefined-behaviour sanitizer changes nothing that crosses the boundary
#define WHYNOT_STAMP_SANITIZERS "none"
#endif

/// Initialiser of the stamp of the file that it stands in. @param torch_version TORCH_VERSION, from <torch/version.h>
#define WHYNOT_STAMP(torch_version)                                                                                                      \
    {                                                                                                                                    \
        sizeof(whynot_stamp), WHYNOT_SDK_EPOCH, static_cast<int32_t>(sizeof(void*)), WHYNOT_STAMP_CXX11_ABI, WHYNOT_STAMP_LIBRARY_DEBUG, \
            WHYNOT_STAMP_LIBRARY, torch_version, WHYNOT_STAMP_SANITIZERS                                                                 \
    }

namespace whynot {

/// The host's half of the only cast at the boundary: the pointer that `whynot_plugin_v1::service` gave for `S::service_id`.
/// The plugin's half is `whynot::Service` in plugin.h.
template <class S>
S* service_cast(void* service) noexcept {
    return static_cast<S*>(service);
}

}  // namespace whynot
