#include "image/comparing/sheets.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "drawing/image_file.h"
#include "whynot/atomic_file.h"

namespace whynot::image {

void write_sheet(const std::filesystem::path& out, const std::string& file, const std::string& title, const std::string& sentence,
                 const std::vector<drawing::Panel>& panels, ExperimentResult& result) {
    write_file_atomically(out / file, drawing::to_png(drawing::draw_sheet(title, sentence, panels)));
    result.pictures.push_back({file, title});
}

void draw_changes(const std::filesystem::path& out, const Kind& kind, const Asked& asked,
                  const std::vector<std::pair<std::string, at::Tensor>>& shown, const std::vector<std::string>& classes,
                  ExperimentResult& result) {
    std::string name = kind.name;
    std::replace(name.begin(), name.end(), ' ', '-');
    for (int64_t i = 0; i < std::min(shown_questions, asked.sample.size()); ++i) {
        const std::string fact = classes[static_cast<size_t>(asked.sample.fact()[i].item<int64_t>())],
                          foil = classes[static_cast<size_t>(kind.foil[i].item<int64_t>())];
        const at::Tensor image = asked.sample.images()[i];
        std::vector<drawing::Panel> panels{{to_picture(image), {"input", "called " + fact}, 0}};
        for (const auto& [method, changes] : shown) panels.push_back({draw_change(image, changes[i]), {method}, 0});
        write_sheet(out, name + "-" + std::to_string(i + 1) + ".png", "why " + fact + " and not " + foil + "?",
                    "What each method would have lighter (red) and darker (blue).", panels, result);
    }
}

}  // namespace whynot::image
