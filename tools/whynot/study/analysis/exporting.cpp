#include "study/analysis/exporting.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/format.h"
#include "base/text.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"

namespace fs = std::filesystem;

namespace whynot::cli::study {
namespace {

using base::Json;

// -------------------------------------------------------------------------------------------------------------------------- CSV

/// The shortest number that reads back as the same.
std::string exact(double value) {
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() ? std::string(text.data(), end) : "";
}

std::string exact(const std::optional<double>& value) { return value ? exact(*value) : ""; }

// ------------------------------------------------------------------------------------------------------------------- the columns

using Values = std::vector<std::pair<std::string, std::string>>;

const Values no_yes{{"0", "no"}, {"1", "yes"}};

Column participant_column() { return {"participant", "whole number", "A person: a running number, which stands nowhere else.", {}, ""}; }

Column arm_column(const Design& design) {
    Values values;
    for (const Arm& arm : design.arms()) values.emplace_back(arm.id, "shows: " + arm.explanation);
    return {"arm", "text", "The arm that the person was assigned to, in permuted blocks.", values, ""};
}

Column state_column() {
    return {"state",
            "text",
            "How it ended.",
            {{"finished", "answered everything that was asked"}, {"withdrawn", "withdrew, and let the data be kept"}, {"left", "neither"}},
            ""};
}

Column excluded_column(const Design& design) {
    Values values;
    for (const Reason reason : all_reasons())
        if (is_declared(design.exclusions(), reason)) values.emplace_back(to_string(reason), rule_of(design.exclusions(), reason));
    return {"excluded", "text",
            "Why the person is left out of the analysis, by rules declared beforehand; several are separated by a semicolon. Empty: is "
            "analysed.",
            values, ""};
}

Column step_column(const Design& design, const std::string& kind) {
    Values values;
    for (const Step& step : design.steps())
        if (step.kind == kind)
            values.emplace_back(step.id, kind == "scale"       ? "statements to rate"
                                         : kind == "questions" ? "questions"
                                         : step.feedback       ? std::to_string(step.items.size()) + " trials with feedback"
                                                               : std::to_string(step.items.size()) + " trials without feedback");
    return {"step", "text", "The part of the session.", values, ""};
}

Values class_values(const Design& design) {
    Values values;
    for (const std::string& name : design.classes()) values.emplace_back(name, "a made-up name of a class");
    return values;
}

std::string codes_of(const Respondent& person) {
    std::vector<std::string> codes;
    for (const Reason reason : person.reasons) codes.emplace_back(to_string(reason));
    return base::joined(codes, ";");
}

/// What Psych-DS lets stand in the name of a file: letters and digits.
std::string keyword_of(const Design& design) {
    std::string word;
    for (const char c : name_of(design))
        if (c != '-' && c != '_') word += c;
    return word.empty() ? "study" : word;
}

const Arm& arm_at(const Design& design, const std::string& id) {
    return *std::find_if(design.arms().begin(), design.arms().end(), [&](const Arm& arm) { return arm.id == id; });
}

// ------------------------------------------------------------------------------------------------------------- what goes beside

std::vector<DataTable> tables_to_export(const Design& design, const Respondents& people) {
    return {trials_table(design, people), people_table(design, people), ratings_table(design, people), answers_table(design, people),
            stimuli_table(design)};
}

std::string description_json(const Design& design, const Respondents& people, const std::vector<DataTable>& tables) {
    Json variables = Json::array();
    std::vector<Column> columns;  // each name once, with the values that it has anywhere
    for (const DataTable& table : tables)
        for (const Column& column : table.columns) {
            const auto known = std::find_if(columns.begin(), columns.end(), [&](const Column& one) { return one.name == column.name; });
            if (known == columns.end()) {
                columns.push_back(column);
                continue;
            }
            for (const auto& value : column.values)
                if (std::find(known->values.begin(), known->values.end(), value) == known->values.end()) known->values.push_back(value);
        }
    for (const Column& column : columns) {
        Json variable{{"@type", "PropertyValue"}, {"name", column.name}, {"description", column.description}};
        if (!column.unit.empty()) variable["unitText"] = column.unit;
        if (!column.values.empty()) {
            std::vector<std::string> values;
            for (const auto& [value, meaning] : column.values) values.push_back(value + ": " + meaning);
            variable["description"] = column.description + " " + base::joined(values, "; ") + ".";
        }
        variables.push_back(std::move(variable));
    }
    std::vector<std::string> arms;
    for (const Arm& arm : design.arms()) arms.push_back(arm.id);
    const Json description{
        {"@context", "https://schema.org/"},
        {"@type", "Dataset"},
        {"name", design.title()},
        {"description", std::string(people.simulated ? "SIMULATED: no person took part. " : "") +
                            "A user study of explanations, made with whynot: what people answered, trial by trial. Arms: " +
                            base::joined(arms) + ". Of the design with SHA-256 " + design.sha256() + "."},
        {"keywords", {"user study", "explanations", "machine learning"}},
        {"variableMeasured", variables}};
    return base::write_json(description, 2, ErrorCode::internal, "the description of the data") + "\n";
}

/// Text in a line of Markdown: no markup, no end of the cell or line.
std::string markdown_text(const std::string& text) {
    std::string result;
    for (const char c : base::escape_controls(text)) {
        if (std::string("\\`*_{}[]<>#|&!").find(c) != std::string::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string values_written(const Column& column) {
    std::vector<std::string> values;
    for (const auto& [value, meaning] : column.values) values.push_back(value + " = " + meaning);
    return base::joined(values, "; ");
}

std::string codebook_csv(const std::vector<DataTable>& tables) {
    std::string text = base::csv_line({"file", "column", "type", "unit", "description", "values"});
    for (const DataTable& table : tables)
        for (const Column& column : table.columns)
            text += base::csv_line({table.file, column.name, column.type, column.unit, column.description, values_written(column)});
    return text;
}

std::string codebook_md(const Design& design, const std::vector<DataTable>& tables) {
    std::string text = "# Codebook: " + markdown_text(design.title()) +
                       "\n\nAn empty cell: there is no such value. A text that begins with `=`, `+`, `-` or `@` has an apostrophe before "
                       "it in the files, so that no "
                       "spreadsheet takes it for a formula.\n";
    for (const DataTable& table : tables) {
        text += "\n## data/" + markdown_text(table.file) + "\n\n" + table.description +
                "\n\n| column | type | unit | description | values |\n|---|---|---|---|---|\n";
        for (const Column& column : table.columns)
            text += "| " + markdown_text(column.name) + " | " + column.type + " | " + column.unit + " | " +
                    markdown_text(column.description) + " | " + markdown_text(values_written(column)) + " |\n";
    }
    return text;
}

std::string readme(const Design& design, const Respondents& people, const std::vector<DataTable>& tables) {
    int64_t analysed = 0;
    for (const Respondent& person : people.people)
        if (person.is_analysed()) ++analysed;
    std::string text = "# " + markdown_text(design.title()) +
                       (people.simulated ? "\n\n**These participants are simulated: no person took part.**" : "") +
                       "\n\nData of a user study made with whynot: " + std::to_string(people.people.size()) + " people began, " +
                       std::to_string(analysed) + " are analysed. The layout is Psych-DS.\n\n";
    for (const DataTable& table : tables) text += "- `data/" + table.file + "`: " + table.description + "\n";
    text +=
        "- `codebook.md`, `codebook.csv`: what each column means.\n- `analysis.R`: repeats exclusions, scores, Welch, Holm, g, TOST and "
        "chance with R alone, not the bootstrap: `Rscript "
        "analysis.R`, in this folder.\n"
        "- `dataset_description.json`: for search engines and other programs.\n\n"
        "Who is left out was decided by rules in the design, before anybody took part:\n\n";
    for (const Reason reason : all_reasons())
        if (is_declared(design.exclusions(), reason))
            text += std::string("- `") + to_string(reason) + "`: " + rule_of(design.exclusions(), reason) + "\n";
    return text + "\nThe design has the SHA-256 `" + design.sha256() +
           "`. People are running numbers; ids of recruiters and browsers are not in these data. Before you publish them, add authors and "
           "a licence to "
           "`dataset_description.json`.\n";
}

void expect_own_folder(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(folder, error)) return;
    if (!fs::is_directory(folder, error)) throw Error(ErrorCode::invalid_argument, folder.string() + " is no folder");
    const bool is_export = fs::exists(folder / "dataset_description.json", error) && fs::exists(folder / "analysis.R", error);
    if (!fs::is_empty(folder, error) && !is_export)
        throw Error(ErrorCode::invalid_argument,
                    folder.string() + " has something else in it than an export: name an empty folder or a new one");
}

void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw Error(ErrorCode::io, "cannot make the folder " + folder.string() + ": " + error.message());
}

/// Writes files and remembers which.
class Writer {
public:
    explicit Writer(fs::path folder) : folder_(std::move(folder)) { make_folder(folder_); }

    void write(const std::string& name, const std::string& bytes) {
        write_file_atomically(folder_ / name, bytes);
        files_.push_back(folder_ / name);
    }
    std::vector<fs::path> files() const { return files_; }

private:
    fs::path folder_;
    std::vector<fs::path> files_;
};

}  // namespace

DataTable trials_table(const Design& design, const Respondents& people) {
    DataTable table;
    table.file = "study-" + keyword_of(design) + "_data.csv";
    table.description = "One trial a row, in the order in which people had them.";
    const Values asks{{"class", "what the model calls the item"}, {"after-edit", "what it calls the item after an edit"}};
    table.columns = {
        participant_column(),
        arm_column(design),
        state_column(),
        excluded_column(design),
        step_column(design, "trials"),
        {"ask", "text", "What was asked.", asks, ""},
        {"number", "whole number", "The trials of the step in this person's order, from 1, catch trials not counted.", {}, ""},
        {"seq", "whole number", "The screens of the session in this person's order, from 0.", {}, ""},
        {"item", "text", "The item, as the design calls it.", {}, ""},
        {"catch", "whole number", "A catch trial, on which the right answer was said.", no_yes, ""},
        {"measured", "whole number", "Counts for the score: of the step " + design.analysis().measure + ", and no catch trial.", no_yes,
         ""},
        {"right_answer", "text", "What the model says.", class_values(design), ""},
        {"answer", "text", "What the person answered.", class_values(design), ""},
        {"correct", "whole number", "The two are the same.", no_yes, ""},
        {"confidence", "whole number", "From 1, guessed, to 5, certain. Empty: was not asked.", {}, ""},
        {"seconds", "number", "From when the trial was shown to the choice, as the browser measured it.", {}, "s"},
        {"screen_seconds", "number", "The same to the end of the screen: with the rating of confidence, where it was asked.", {}, "s"},
        {"feedback_seconds", "number", "On the screen with the right answer and the explanation. Empty: there was none.", {}, "s"},
        {"steps_seen", "whole number", "Steps of the morph that were looked at there, the first counted. Empty: there was none.", {}, ""},
        {"blurs", "whole number", "How often the page was left during the trial.", {}, ""},
        {"reloads", "whole number", "How often the page was loaded again during the trial.", {}, ""}};
    for (const Respondent& person : people.people)
        for (const PersonTrial& trial : person.trials)
            table.rows.push_back({std::to_string(person.number),
                                  person.arm,
                                  to_string(person.state),
                                  codes_of(person),
                                  trial.step,
                                  design.step(trial.step).ask,
                                  trial.is_catch ? "" : std::to_string(trial.number),
                                  std::to_string(trial.seq),
                                  trial.item,
                                  trial.is_catch ? "1" : "0",
                                  trial.measured ? "1" : "0",
                                  trial.right,
                                  trial.answer,
                                  trial.correct ? "1" : "0",
                                  trial.confidence ? std::to_string(*trial.confidence) : "",
                                  exact(trial.seconds),
                                  exact(trial.screen_seconds),
                                  exact(trial.feedback_seconds),
                                  trial.steps_seen ? std::to_string(*trial.steps_seen) : "",
                                  std::to_string(trial.blurs),
                                  std::to_string(trial.reloads)});
    return table;
}

DataTable people_table(const Design& design, const Respondents& people) {
    DataTable table;
    table.file = "study-" + keyword_of(design) + "_description-people_data.csv";
    table.description = "One person a row, also of those who answered nothing.";
    table.columns = {
        participant_column(),
        arm_column(design),
        {"explanation", "text", "What the arm shows.", {}, ""},
        state_column(),
        excluded_column(design),
        {"first_choice", "text", "The name on the first button: key 1 or F.", class_values(design), ""},
        {"right", "whole number", "The score: right answers of the measured trials. Empty: not all were answered.", {}, "items"},
        {"catches_failed", "whole number", "Catch trials answered wrong.", {}, ""},
        {"comprehension_errors", "whole number", "Comprehension questions answered wrong.", {}, ""},
        {"median_seconds", "number", "Median of the measured trials.", {}, "s"},
        {"same_answer", "number", "Share of the measured trials that have the person's more frequent answer.", {}, "share"},
        {"minutes", "number", "From agreeing to take part to the last answer. Empty: did not answer all that was asked.", {}, "min"}};
    for (const Respondent& person : people.people) {
        const std::optional<int64_t> right = right_of(design, person, design.step(design.analysis().measure));
        table.rows.push_back({std::to_string(person.number), person.arm, arm_at(design, person.arm).explanation, to_string(person.state),
                              codes_of(person), person.first_choice, right ? std::to_string(*right) : "",
                              std::to_string(person.catches_failed), std::to_string(person.comprehension_errors),
                              exact(person.median_seconds), exact(person.same_answer), exact(person.minutes)});
    }
    return table;
}

DataTable ratings_table(const Design& design, const Respondents& people) {
    DataTable table;
    table.file = "study-" + keyword_of(design) + "_description-ratings_data.csv";
    table.description = "One rating a row.";
    Values statements;
    int64_t most = 0;
    for (const Step& step : design.steps()) {
        if (step.kind != "scale") continue;
        most = std::max(most, step.json.value("points", int64_t{5}));
        for (const Json& statement : step.json.at("statements"))
            statements.emplace_back(statement.at("id").get<std::string>(), statement.at("text").get<std::string>());
    }
    table.columns = {participant_column(),
                     arm_column(design),
                     state_column(),
                     excluded_column(design),
                     step_column(design, "scale"),
                     {"statement", "text", "The statement that was rated.", statements, ""},
                     {"rating",
                      "whole number",
                      "From 1, the low end, to " + std::to_string(most) + " at most, the high end of the step's scale.",
                      {},
                      ""}};
    for (const Respondent& person : people.people)
        for (const PersonRating& rating : person.ratings)
            table.rows.push_back({std::to_string(person.number), person.arm, to_string(person.state), codes_of(person), rating.step,
                                  rating.statement, std::to_string(rating.rating)});
    return table;
}

DataTable answers_table(const Design& design, const Respondents& people) {
    DataTable table;
    table.file = "study-" + keyword_of(design) + "_description-answers_data.csv";
    table.description = "One answer to a question a row.";
    Values questions;
    for (const Step& step : design.steps())
        if (step.kind == "questions")
            for (const Json& question : step.json.at("questions"))
                questions.emplace_back(question.at("id").get<std::string>(), question.at("text").get<std::string>());
    table.columns = {participant_column(),
                     arm_column(design),
                     state_column(),
                     excluded_column(design),
                     step_column(design, "questions"),
                     {"question", "text", "The question.", questions, ""},
                     {"choice", "whole number", "The answer that was chosen, from 0.", {}, ""},
                     {"choice_text", "text", "The same in words.", {}, ""},
                     {"chose_right", "whole number", "It is the right one. Empty: there is none.", no_yes, ""}};
    for (const Respondent& person : people.people)
        for (const PersonAnswer& answer : person.answers) {
            const Json& asked = design.step(answer.step).json.at("questions");
            const auto question =
                std::find_if(asked.begin(), asked.end(), [&](const Json& one) { return one.at("id") == answer.question; });
            table.rows.push_back({std::to_string(person.number), person.arm, to_string(person.state), codes_of(person), answer.step,
                                  answer.question, std::to_string(answer.choice),
                                  question->at("choices").at(static_cast<size_t>(answer.choice)).get<std::string>(),
                                  answer.right ? (*answer.right ? "1" : "0") : ""});
        }
    return table;
}

DataTable stimuli_table(const Design& design) {
    DataTable table;
    table.file = "study-" + keyword_of(design) + "_description-stimuli_data.csv";
    table.description = "One item a row: what people saw. Pictures lie in the folder of the study, which study.json describes in full.";
    table.columns = {{"item", "text", "The item, as the design calls it.", {}, ""},
                     {"text", "text", "What was shown, where it is a text.", {}, ""},
                     {"picture", "text", "Its file, where it is a picture.", {}, ""},
                     {"model", "text", "What the model calls it.", class_values(design), ""},
                     {"margin", "number", "Log of how much likelier that is than the other class, for the model.", {}, "nats"},
                     {"catch", "whole number", "A catch trial, on which the right answer was said.", no_yes, ""},
                     {"edited_text", "text", "After an edit, where there is one.", {}, ""},
                     {"edited_picture", "text", "The same of a picture.", {}, ""},
                     {"edited_model", "text", "What the model calls that.", class_values(design), ""}};
    for (const auto& [id, stimulus] : design.json().at("stimuli").items()) {
        const Json edited = stimulus.value("edited", Json::object());
        const auto margin = stimulus.find("margin");
        table.rows.push_back({id, stimulus.value("text", ""), stimulus.value("picture", ""), stimulus.value("model", ""),
                              margin != stimulus.end() && margin->is_number() ? exact(margin->get<double>()) : "",
                              stimulus.value("catch", false) ? "1" : "0", edited.value("text", ""), edited.value("picture", ""),
                              edited.value("model", "")});
    }
    return table;
}

std::string to_csv(const DataTable& table) {
    std::vector<std::string> names;
    for (const Column& column : table.columns) names.push_back(column.name);
    std::string text = base::csv_line(names);
    for (const std::vector<std::string>& row : table.rows) text += base::csv_line(row);
    return text;
}

std::string to_csv(const Design& design, const Respondents& people) { return to_csv(trials_table(design, people)); }

std::vector<fs::path> export_study(const Design& design, const Respondents& people, const fs::path& folder) {
    expect_own_folder(folder);
    const std::vector<DataTable> tables = tables_to_export(design, people);
    Writer writer(folder);
    make_folder(folder / "data");
    for (const DataTable& table : tables) writer.write("data/" + table.file, to_csv(table));
    writer.write("codebook.csv", codebook_csv(tables));
    writer.write("codebook.md", codebook_md(design, tables));
    writer.write("analysis.R", to_r(design));
    writer.write("README.md", readme(design, people, tables));
    writer.write("dataset_description.json", description_json(design, people, tables));
    return writer.files();
}

std::vector<fs::path> write_analysis(const Design& design, const Respondents& people, const StudyResult& result, const fs::path& folder,
                                     const PageInfo& page) {
    Writer writer(folder);
    writer.write("analysis.json", to_json(result));
    writer.write("trials.csv", to_csv(design, people));
    const std::vector<StudyPicture> pictures = pictures_of(result);
    for (const StudyPicture& picture : pictures) writer.write(picture.file, picture.svg);
    writer.write("analysis.html", to_html(to_page_result(result, pictures), folder, page));
    return writer.files();
}

// ---------------------------------------------------------------------------------------------------------------------------- R

namespace {

/// A text as R reads it, in double quotes.
std::string r_text(const std::string& text) {
    std::string result = "\"";
    for (const char c : base::escape_controls(text)) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + "\"";
}

std::string r_texts(const std::vector<std::string>& texts) {
    std::vector<std::string> written_texts;
    for (const std::string& text : texts) written_texts.push_back(r_text(base::not_a_formula(text)));  // as it stands in the file
    return "c(" + base::joined(written_texts) + ")";
}

constexpr const char* r_functions = R"r(
say <- function(what, of, value) cat(sprintf("%s, %s: %s\n", what, of, paste(format(value, digits = 10, trim = TRUE), collapse = " ")))
# What cannot be computed (too few people, nobody different from anybody) is said, and the rest goes on.
attempt <- function(of, expression) tryCatch(expression, error = function(e) cat(sprintf("not computed, %s: %s\n", of, conditionMessage(e))))
texts <- c("arm", "state", "excluded", "step", "ask", "item", "right_answer", "answer", "statement", "explanation")
read <- function(name) {
  path <- file.path(folder, "data", name)
  header <- names(read.csv(path, nrows = 1, encoding = "UTF-8"))
  classes <- rep(NA_character_, length(header))
  classes[header %in% texts] <- "character"
  read.csv(path, na.strings = "", encoding = "UTF-8", colClasses = classes)
}
right_of <- function(rows) {  # right answers of each person who answered all measured trials
  rows <- rows[rows$measured == 1, ]
  if (nrow(rows) == 0) return(data.frame(arm = character(), right = numeric()))
  right <- tapply(rows$correct, rows$participant, sum)
  complete <- tapply(rows$correct, rows$participant, length) == items
  arm <- tapply(rows$arm, rows$participant, function(arm) arm[1])
  data.frame(arm = as.vector(arm)[complete], right = as.vector(right)[complete])
}
hedges <- function(x, y) {
  n <- length(x); m <- length(y); df <- n + m - 2
  d <- (mean(x) - mean(y)) / sqrt(((n - 1) * var(x) + (m - 1) * var(y)) / df)
  if (!is.finite(d)) stop("nobody differs from anybody")
  J <- 1 - 3 / (4 * df - 1)
  s <- sqrt((n + m) / (n * m) + d^2 / (2 * (n + m)))
  J * c(d, d - qnorm(1 - alpha / 2) * s, d + qnorm(1 - alpha / 2) * s)
}
analyse <- function(scores) {
  of <- function(arm) scores$right[scores$arm == arm]
  for (arm in arms) {
    x <- of(arm)
    say("n", arm, length(x))
    if (length(x) > 0) say("mean", arm, mean(x))
    if (length(x) > 1) say("deviation", arm, sd(x))
    attempt(paste("chance,", arm), {
      test <- t.test(x, mu = chance * items, conf.level = 1 - alpha)
      say("t beside chance", arm, test$statistic)
      say("p beside chance", arm, test$p.value)
      say("interval of the mean", arm, test$conf.int)
    })
  }
  two <- one <- rep(1, length(comparisons))  # what cannot be compared counts for Holm, as having found nothing
  for (i in seq_along(comparisons)) {
    x <- of(comparisons[[i]][1]); y <- of(comparisons[[i]][2]); name <- paste(comparisons[[i]], collapse = " - ")
    attempt(name, {
      test <- t.test(x, y, conf.level = 1 - alpha)
      two[i] <- test$p.value
      one[i] <- t.test(x, y, alternative = "greater")$p.value
      say("difference", name, mean(x) - mean(y))
      say("interval", name, test$conf.int)
      say("t", name, test$statistic)
      say("df", name, test$parameter)
      say("p", name, test$p.value)
      say("p one-sided", name, one[i])
    })
    attempt(name, say("g", name, hedges(x, y)))
    attempt(name, say("TOST p", name, max(t.test(x, y, mu = -bound, alternative = "greater")$p.value, t.test(x, y, mu = bound, alternative = "less")$p.value)))
  }
  for (i in seq_along(comparisons)) {
    name <- paste(comparisons[[i]], collapse = " - ")
    say("Holm", name, p.adjust(two, "holm")[i])
    say("Holm one-sided", name, p.adjust(one, "holm")[i])
  }
  attempt("analysis of variance", {
    kept <- scores[scores$arm %in% names(which(table(scores$arm) > 1)), ]
    test <- oneway.test(right ~ arm, data = kept, var.equal = TRUE)
    say("F", "all arms", test$statistic)
    say("p of F", "all arms", test$p.value)
  })
}
check <- function(code, fails) {  # the declared rule, applied again, beside the column
  fails <- people$state == "finished" & !is.na(fails) & fails
  stands <- grepl(paste0("(^|;)", code, "(;|$)"), ifelse(is.na(people$excluded), "", people$excluded))
  cat(sprintf("exclusion, %s: %d, %s\n", code, sum(stands), if (all(fails == stands)) "repeated" else "NOT REPEATED"))
}
each <- function(rows, what, summary) {  # of each person, in the order of `people`
  if (nrow(rows) == 0) return(rep(NA, nrow(people)))
  as.vector(tapply(what, factor(rows$participant, levels = people$participant), summary))
}
)r";

constexpr const char* r_model = R"r(
cat("\n== Ratings\n")
ratings <- ratings[is.na(ratings$excluded), ]
if (nrow(ratings) > 0) print(aggregate(rating ~ arm + step + statement, data = ratings, function(x) c(n = length(x), mean = mean(x), deviation = sd(x))))

# The logit mixed model has people and items drawn both. It needs a package: install.packages("lme4")
if (requireNamespace("lme4", quietly = TRUE)) {
  cat("\n== Logit mixed model, exploratory\n")
  measured <- trials[trials$measured == 1 & is.na(trials$excluded), ]
  attempt("the mixed model", {
    measured$arm <- droplevels(relevel(factor(measured$arm, levels = arms), ref = reference))
    print(summary(lme4::glmer(correct ~ arm + (1 | participant) + (1 | item), data = measured, family = binomial)))
  })
}
)r";

std::string r_checks(const Exclusions& rules) {
    std::string text;
    if (rules.failed_catches > 0)
        text += "caught <- trials[trials$catch == 1, ]\ncheck(\"catches\", each(caught, caught$correct == 0, sum) >= " +
                std::to_string(rules.failed_catches) + ")\n";
    if (rules.failed_comprehension > 0)
        text += "check(\"comprehension\", people$comprehension_errors >= " + std::to_string(rules.failed_comprehension) + ")\n";
    if (rules.least_median_seconds > 0)
        text += "timed <- trials[trials$measured == 1 & !is.na(trials$seconds), ]\ncheck(\"speed\", each(timed, timed$seconds, median) < " +
                exact(rules.least_median_seconds) + ")\n";
    if (rules.most_same_answer > 0)
        text +=
            "counted <- trials[trials$measured == 1, ]\ncheck(\"same-answer\", each(counted, counted$answer, function(x) max(table(x)) / "
            "length(x)) > " +
            exact(rules.most_same_answer) + ")\n";
    return text;
}

}  // namespace

