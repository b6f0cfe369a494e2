// How a boundary point becomes pictures.
//
// With a folder to write to, one explanation is
//
//     NAME/input.png         what the networks were given
//     NAME/boundary.png      I(z_e), clipped to what a picture can hold
//     NAME/difference.png    red: add, blue: remove, over the greyed input
//     NAME/sheet.png         all of it with names and numbers
//     NAME/morph.gif         I(z) along the straight line from z0 to z_e and back
#include <ATen/ATen.h>

#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "drawing/drawing.h"
#include "image/model/model.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace whynot::image {

namespace {

namespace fs = std::filesystem;
using base::Json;

constexpr int64_t shown_side = 280;  // pixels, for people
constexpr int64_t morph_steps = 12;

std::vector<float> floats(const at::Tensor& image) {
    const at::Tensor values = image.to(at::kFloat).contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

std::string percent(double share) {
    if (share > 0 && share < 0.0005) return "<0.1 %";
    if (share < 1 && share >= 0.9995) return ">99.9 %";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
    return text;
}

// The probabilities of fact, foil and the likeliest other class, one a line.
std::vector<std::string> verdict(const std::vector<std::string>& classes, const at::Tensor& probabilities, int64_t fact, int64_t foil) {
    std::vector<std::string> text;
    const auto add = [&](int64_t c) { text.push_back(classes[c] + "  " + percent(probabilities[c].item<double>())); };
    add(fact);
    add(foil);
    const at::Tensor order = probabilities.argsort(0, true);
    for (int64_t i = 0; i < order.size(0); ++i) {
        const int64_t c = order[i].item<int64_t>();
        if (c == fact || c == foil) continue;
        add(c);
        break;
    }
    return text;
}

// What the sheet shows. A search that found no boundary is shown where it came nearest to one.
std::string sentence(const at::Tensor& probabilities, const RenderRequest& request, const std::string& fact, const std::string& foil) {
    constexpr double even = 0.05;  // nats
    const double gap = (probabilities[request.fact].log() - probabilities[request.foil].log()).item<double>();
    const std::string where = std::abs(gap) < even ? "The nearest picture found that is as likely " + foil + " as " + fact
                                                   : "The picture that came nearest to being as likely " + foil + " as " + fact;
    return where + ", and what it adds to the input and removes from it.";
}

}  // namespace

std::vector<Rendering> ImageBatch::render(const std::vector<RenderRequest>& requests, uint64_t) {
    const at::NoGradGuard no_grad;
    const std::vector<std::string>& classes = model_.info().classes;
    std::vector<Rendering> renderings;
    for (const RenderRequest& request : requests) {
        const at::Tensor row = at::tensor({request.row}, at::kLong);
        const at::Tensor input = images_[request.row], z0 = start_[request.row];
        const at::Tensor boundary = draw(request.boundary.unsqueeze(0), row)[0];
        const at::Tensor change = boundary - input;
        const drawing::Difference difference =
            drawing::draw_difference(floats(input), floats(boundary), input.size(0), input.size(1), input.size(2));

        Rendering rendering;
        const double l2 = change.norm().item<double>();
        rendering.distance =
            Json{{"l1", change.abs().sum().item<double>()}, {"l2", l2}, {"linf", change.abs().max().item<double>()}}.dump();
        rendering.pictures = {{"input", to_picture(input)}, {"boundary", to_picture(boundary)}, {"difference", difference.picture}};
        const std::string added = number(change.clamp_min(0).sum().item<double>()),
                          removed = number(-change.clamp_max(0).sum().item<double>());
        rendering.terminal = "lighter by " + added + ", darker by " + removed + " pixels in all; the largest change of one is " +
                             number(change.abs().max().item<double>());

        Json record = Json::object();
        if (!request.out.empty()) {
            const fs::path folder = fs::path(request.out) / request.name;
            std::error_code error;
            fs::create_directories(folder, error);
            if (error) throw Error(ErrorCode::io, "cannot make the folder " + folder.string() + ": " + error.message());
            const auto write = [&](const char* key, const std::string& file, const std::string& bytes) {
                write_file_atomically(folder / file, bytes);
                record[key] = request.name + "/" + file;
            };
            const std::string& fact = classes[request.fact];
            const std::string& foil = classes[request.foil];
            const at::Tensor before = at::softmax(model_.logits(input.unsqueeze(0)).to(at::kDouble), 1)[0];
            const at::Tensor after = at::softmax(model_.logits(boundary.unsqueeze(0)).to(at::kDouble), 1)[0];
            std::vector<drawing::Panel> panels;
            for (const NamedPicture& named : rendering.pictures) panels.push_back({named.picture, {named.name}});
            for (const std::string& line : verdict(classes, before, request.fact, request.foil)) panels[0].lines.push_back(line);
            for (const std::string& line : verdict(classes, after, request.fact, request.foil)) panels[1].lines.push_back(line);
            panels[2].scale = difference.scale;
            panels[2].lines.push_back("distance " + number((request.boundary - z0).norm().item<double>()) + " (latent)");
            panels[2].lines.push_back("L2 " + number(l2) + " (pixels)");

            std::vector<Picture> path;
            for (int64_t step = 0; step <= morph_steps; ++step) {
                const at::Tensor z = z0 + (request.boundary - z0) * (static_cast<double>(step) / morph_steps);
                path.push_back(to_picture(draw(z.unsqueeze(0), row)[0]));
            }
            std::vector<int> hundredths;
            const std::vector<Picture> frames = drawing::draw_morph(path, shown_side, hundredths);

            write("input", "input.png", drawing::to_png(rendering.pictures[0].picture));
            write("boundary", "boundary.png", drawing::to_png(rendering.pictures[1].picture));
            write("difference", "difference.png", drawing::to_png(drawing::enlarge(difference.picture, shown_side)));
            write("sheet", "sheet.png",
                  drawing::to_png(
                      drawing::draw_sheet("Why " + fact + " and not " + foil + "?", sentence(after, request, fact, foil), panels)));
            write("morph", "morph.gif", drawing::to_gif(frames, hundredths));
        }
        rendering.record = record.dump();
        renderings.push_back(std::move(rendering));
    }
    return renderings;
}

}  // namespace whynot::image
