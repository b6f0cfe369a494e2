#pragma once

/// Explanations as a page that can be sent: one file, which any browser opens from disk, without a single request to anywhere.
///
///     #include "whynot/atomic_file.h"
///     #include "whynot/explainer.h"
///
///     void send(whynot::Explainer& explainer) {
///         const whynot::Answer answer = explainer.explain("the food was gross .");
///         whynot::ExplanationPage page({"why?", "my program", {}});
///         page.add(answer);
///         whynot::write_file_atomically("answer.html", page.html());
///     }
///
/// A few answers stand one below another in full; many as a list that is sorted, filtered and opened. Nothing that somebody typed, no name of a class, file or
/// pack, is ever markup or script: texts are escaped, and the page's own policy (Content-Security-Policy) lets nothing run but the script whose hash it names.
/// Without scripts the edits, the numbers and the pictures remain. Colours follow the reader's choice of light or dark; meaning is never in colour alone. The
/// records (explanation.h) are in the page and can be taken out again.
///
/// The same answers give the same bytes. Texts are UTF-8. Threads: one call at a time a page. Errors: `invalid_argument` for a page that would be larger than 64 MB,
/// which no browser opens gladly, and for pictures whose bytes do not fit their size.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "whynot/answer.h"
#include "whynot/attribution.h"
#include "whynot/experiment.h"
#include "whynot/export.h"
#include "whynot/pack.h"

namespace whynot {

/// What stands around the answers.
struct PageInfo {
    std::string title;                ///< of the page
    std::string command;              ///< how the page is made again
    std::vector<PackIdentity> packs;  ///< that were asked, for the foot
};

/// A page of explanations.
class WHYNOT_API ExplanationPage {
public:
    explicit ExplanationPage(PageInfo info);
    ~ExplanationPage();
    ExplanationPage(const ExplanationPage&) = delete;
    ExplanationPage& operator=(const ExplanationPage&) = delete;

    void add(const Answer& answer);
    void add_pack(const PackIdentity& pack);  ///< once, however often it is added
    size_t size() const;                      ///< answers so far
    std::string html() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// One answer as it stands in a page, for whoever has a page around it (and its style, `page_style`): elements of HTML, without scripts.
struct AnswerPieces {
    std::string question;  ///< for a heading: "why <fact> and not <foil>?"
    std::string article;   ///< in full, below that
    std::string row;       ///< as <tr>, the one `number` of a list
    /// As a line of the tables that a list is saved as, for a spreadsheet and for a paper. Columns: number, fact, foil, status, the probability of the foil for
    /// the answer, input, answer. No cell is a formula, or markup.
    std::string csv, latex;
};
WHYNOT_API AnswerPieces answer_pieces(const Answer& answer, size_t number);

/// A map of attribution likewise: its lines or bars, its pictures.
WHYNOT_API std::string article_of(const Attributed& attributed);

/// A picture as pages hold it, a PNG file. Throws `invalid_argument` where its bytes do not fit its size.
WHYNOT_API std::string to_png(const Picture& picture);

/// The style that pages have, CSS, and the script: `enhance(element)` adds to answers in an element what a script can, such as steps moved by hand.
WHYNOT_API std::string page_style();
WHYNOT_API std::string page_script();

/// One answer as one figure, for a paper: SVG, one file, no script, nothing from elsewhere. The question, the edits or the pictures with what the classifier
/// says of each, and what gave way.
WHYNOT_API std::string to_svg(const Answer& answer);

/// The result of an experiment (experiment.h) as such a page, its pictures in it and its packs in the foot. @param folder in which they lie
WHYNOT_API std::string to_html(const ExperimentResult& result, const std::filesystem::path& folder, const PageInfo& info);

/// Figures as such a page: a table. @param json an object with `figures`, as an `Evaluator` gives it, each with `name`, `value`, `n`, `unit`
WHYNOT_API std::string figures_to_html(const std::string& json, const PageInfo& info);

}  // namespace whynot
