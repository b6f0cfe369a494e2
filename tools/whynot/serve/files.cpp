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

}  // namespace

const File* file_at(const std::string& path) {
    static const std::map<std::string, File> files{{"/", {"text/html; charset=utf-8", explorer_html}},
                                                   {"/explorer.css", {"text/css; charset=utf-8", explorer_css}},
                                                   {"/explorer.js", {"text/javascript; charset=utf-8", explorer_js}},
                                                   {"/page.css", {"text/css; charset=utf-8", page_style()}},
                                                   {"/page.js", {"text/javascript; charset=utf-8", page_script()}}};
    const auto found = files.find(path);
    return found == files.end() ? nullptr : &found->second;
}

}  // namespace whynot::cli
