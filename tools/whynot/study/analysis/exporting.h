#pragma once

/// A study's data for others: CSV in the Psych-DS layout, what each column means, and an R script that repeats the analysis.
///
/// What leaves the study is what `Respondents` has: running numbers for people, answers that the design knows, times. Nothing that a browser or a recruiter said of
/// itself, no time of day.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "study/analysis/analysing.h"
#include "study/analysis/people.h"
#include "study/analysis/reporting.h"
#include "whynot/page.h"

namespace whynot::cli::study {

/// A column of an exported table.
struct Column {
    std::string name, type;                                   ///< type: "text", "whole number", "number"
    std::string description;                                  ///< a sentence
    std::vector<std::pair<std::string, std::string>> values;  ///< what may stand there, each with what it means; none: see the description
    std::string unit;
};

/// A file of the export: data/`file`.
struct DataTable {
    std::string file, description;
    std::vector<Column> columns;
    std::vector<std::vector<std::string>> rows;  ///< as many cells as there are columns; empty: there is no such value
};

/// One trial a row, catch trials too, of everybody who is in the log.
DataTable trials_table(const Design& design, const Respondents& people);
/// One person a row.
DataTable people_table(const Design& design, const Respondents& people);
/// One rating a row.
DataTable ratings_table(const Design& design, const Respondents& people);
/// One answer to a question a row: those with a right answer and those without.
DataTable answers_table(const Design& design, const Respondents& people);
/// What people saw: one item a row.
DataTable stimuli_table(const Design& design);

/// As RFC 4180 has it: lines end with CR LF, cells with commas, quotes or ends of lines are quoted. A cell that a spreadsheet would take for a formula gets an
/// apostrophe before it.
std::string to_csv(const DataTable& table);
/// `trials_table` as CSV.
std::string to_csv(const Design& design, const Respondents& people);

/// The script, for R without packages. It expects the data where `export_study` puts them.
std::string to_r(const Design& design);

/// Writes the data set into a folder, which is made, or is empty, or holds an older export: dataset_description.json, README.md, data/study-NAME_data.csv and
/// four more, codebook.csv, codebook.md, analysis.R. Throws `invalid_argument` for a folder with anything else in it, `io`.
/// @returns the files that were written
std::vector<std::filesystem::path> export_study(const Design& design, const Respondents& people, const std::filesystem::path& folder);

/// Writes what was found into a folder, which is made: analysis.json, trials.csv, the figures as SVG, analysis.html with them in it.
std::vector<std::filesystem::path> write_analysis(const Design& design, const Respondents& people, const StudyResult& result,
                                                  const std::filesystem::path& folder, const PageInfo& page);

}  // namespace whynot::cli::study
