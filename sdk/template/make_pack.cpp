// make_pack FOLDER: writes the pack of the plugin whynot_template. The build runs it; change the circle, build again, and ask again.
//
// A pack is a folder: the weights, and pack.json, which names every file with its size and SHA-256. A pack of your own comes from
// whatever trains your model, in C++ as here or in any language that writes safetensors files and JSON.
#include <whynot/pack.h>
#include <whynot/tensor_file.h>

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: make_pack FOLDER\n";
        return 2;
    }
    try {
        const float centre[] = {0, 0};
        const float radius[] = {1};

        // An older pack in that folder gives way when the new one is complete.
        whynot::PackWriter writer(argv[1], {"pack.json", "weights.safetensors"});
        whynot::write_tensor_file(writer.path("weights.safetensors"),
                                  {{"centre", whynot::Dtype::f32, {2}, centre, sizeof centre},  // name, type, shape, data, bytes
                                   {"radius", whynot::Dtype::f32, {1}, radius, sizeof radius}});
        whynot::PackManifest manifest;
        manifest.id = "whynot_template";
        manifest.description = "The circle of radius 1 about the origin.";
        manifest.modality = "whynot_template";
        manifest.plugin_id = "whynot_template";
        manifest.plugin_version = "0.1.0";
        manifest.classes = {"inside", "outside"};  // in the order of the classifier's outputs
        manifest.emits = whynot::Emits::logits;
        manifest.licence = "Apache-2.0";
        writer.finish(std::move(manifest));
    } catch (const std::exception& error) {
        std::cerr << "make_pack: " << error.what() << '\n';
        return 1;
    }
}
