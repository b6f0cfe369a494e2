#pragma once

/// Experiments: published figures measured again by anyone, with one command.
///
///     whynot experiment list
///     whynot experiment run text/word-images --out DIR
///
/// A plugin brings experiments as the service `whynot.experiment/1`. What an experiment measured is an `ExperimentResult`: figures and tables
/// beside the published ones, pictures, notes. The plugin returns it as JSON; whynot checks that JSON and makes a page and a text for the
/// terminal of it, for anybody's experiment:
///
///     class Coins : public whynot::Experiments {
///     public:
///         std::vector<whynot::ExperimentInfo> list() const override {
///             return {{"coins/fair", "Is the coin fair?", "a table nobody published", "nothing; a second"}};
///         }
///         std::string run(const whynot::ExperimentRequest& request, const whynot::Observer&) override {
///             whynot::ExperimentResult result = whynot::begin_result(list().front(), request);
///             result.figures.push_back({"heads", 0.51, 1000, "share", 0.5, ""});
///             return whynot::to_json(result);
///         }
///     };
///
/// and the host application:
///
///     whynot::ExperimentRequest request;
///     request.name = "coins/fair", request.out = "DIR";
///     whynot::ExperimentResult result = whynot::run_experiment(host, request, {});   // DIR/result.json and DIR/README.md are written
///     std::cout << whynot::to_terminal(result, {});
///
/// Threads: functions may be called from any thread; one run at a time per folder.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "whynot/export.h"
#include "whynot/host.h"
#include "whynot/pack.h"
#include "whynot/progress.h"
#include "whynot/report.h"

namespace whynot {

/// One experiment, for lists.
struct ExperimentInfo {
    std::string name;    ///< "text/word-images": parts of a-z 0-9 . _ - joined by `/`, the first of them the plugin's or its field's
    std::string title;   ///< a line
    std::string source;  ///< where the published figures stand: "S. Feghahati, Deep Contrastive Explanation, 2020, section 4.2"
    std::string needs;   ///< corpora and packs, and how long it takes, in full and with --quick
};

/// What to run, from what, into where.
struct ExperimentRequest {
    std::string name;               ///< as in the list
    std::filesystem::path corpora;  ///< the folder of the corpora (WHYNOT_CORPORA); may be empty: what needs one throws `not_found`
    std::filesystem::path out;      ///< the experiment's own folder; a run that was stopped in it continues
    std::string pack;               ///< id or folder of a pack to use instead of the experiment's own choice; empty: that choice
    bool quick = false;             ///< a small run that shows the way; its figures are not those of the full one
    uint64_t seed = 1;
    /// A folder for what takes long to compute and is the same each time. It need not exist. Empty: nothing is kept.
    std::filesystem::path cache;
};

/// The service `whynot.experiment/1`. Frozen once released: a new method is a new id, never an added virtual.
class WHYNOT_API Experiments {
public:
    static constexpr const char* service_id = "whynot.experiment/1";
    virtual ~Experiments();

    virtual std::vector<ExperimentInfo> list() const = 0;

    /// Runs one; the folder `request.out` exists. A run that was stopped continues in the same folder; what a run with another seed,
    /// corpus or pack left there is computed again. Throws `cancelled` when the observer says so.
    /// @returns an `ExperimentResult` as JSON, `to_json(result)`; the pictures it names lie in `request.out`
    virtual std::string run(const ExperimentRequest& request, const Observer& observer) = 0;
};

/// Nothing, a number, or words. Shares stand as they are, 0.885 and not 88.5.
using ExperimentValue = std::variant<std::monostate, int64_t, double, std::string>;

/// One measured figure.
struct ExperimentFigure {
    std::string name;             ///< what was measured, unique in the result: "accuracy, filters 3 words wide"
    std::optional<double> value;  ///< empty: it could not be measured, `note` says why
    int64_t n = 0;                ///< of how many; 0: it is no statistic
    std::string unit;             ///< "share", "edits", "seconds", ...; may be empty
    ExperimentValue published;    ///< the same figure as published: 0.85, or words such as "0.82 to 0.90"; nothing: none was published
    std::string note;             ///< a sentence, may be empty
};

/// A table that fits the width of a page.
struct ExperimentTable {
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::vector<ExperimentValue>> rows;  ///< as many cells as there are columns
};

struct ExperimentPicture {
    std::string file;  ///< relative to the experiment's folder, `/` between folders: "sentence-1.png"
    std::string caption;
};

/// What an experiment found: `whynot.experiment-result/1`. Text is UTF-8, numbers are finite.
struct ExperimentResult {
    static constexpr const char* schema = "whynot.experiment-result/1";

