// make_flowers FOLDER: writes the pack `flowers`, three sorts of flowers told apart by four lengths. The numbers are made up.
//
// The classifier is the one that is right for classes with the same normal spread about their means (linear discriminant analysis): the
// logit of a class is w . s + b with w its mean and b = -|w|^2 / 2, where s is the row in units of the spread.
#include <whynot/pack.h>
#include <whynot/tensor_file.h>

#include <array>
#include <cmath>
#include <exception>
#include <iostream>

namespace {

using Row = std::array<float, 4>;

const Row spread = {0.5F, 0.35F, 0.6F, 0.35F};
const std::array<Row, 3> means = {{{5.0F, 3.4F, 1.5F, 0.3F}, {5.6F, 2.5F, 4.0F, 1.2F}, {6.6F, 3.2F, 5.4F, 2.0F}}};

float product(const Row& a, const Row& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]; }

/// a + t b
Row sum(const Row& a, float t, const Row& b) { return {a[0] + t * b[0], a[1] + t * b[1], a[2] + t * b[2], a[3] + t * b[3]}; }

Row normalised(const Row& a) { return sum({}, 1 / std::sqrt(product(a, a)), a); }

void write_pack(const char* folder) {
    const Row& centre = means[1];  // rows are measured from here
    std::array<Row, 3> weight{};
    std::array<float, 3> bias{};
    for (size_t c = 0; c < means.size(); ++c) {
        const Row difference = sum(means[c], -1, centre);
        for (size_t i = 0; i < 4; ++i) weight[c][i] = difference[i] / spread[i];
        bias[c] = -product(weight[c], weight[c]) / 2;
    }
    // What a flower of these sorts can look like: the plane through the three means, spanned by two directions of length 1.
    const Row first = normalised(weight[0]);
    const std::array<Row, 2> directions = {first, normalised(sum(weight[2], -product(weight[2], first), first))};

    // An older pack in that folder gives way when the new one is complete.
    whynot::PackWriter writer(folder, {"pack.json", "weights.safetensors", "columns.txt"});
    const auto f32 = whynot::Dtype::f32;
    whynot::write_tensor_file(writer.path("weights.safetensors"), {{"centre", f32, {4}, centre.data(), sizeof centre},
                                                                   {"spread", f32, {4}, spread.data(), sizeof spread},
                                                                   {"weight", f32, {3, 4}, weight.data(), sizeof weight},
                                                                   {"bias", f32, {3}, bias.data(), sizeof bias},
                                                                   {"directions", f32, {2, 4}, directions.data(), sizeof directions}});
    writer.add("columns.txt", "sepal length\nsepal width\npetal length\npetal width\n");
    whynot::PackManifest manifest;
    manifest.id = "flowers";
    manifest.description = "Three sorts of flowers, by length and width of sepals and petals. The numbers are made up.";
    manifest.modality = "rows_of_four";
    manifest.plugin_id = "rows_of_four";
    manifest.plugin_version = "0.1.0";
    manifest.classes = {"small", "middle", "large"};
    manifest.licence = "Apache-2.0";
    writer.finish(std::move(manifest));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: make_flowers FOLDER\n";
        return 2;
    }
    try {
        write_pack(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << "make_flowers: " << error.what() << '\n';
        return 1;
    }
}
