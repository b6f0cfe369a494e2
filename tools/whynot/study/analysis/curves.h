#pragma once

/// Figures of a study as SVG: one file each, without script, style or anything from elsewhere, so that they may stand in a page, in an <img>, in a paper.
/// Arms differ in dashes, markers and hatching, and not in colour alone. Texts are escaped. The same numbers give the same bytes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "study/planning/statistics.h"

namespace whynot::cli::study {

/// An arm's curve: shares at 1, 2, 3, ...
struct FigureLine {
    std::string name;
    std::vector<std::optional<double>> shares;  ///< from 0 to 1; nothing: nobody answered there
};

struct CurveFigure {
    std::string title, across, up;  ///< what the axes are
    double chance = 0.5;            ///< a line across
    std::vector<FigureLine> lines;
};

/// Lines over trials, the y axis from 0 to 1.
std::string to_svg(const CurveFigure& figure);

struct FigureBar {
    std::optional<double> mean;  ///< nothing: nobody
    std::optional<Interval> interval;
};

/// A statement, with a bar for each arm.
struct BarGroup {
    std::string label;
    std::vector<FigureBar> bars;  ///< as many as there are arms
};

struct BarFigure {
    std::string title, low, high;  ///< what the ends of the scale are called
    int64_t points = 5;            ///< the scale is 1, 2, ..., points
    std::vector<std::string> arms;
    std::vector<BarGroup> groups;
};

/// Groups of horizontal bars with their intervals.
std::string to_svg(const BarFigure& figure);

}  // namespace whynot::cli::study
