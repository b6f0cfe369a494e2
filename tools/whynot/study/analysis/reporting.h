#pragma once

/// The result of a study for programs, for a terminal and for a page.

#include <string>
#include <utility>
#include <vector>

#include "study/analysis/analysing.h"
#include "whynot/experiment.h"

namespace whynot::cli::study {

/// "whynot.study-analysis/1", indented. What could not be computed is {"why": "..."}. Scores are right answers; shares have names that say so.
std::string to_json(const StudyResult& result);

/// All tables and notes, as lines.
std::string to_text(const StudyResult& result);

/// The figures: names of files and their SVG, learning curves and ratings.
struct StudyPicture {
    std::string file, caption, svg;
};
std::vector<StudyPicture> pictures_of(const StudyResult& result);

/// For `whynot::to_html`, `to_markdown`, ... @param pictures lie in the folder that those are given
ExperimentResult to_page_result(const StudyResult& result, const std::vector<StudyPicture>& pictures);

}  // namespace whynot::cli::study