std::string to_r(const Design& design) {
    const Analysis& declared = design.analysis();
    const std::vector<DataTable> tables = tables_to_export(design, {});
    const size_t items = counted_items(design, design.step(declared.measure)).size();
    std::vector<std::string> arms, pairs;
    std::string reference;  // the first arm that shows nothing; else the first one
    for (const Arm& arm : design.arms()) {
        arms.push_back(arm.id);
        if (reference.empty() && arm.explanation == "none") reference = arm.id;
    }
    if (reference.empty()) reference = arms[0];
    for (const auto& [first, second] : declared.comparisons) pairs.push_back(r_texts({first, second}));
    return "# The analysis of a study, as its design declared it before anybody took part, with R alone. In the folder of this script: "
           "Rscript analysis.R\n"
           "# " +
           base::escape_controls(design.title()) + "\n# SHA-256 of the design: " + design.sha256() +
           "\n\narguments <- commandArgs(trailingOnly = TRUE)\nfolder <- if (length(arguments) > 0) arguments[1] else \".\"\n"
           "items <- " +
           std::to_string(items) + "  # of the step " + declared.measure + ", catch trials not counted\nchance <- " +
           exact(declared.chance) + "\nalpha <- " + exact(declared.alpha) + "\nbound <- " + exact(declared.equivalence) +
           " * items  # of equivalence, in right answers\narms <- " + r_texts(arms) + "\nreference <- " +
           r_text(base::not_a_formula(reference)) + "\ncomparisons <- list(" + base::joined(pairs) + ")\n" + r_functions +
           "\ntrials <- read(" + r_text(tables[0].file) + ")\npeople <- read(" + r_text(tables[1].file) + ")\nratings <- read(" +
           r_text(tables[2].file) + ")\n\ncat(\"== Exclusions\\n\")\n" + r_checks(design.exclusions()) +
           "\ncat(\"\\n== The analysis\\n\")\nanalyse(right_of(trials[is.na(trials$excluded), ]))\n"
           "\ncat(\"\\n== Sensitivity: everybody who answered all measured trials and did not withdraw\\n\")\n"
           "analyse(right_of(trials[trials$state != \"withdrawn\", ]))\n" +
           r_model;
}

}  // namespace whynot::cli::study
