#pragma once

/// Contact sheets of the experiments.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "drawing/drawing.h"
#include "image/comparing/ground.h"
#include "image/model/fit.h"
#include "whynot/experiment.h"

namespace whynot::image {

constexpr int64_t shown_questions = 3;

/// Writes a sheet of panels as FILE and names it in the result.
void write_sheet(const std::filesystem::path& out, const std::string& file, const std::string& title, const std::string& sentence,
                 const std::vector<drawing::Panel>& panels, ExperimentResult& result);

/// The first questions of a kind, one sheet each: the input and the change that each method proposes. @param shown name and changes [m, h, w]
void draw_changes(const std::filesystem::path& out, const Kind& kind, const Asked& asked,
                  const std::vector<std::pair<std::string, at::Tensor>>& shown, const std::vector<std::string>& classes,
                  ExperimentResult& result);

}  // namespace whynot::image
