// The one file of whynot_core that sees a header of LibTorch, for its version macro. It links nothing of it.
#include <torch/version.h>

#include <algorithm>

#include "plugin/library.h"

namespace whynot {

PluginStamp internal::stamp_fields(const whynot_stamp& stamp) {
    const auto text = [](const char* value) { return std::string(value ? value : "unknown"); };
    return {{"epoch", std::to_string(stamp.epoch)},
            {"pointer_size", std::to_string(stamp.pointer_size)},
            {"cxx11_abi", stamp.cxx11_abi < 0 ? "none" : std::to_string(stamp.cxx11_abi)},
            {"standard_library", text(stamp.standard_library)},
            {"standard_library_debug", stamp.standard_library_debug ? "on" : "off"},
            {"torch", text(stamp.torch)},
            {"sanitizers", text(stamp.sanitizers)}};
}

PluginStamp host_stamp() {
    static constexpr whynot_stamp stamp = WHYNOT_STAMP(TORCH_VERSION);
    return internal::stamp_fields(stamp);
}

std::string stamp_difference(const PluginStamp& host, const PluginStamp& plugin) {
    struct Row {
        std::string field, host, plugin;
    };
    std::vector<Row> rows;
    const auto value = [](const PluginStamp& stamp, const std::string& field) {
        const auto found = stamp.find(field);
        return found == stamp.end() ? std::string("-") : found->second;
    };
    PluginStamp fields = host;
    fields.insert(plugin.begin(), plugin.end());
    for (const auto& [field, unused] : fields) {
        (void)unused;
        if (value(host, field) != value(plugin, field)) rows.push_back({field, value(host, field), value(plugin, field)});
    }
    if (rows.empty()) return {};

    rows.insert(rows.begin(), {"", "whynot", "plugin"});
    size_t first = 0, second = 0;
    for (const Row& row : rows) {
        first = std::max(first, row.field.size());
        second = std::max(second, row.host.size());
    }
    std::string table;
    for (const Row& row : rows) {
        if (!table.empty()) table += '\n';
        table += "  " + row.field + std::string(first - row.field.size() + 2, ' ') + row.host +
                 std::string(second - row.host.size() + 2, ' ') + row.plugin;
    }
    return table;
}

}  // namespace whynot
