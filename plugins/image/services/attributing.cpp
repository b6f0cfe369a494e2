#include "image/services/attributing.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "base/format.h"
#include "drawing/drawing.h"
#include "image/attribution/maps.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/interruption.h"

namespace whynot::image {

namespace {

namespace fs = std::filesystem;

/// In words, where the most of it is: the window of a fifth of the sides with the largest sum, either way.
std::string described(const at::Tensor& scores, const std::string& unit) {
    const double positive = scores.clamp_min(0).sum().item<double>(), negative = scores.clamp_max(0).sum().item<double>();
    const int64_t side = std::max<int64_t>(1, std::min(scores.size(0), scores.size(1)) / 5);
    const at::Tensor means = at::avg_pool2d(scores.view({1, 1, scores.size(0), scores.size(1)}), side, 1)[0][0];
    const int64_t place = means.abs().argmax().item<int64_t>();
    const int64_t row = place / means.size(1) + side / 2, column = place % means.size(1) + side / 2;
    const std::string counted = unit.empty() ? "" : " " + unit;
    return "for the fact " + base::number(positive) + counted + ", against it " + base::number(-negative) + counted + "; most around row " +
           std::to_string(row + 1) + ", column " + std::to_string(column + 1) + " of " + std::to_string(scores.size(0)) + " x " +
           std::to_string(scores.size(1)) + (means.flatten()[place].item<double>() < 0 ? " (against it)" : "");
}

/// Writes the pictures of one map.
void write_files(const ImageModel& model, const AttributionRequest& request, const AttributionQuestion& question, const at::Tensor& scores,
                 AttributionMap& map) {
    const fs::path folder = fs::path(request.out) / question.name;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw Error(ErrorCode::io, "cannot make the folder " + folder.string() + ": " + error.message());
    const std::vector<std::string>& classes = model.info().classes;
    const std::string fact = classes[static_cast<size_t>(question.fact)],
                      foil = question.foil < 0 ? "" : classes[static_cast<size_t>(question.foil)];
    const auto write = [&](const char* name, const std::string& file, const Picture& picture) {
        write_file_atomically(folder / file, drawing::to_png(picture));
        map.files.emplace_back(name, question.name + "/" + file);
    };
    const drawing::Panel painted{map.pictures[1].picture,
                                 {request.method + (request.sweep ? ", sweep" : "")},
                                 scores.abs().max().item<double>(),
                                 foil.empty() ? "against" : foil,
                                 fact};
    const std::string title = foil.empty() ? "What speaks for " + fact + "?" : "What speaks for " + fact + " and not " + foil + "?";
    const std::string sentence = "Red speaks for " + fact + ", blue " + (foil.empty() ? "against it." : "for " + foil + ".");
    write("map", "map.png", drawing::enlarge(map.pictures[1].picture, shown_side));
    write("sheet", "sheet.png", drawing::draw_sheet(title, sentence, {{map.pictures[0].picture, {"input"}, 0}, painted}));
}

}  // namespace

std::vector<AttributionMethod> ImageAttribution::methods() const { return methods_of_images(); }

std::vector<AttributionMap> ImageAttribution::attribute(Model& model, Batch& batch, const AttributionRequest& request) {
    const auto* const image_model = dynamic_cast<const ImageModel*>(&model);
    const auto* const images = dynamic_cast<const ImageBatch*>(&batch);
    if (image_model == nullptr || images == nullptr)
        throw Error(ErrorCode::invalid_argument, "the attribution of images needs a model and a batch of the plugin 'image', found others");
    std::vector<AttributionMap> maps;
    if (request.questions.empty()) return maps;
    const bool alone = request.questions.front().foil < 0;
    std::vector<int64_t> rows, facts, foils;
    for (const AttributionQuestion& question : request.questions) {
        if ((question.foil < 0) != alone)
            throw Error(ErrorCode::invalid_argument, "expected all questions with a foil, or none, found both");
        rows.push_back(question.row);
        facts.push_back(question.fact);
        foils.push_back(question.foil);
    }
    const AskedImages asked{images->images().index_select(0, at::tensor(rows, at::kLong)), at::tensor(facts, at::kLong),
                            alone ? at::Tensor() : at::tensor(foils, at::kLong)};
    const at::Tensor scores = request.sweep ? attribute_by_sweep(*image_model, asked, request.method, request.seed)
                                            : attribute_images(*image_model, asked, request.method, request.seed);
    const std::string unit = request.sweep ? "" : unit_of_map(request.method);
    for (size_t q = 0; q < request.questions.size(); ++q) {
        check_interruption();
        const at::Tensor of_one = scores[static_cast<int64_t>(q)].to(at::kDouble).contiguous(),
                         image = asked.images[static_cast<int64_t>(q)];
        AttributionMap& map = maps.emplace_back();
        map.shape = of_one.sizes().vec();
        map.scores.assign(of_one.data_ptr<double>(), of_one.data_ptr<double>() + of_one.numel());
        map.unit = unit;
        map.terminal = described(of_one, unit);
        map.pictures = {{"input", to_picture(image)}, {"map", draw_change(image, of_one)}};
        if (!request.out.empty()) write_files(*image_model, request, request.questions[q], of_one, map);
    }
    return maps;
}

}  // namespace whynot::image
