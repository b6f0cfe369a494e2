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

#include <filesystem>

#include "base/format.h"
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

// The probabilities of fact, foil and the likeliest other class, one a line.
std::vector<std::string> verdict(const std::vector<std::string>& classes, const at::Tensor& probabilities, int64_t fact, int64_t foil) {
    std::vector<std::string> text;
    const auto add = [&](int64_t c) { text.push_back(classes[c] + "  " + base::probability(probabilities[c].item<double>())); };
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

// How the pictures of an explanation are named, and where they are written.
class Folder {
public:
    explicit Folder(const RenderRequest& request) : name_(request.name), path_(fs::path(request.out) / request.name) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error) throw Error(ErrorCode::io, "cannot make the folder " + path_.string() + ": " + error.message());
    }
    void write(const char* key, const std::string& file, const std::string& bytes) {
        write_file_atomically(path_ / file, bytes);
        record_[key] = name_ + "/" + file;
    }
    const Json& record() const { return record_; }

private:
    std::string name_;
    fs::path path_;
    Json record_ = Json::object();
};

// What a boundary changes in an image.
struct Change {
    at::Tensor input, boundary, pixels;  // [channels, h, w]
    drawing::Difference difference;
    double l2 = 0;
};

Change change_of(const at::Tensor& input, const at::Tensor& boundary) {
    const at::Tensor pixels = boundary - input;
    return {input, boundary, pixels, drawing::draw_difference(floats(input), floats(boundary), input.size(0), input.size(1), input.size(2)),
            pixels.norm().item<double>()};
}

Rendering rendering_of(const Change& change) {
    const at::Tensor& pixels = change.pixels;
    const double largest = pixels.abs().max().item<double>();
    Rendering rendering;
    rendering.distance = Json{{"l1", pixels.abs().sum().item<double>()}, {"l2", change.l2}, {"linf", largest}}.dump();
    rendering.pictures = {
        {"input", to_picture(change.input)}, {"boundary", to_picture(change.boundary)}, {"difference", change.difference.picture}};
    rendering.terminal = "lighter by " + base::number(pixels.clamp_min(0).sum().item<double>()) + ", darker by " +
                         base::number(-pixels.clamp_max(0).sum().item<double>()) + " pixels in all; the largest change of one is " +
                         base::number(largest);
    return rendering;
}

// The sheet: input, boundary and difference, with what the classifier says and how far it is.
Picture sheet_of(const ImageModel& model, const RenderRequest& request, const Rendering& rendering, const Change& change,
                 double latent_distance) {
    const std::vector<std::string>& classes = model.info().classes;
    const std::string &fact = classes[request.fact], &foil = classes[request.foil];
    const auto probabilities = [&](const at::Tensor& image) { return at::softmax(model.logits(image.unsqueeze(0)).to(at::kDouble), 1)[0]; };
    const at::Tensor before = probabilities(change.input), after = probabilities(change.boundary);
    std::vector<drawing::Panel> panels;
    for (const NamedPicture& named : rendering.pictures) panels.push_back({named.picture, {named.name}});
    for (const std::string& line : verdict(classes, before, request.fact, request.foil)) panels[0].lines.push_back(line);
    for (const std::string& line : verdict(classes, after, request.fact, request.foil)) panels[1].lines.push_back(line);
    panels[2].scale = change.difference.scale;
    panels[2].lines.push_back("distance " + base::number(latent_distance) + " (latent)");
    panels[2].lines.push_back("L2 " + base::number(change.l2) + " (pixels)");
    return drawing::draw_sheet("Why " + fact + " and not " + foil + "?", sentence(after, request, fact, foil), panels);
}

}  // namespace

std::vector<Rendering> ImageBatch::render(const std::vector<RenderRequest>& requests, uint64_t) {
    const at::NoGradGuard no_grad;
    std::vector<Rendering> renderings;
    for (const RenderRequest& request : requests) {
        const at::Tensor row = at::tensor({request.row}, at::kLong);
        const at::Tensor z0 = start_[request.row], step = request.boundary - z0;
        const Change change = change_of(images_[request.row], draw(request.boundary.unsqueeze(0), row)[0]);
        Rendering rendering = rendering_of(change);
        rendering.record = "{}";
        if (!request.out.empty()) {
            std::vector<Picture> path;
            for (int64_t i = 0; i <= morph_steps; ++i)
                path.push_back(to_picture(draw((z0 + step * (static_cast<double>(i) / morph_steps)).unsqueeze(0), row)[0]));
            std::vector<int> hundredths;
            const std::vector<Picture> frames = drawing::draw_morph(path, shown_side, hundredths);

            Folder folder(request);
            folder.write("input", "input.png", drawing::to_png(rendering.pictures[0].picture));
            folder.write("boundary", "boundary.png", drawing::to_png(rendering.pictures[1].picture));
            folder.write("difference", "difference.png", drawing::to_png(drawing::enlarge(change.difference.picture, shown_side)));
            const double latent_distance = step.norm().item<double>();
            folder.write("sheet", "sheet.png", drawing::to_png(sheet_of(model_, request, rendering, change, latent_distance)));
            folder.write("morph", "morph.gif", drawing::to_gif(frames, hundredths));
            rendering.record = folder.record().dump();
        }
        renderings.push_back(std::move(rendering));
    }
    return renderings;
}

}  // namespace whynot::image