    std::string name, title, source;  ///< as in its `ExperimentInfo`
    bool quick = false;
    uint64_t seed = 0;
    std::string settings = "{}";  ///< JSON text: an object with all that the figures depend on: corpus and pack with their SHA-256, recipes
    std::vector<ExperimentFigure> figures;
    std::vector<ExperimentTable> tables;
    std::vector<ExperimentPicture> pictures;
    std::vector<PackIdentity> packs;  ///< that were asked; each once
    std::vector<std::string> notes;   ///< what a careful reader must know, a sentence each
};

/// An empty result: name, title, source, quick and seed are set, everything else is still to come.
WHYNOT_API ExperimentResult begin_result(const ExperimentInfo& info, const ExperimentRequest& request);

/// As JSON, indented, with a trailing newline:
///
///     schema, name, title, source, quick, seed, settings, figures [{name, value, n, unit, published, note}],
///     tables [{title, columns, rows}], pictures [{file, caption}], notes, packs [{id, version, sha256, licence}] (absent where there are none)
///
/// Throws `invalid_argument` on what `experiment_result_from_json` would refuse.
WHYNOT_API std::string to_json(const ExperimentResult& result);

/// Reads a result and checks all of it: kinds of the values, lengths of rows, names that stand twice, pictures outside the folder.
/// Throws `invalid_input`, naming the place. @param origin how messages call it: "the result of the plugin 'text'"
WHYNOT_API ExperimentResult experiment_result_from_json(std::string_view text, const std::string& origin);

/// As a page of Markdown, pictures included.
WHYNOT_API std::string to_markdown(const ExperimentResult& result);

/// As lines for a terminal: the figures beside the published ones, the tables, the notes, where the pictures lie. Control characters
/// come out as escapes. Cells take several lines so that a table fits the width; a table too wide for that becomes a paragraph a row.
WHYNOT_API std::string to_terminal(const ExperimentResult& result, const TerminalStyle& style = {});

/// One experiment and the plugin that brings it.
struct FoundExperiment {
    std::string plugin;
    ExperimentInfo info;
};

/// What there is to run.
struct ExperimentList {
    std::vector<FoundExperiment> experiments;
    std::vector<std::string> problems;  ///< a sentence for each plugin whose experiments are missing here, and for a name that two bring
};

/// The experiments of the host's plugins, in its order. Only plugins that provide the service are loaded, as their manifests say.
/// Of two experiments of one name the first counts.
WHYNOT_API ExperimentList list_experiments(const Host& host);

/// Runs the experiment `request.name` of whichever plugin brings it, checks what comes back, and writes DIR/result.json and DIR/README.md.
///
/// `request.out` is created if it does not exist. Otherwise it must be empty, or have been used for the same experiment before, as the file
/// experiment.json in it says. So a folder with anything else in it is never touched.
///
/// Errors: `not_found` for an unknown name, listing the known ones; `invalid_argument` for a folder used for something else; `bad_plugin` for
/// an invalid result, naming the plugin; what the experiment throws.
WHYNOT_API ExperimentResult run_experiment(const Host& host, const ExperimentRequest& request, const Observer& observer);

}  // namespace whynot
