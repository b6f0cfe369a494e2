// whynot-describe LIBRARY: writes the manifest of a plugin beside it. Part of every build of a plugin (whynot_add_plugin), where a
// plugin that no host would load fails at once.
#include <exception>
#include <filesystem>
#include <iostream>

#include "whynot/host.h"
#include "whynot/manifest.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: whynot-describe LIBRARY.so\nWrites the manifest LIBRARY.json of a plugin beside it.\n";
        return 2;
    }
    try {
        std::filesystem::path library = std::filesystem::absolute(argv[1]);
        const whynot::PluginManifest manifest = whynot::describe_plugin(library);
        whynot::write_plugin_manifest(manifest, library.replace_extension(".json"));
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "whynot-describe: " << error.what() << '\n';
        return 1;
    }
}
