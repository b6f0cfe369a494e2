#pragma once

/// Explanations as a page that can be sent: one file, which any browser opens from disk, without a single request to anywhere.
///
///     #include "whynot/atomic_file.h"
///     #include "whynot/explainer.h"
///
///     void send(whynot::Explainer& explainer) {
///         const whynot::Answer answer = explainer.explain("the food was gross .");
///         whynot::ExplanationPage page({"why?", "my program", {}});
///         page.add({answer.record, answer.terminal, answer.pictures});
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

#include "whynot/experiment.h"
#include "whynot/explanation.h"
#include "whynot/export.h"
#include "whynot/picture.h"

namespace whynot {

/// A pack that was asked, for the foot of the page.
struct PagePack {
    std::string id, version, sha256, licence;
};

/// What stands around the answers.
struct PageInfo {
    std::string title;    ///< of the page
    std::string command;  ///< how the page is made again
    std::vector<PagePack> packs;
};

/// One answer, as `Explainer` gave it.
struct PageAnswer {
    const Explanation& record;
    const std::string& terminal;                ///< the modality's own lines
    const std::vector<NamedPicture>& pictures;  ///< as of `Rendering`
};

/// A page of explanations.
class WHYNOT_API ExplanationPage {
public:
    explicit ExplanationPage(PageInfo info);
    ~ExplanationPage();
    ExplanationPage(const ExplanationPage&) = delete;
    ExplanationPage& operator=(const ExplanationPage&) = delete;

    void add(const PageAnswer& answer);
    void add_pack(const PagePack& pack);  ///< once, however often it is added
    size_t size() const;                  ///< answers so far
    std::string html() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The result of an experiment (experiment.h) as such a page, its pictures in it. @param folder in which they lie
WHYNOT_API std::string to_html(const ExperimentResult& result, const std::filesystem::path& folder, const PageInfo& info);

/// Figures as such a page: a table. @param json an object with `figures`, as an `Evaluator` gives it, each with `name`, `value`, `n`, `unit`
WHYNOT_API std::string figures_to_html(const std::string& json, const PageInfo& info);

}  // namespace whynot
