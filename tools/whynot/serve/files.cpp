#include "serve/files.h"

#include <map>

#include "whynot/page.h"

namespace whynot::cli {
namespace {

const char* const explorer_html =
#include "explorer_html.inc"
    ;
const char* const explorer_css =
#include "explorer_css.inc"
    ;
const char* const explorer_js =
#include "explorer_js.inc"
    ;

const char* const study_html =
#include "study_html.inc"
    ;
const char* const study_css =
#include "study_css.inc"
    ;
const char* const study_js =
#include "study_js.inc"
    ;

using Files = std::map<std::string, File>;

const File* in(const Files& files, const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? nullptr : &found->second;
}

}  // namespace

const File* file_at(const std::string& path) {
    static const Files files{{"/", {"text/html; charset=utf-8", explorer_html}},
                             {"/explorer.css", {"text/css; charset=utf-8", explorer_css}},
                             {"/explorer.js", {"text/javascript; charset=utf-8", explorer_js}},
                             {"/page.css", {"text/css; charset=utf-8", page_style()}},
                             {"/page.js", {"text/javascript; charset=utf-8", page_script()}}};
    return in(files, path);
}

const File* study_file_at(const std::string& path) {
    static const Files files{{"/", {"text/html; charset=utf-8", study_html}},
                             {"/study.css", {"text/css; charset=utf-8", study_css}},
                             {"/study.js", {"text/javascript; charset=utf-8", study_js}},
                             {"/page.css", {"text/css; charset=utf-8", page_style()}}};
    return in(files, path);
}

}  // namespace whynot::cli
