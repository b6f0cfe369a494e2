#pragma once

#include <filesystem>
#include <functional>

#include "whynot/pack.h"
#include "whynot/tensor_file.h"

namespace whynot::test {

/// Writes the pack of the plugin points: three classes, `left` at (-1, 0), `right` at (1, 0), `top` at (0, 1), each the likeliest about
/// its place. The score of a class is twice the product of point and place, so left and right are equally likely where x = 0.
/// @param edit changes the manifest that is written
inline Pack write_points_pack(const std::filesystem::path& directory, const std::function<void(PackManifest&)>& edit = {}) {
    static const float weight[] = {-2, 0, 2, 0, 0, 2};
    static const float bias[] = {0, 0, 0};
    PackWriter writer(directory);
    write_tensor_file(writer.path("weights.safetensors"),
                      {{"weight", Dtype::f32, {3, 2}, weight, sizeof weight}, {"bias", Dtype::f32, {3}, bias, sizeof bias}});
    PackManifest manifest;
    manifest.id = "points";
    manifest.description = "Three classes of points in the plane.";
    manifest.modality = "points";
    manifest.plugin_id = "points";
    manifest.plugin_version = "1.0.0";
    manifest.classes = {"left", "right", "top"};
    manifest.licence = "MIT";
    if (edit) edit(manifest);
    return writer.finish(std::move(manifest));
}

}  // namespace whynot::test
