#pragma once

/// The pieces that pages are made of.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whynot/page.h"

namespace whynot::internal {

/// Text as HTML and XML: no markup in it, control characters as escapes such as `\u0007`.
std::string escaped(std::string_view text);

/// The same for a person to read, kept apart from the direction of what is around it.
std::string shown(std::string_view text);

/// A modality's line, its `-[...]-` and `+[...]+` as what is deleted and inserted.
std::string with_edits(std::string_view line);

/// JSON inside a script element: nothing in it ends the element.
std::string inside_script(std::string json);

std::string base64(std::string_view bytes);
std::string gzip(std::string_view bytes);
std::string to_png(const Picture& picture);
std::string data_uri(const Picture& picture);

/// The whole page. @param body what is between <main> and </main> @param wide for tables
std::string page(const PageInfo& info, const std::string& body, bool wide);

/// "why <fact> and not <foil>?", as HTML.
std::string question(const Explanation& record);

/// What gave way, as SVG: a bar a part. Empty where the record's own section has no `contributions`.
std::string contribution_bars(const Explanation& record);

/// What the classifier says of input, boundary and answer, as a table.
std::string probabilities(const Explanation& record);

}  // namespace whynot::internal
