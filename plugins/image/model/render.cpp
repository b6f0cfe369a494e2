// How a boundary point becomes pictures.
//
// What is shown is what pictures can hold, 256 levels, and every figure is of that. With a folder to write to, one explanation is
//
//     NAME/input.png         what the networks were given
//     NAME/boundary.png      I(z_e)
//     NAME/answer.png        I(z) beyond it, where it is the foil; if one was found
//     NAME/difference.png    red: add, blue: remove, over the greyed input: the way to the answer, or to the boundary where there is none
//     NAME/sheet.png         all of it with names and numbers
//     NAME/morph.gif         I(z) along straight lines from z0 to z_e, on to the answer, and back
#include <ATen/ATen.h>

#include <filesystem>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "drawing/drawing.h"
#include "image/model/levels.h"
#include "image/model/model.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::image {

namespace {

namespace fs = std::filesystem;
using base::Json;

constexpr int64_t morph_steps = 12;
constexpr double shown_tolerance = 0.002;  // nats: the gap of a boundary that is shown

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

// What the sheet shows.
std::string sentence(const RenderRequest& request, const std::vector<std::string>& classes, bool has_answer) {
    const std::string &fact = classes[request.fact], &foil = classes[request.foil];
    std::string text;
    if (request.between >= 0 && request.between != request.fact)
        text = "The nearest picture found that is as likely " + foil + " as any class (" + classes[request.between] + " stands between)";
    else
        text = "The nearest picture found that is as likely " + foil + " as " + fact;
    return text + (has_answer ? ", the nearest that is " + foil + ", and what that one adds and removes."
                              : ", and what it adds to the input and removes from it.");
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

// What is shown of a picture: its levels, and what the classifier says of them.
struct Shown {
    at::Tensor image;          // [channels, h, w]
    at::Tensor probabilities;  // [C], double
};

// One explanation in pictures.
struct Views {
    Shown input, boundary;
    std::optional<Shown> answer;
    double to_boundary = 0, to_answer = 0;  // latent distances

    // Where the way ends that the difference shows.
    const Shown& end() const { return answer ? *answer : boundary; }
};

std::vector<double> numbers(const at::Tensor& probabilities) {
    const at::Tensor values = probabilities.contiguous();
    return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

drawing::Difference difference_of(const Views& views) {
    const at::Tensor& input = views.input.image;
    return drawing::draw_difference(floats(input), floats(views.end().image), input.size(0), input.size(1), input.size(2));
}

std::string change_in_words(const at::Tensor& pixels) {
    return "lighter by " + base::number(pixels.clamp_min(0).sum().item<double>()) + ", darker by " +
           base::number(-pixels.clamp_max(0).sum().item<double>()) + " pixels in all; the largest change of one is " +
           base::number(pixels.abs().max().item<double>());
}

Rendering rendering_of(const Views& views, const drawing::Difference& difference) {
    const at::Tensor pixels = views.boundary.image - views.input.image;
    Rendering rendering;
    rendering.record = "{}";
    rendering.distance =
        Json{{"l1", pixels.abs().sum().item<double>()}, {"l2", pixels.norm().item<double>()}, {"linf", pixels.abs().max().item<double>()}}
            .dump();
    rendering.pictures = {{"input", to_picture(views.input.image)}, {"boundary", to_picture(views.boundary.image)}};
    rendering.boundary = numbers(views.boundary.probabilities);
    rendering.boundary_again = drawing::to_png(rendering.pictures[1].picture);
    if (views.answer) {
        rendering.pictures.push_back({"answer", to_picture(views.answer->image)});
        rendering.answer = numbers(views.answer->probabilities);
        rendering.answer_again = drawing::to_png(rendering.pictures[2].picture);
    }
    rendering.pictures.push_back({"difference", difference.picture});
    rendering.terminal = (views.answer ? "to the boundary: " : "") + change_in_words(pixels);
    if (views.answer) rendering.terminal += "\nto the answer: " + change_in_words(views.answer->image - views.input.image);
    return rendering;
}

// The sheet: input, boundary, answer and difference, with what the classifier says and how far it is.
Picture sheet_of(const std::vector<std::string>& classes, const RenderRequest& request, const Rendering& rendering, const Views& views,
                 double scale) {
    const std::string &fact = classes[request.fact], &foil = classes[request.foil];
    const auto panel = [&](const NamedPicture& named, const std::string& title, const Shown& shown) {
        drawing::Panel made{named.picture, {title}, 0};
        for (const std::string& line : verdict(classes, shown.probabilities, request.fact, request.foil)) made.lines.push_back(line);
        return made;
    };
    const bool edge = request.between >= 0;
    std::vector<drawing::Panel> panels{
        panel(rendering.pictures[0], "input", views.input),
        panel(rendering.pictures[1], edge ? "edge" : "boundary", views.boundary),
    };
    if (views.answer) panels.push_back(panel(rendering.pictures[2], "answer", *views.answer));
    drawing::Panel change{rendering.pictures.back().picture, {"difference"}, scale};
    const double length = (views.end().image - views.input.image).norm().item<double>();
    change.lines.push_back("distance " + base::number(views.answer ? views.to_answer : views.to_boundary) + " (latent)");
    change.lines.push_back("L2 " + base::number(length) + " (pixels)");
    panels.push_back(std::move(change));
    return drawing::draw_sheet("Why " + fact + " and not " + foil + "?", sentence(request, classes, views.answer.has_value()), panels);
}

// Makes what is shown of a batch's points.
class Showing {
public:
    Showing(const ImageModel& model, const ImageBatch& batch, const at::Tensor& start) : model_(model), batch_(batch), start_(start) {}

    std::vector<Views> look_at(const std::vector<RenderRequest>& requests) const {
        const auto said = [&](const at::Tensor& images) { return at::softmax(model_.logits(images).to(at::kDouble), 1); };
        std::vector<at::Tensor> points, answers;
        std::vector<int64_t> rows, answered, rivals, foils;
        for (const RenderRequest& request : requests) {
            points.push_back(request.boundary);
            rows.push_back(request.row);
            rivals.push_back(request.between >= 0 ? request.between : request.fact);
            foils.push_back(request.foil);
            if (!request.answer.defined()) continue;
            answers.push_back(request.answer);
            answered.push_back(request.row);
        }
        const at::Tensor of_rows = at::tensor(rows, at::kLong), inputs = batch_.images().index_select(0, of_rows);
        const at::Tensor boundaries = to_levels_on_boundary(
            batch_.draw(at::stack(points), of_rows), at::tensor(rivals, at::kLong), at::tensor(foils, at::kLong),
            [&](const at::Tensor& images) { return model_.logits(images); }, shown_tolerance);
        const at::Tensor of_inputs = said(inputs), of_boundaries = said(boundaries);
        at::Tensor beyond, of_beyond;
        if (!answers.empty()) {
            beyond = to_levels(batch_.draw(at::stack(answers), at::tensor(answered, at::kLong)));
            of_beyond = said(beyond);
        }
        std::vector<Views> views;
        int64_t a = 0;
        for (size_t r = 0; r < requests.size(); ++r) {
            const auto i = static_cast<int64_t>(r);
            const at::Tensor z0 = start_[requests[r].row];
            Views& made = views.emplace_back(Views{{inputs[i], of_inputs[i]}, {boundaries[i], of_boundaries[i]}, std::nullopt, 0, 0});
            made.to_boundary = (requests[r].boundary - z0).norm().item<double>();
            if (!requests[r].answer.defined()) continue;
            made.answer = Shown{beyond[a], of_beyond[a]};
            made.to_answer = (requests[r].answer - z0).norm().item<double>();
            ++a;
        }
        return views;
    }

    /// The way in latent space, z0 to z_e and on to the answer, as it is shown at each step, with the pictures that are shown at its ends.
    std::vector<Frame> way(const RenderRequest& request, const Views& views) const {
        std::vector<at::Tensor> points;
        const auto walk = [&](const at::Tensor& from, const at::Tensor& to, int64_t steps) {
            for (int64_t i = points.empty() ? 0 : 1; i <= steps; ++i)
                points.push_back(from + (to - from) * (static_cast<double>(i) / static_cast<double>(steps)));
        };
        walk(start_[request.row], request.boundary, morph_steps);
        if (views.answer) walk(request.boundary, request.answer, morph_steps / 2);
        const at::Tensor rows = at::full({static_cast<int64_t>(points.size())}, request.row, at::kLong);
        at::Tensor shown = to_levels(batch_.draw(at::stack(points), rows));
        shown[morph_steps].copy_(views.boundary.image);
        const at::Tensor said = at::softmax(model_.logits(shown).to(at::kDouble), 1);
        std::vector<Frame> frames;
        for (int64_t i = 0; i < shown.size(0); ++i) frames.push_back({"", to_picture(shown[i]), numbers(said[i])});
        frames[0].name = "input";
        frames[morph_steps].name = request.between >= 0 ? "edge" : "boundary";
        if (views.answer) frames.back().name = "answer";
        return frames;
    }

    void write_files(const RenderRequest& request, const Views& views, const std::vector<Frame>& way, const drawing::Difference& difference,
                     Rendering& rendering) const {
        std::vector<Picture> path;
        std::vector<size_t> stops;
        for (const Frame& frame : way) {
            if (!frame.name.empty()) stops.push_back(path.size());
            path.push_back(frame.picture);
        }
        std::vector<int> hundredths;
        const std::vector<Picture> frames = drawing::draw_morph(path, stops, shown_side, hundredths);

        Folder folder(request);
        folder.write("input", "input.png", drawing::to_png(rendering.pictures[0].picture));
        folder.write("boundary", "boundary.png", rendering.boundary_again);
        if (views.answer) folder.write("answer", "answer.png", rendering.answer_again);
        folder.write("difference", "difference.png", drawing::to_png(drawing::enlarge(difference.picture, shown_side)));
        folder.write("sheet", "sheet.png", drawing::to_png(sheet_of(model_.info().classes, request, rendering, views, difference.scale)));
        folder.write("morph", "morph.gif", drawing::to_gif(frames, hundredths));
        rendering.record = folder.record().dump();
    }

private:
    const ImageModel& model_;
    const ImageBatch& batch_;
    const at::Tensor& start_;  // z0, [B, k]
};

}  // namespace

std::vector<Rendering> ImageBatch::render(const std::vector<RenderRequest>& requests, uint64_t) {
    if (requests.empty()) return {};
    const at::NoGradGuard no_grad;
    const Showing showing(model_, *this, start_);
    const std::vector<Views> views = showing.look_at(requests);
    std::vector<Rendering> renderings;
    for (size_t r = 0; r < requests.size(); ++r) {
        check_interruption();
        const drawing::Difference difference = difference_of(views[r]);
        Rendering rendering = rendering_of(views[r], difference);
        const bool files = !requests[r].out.empty();
        if (files || requests[r].frames) rendering.frames = showing.way(requests[r], views[r]);
        if (files) showing.write_files(requests[r], views[r], rendering.frames, difference, rendering);
        if (!requests[r].frames) rendering.frames.clear();
        renderings.push_back(std::move(rendering));
    }
    return renderings;
}

}  // namespace whynot::image
