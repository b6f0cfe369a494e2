#pragma once

/// The pieces that pages are made of.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whynot/page.h"

namespace whynot::internal {

/// Text as HTML and XML: no markup in it, control characters as escapes such as `\u0007`.
std::string escaped(std::string_view text);

/// The same for a person to read, kept apart from the direction of what is around it.
std::string shown(std::string_view text);

/// A modality's line, its `-[...]-` and `+[...]+` as what is deleted and inserted.
/// @param typed the input, whose own marks are no edits
std::string with_edits(std::string_view line, std::string_view typed);

std::string gzip(std::string_view bytes);
std::string data_uri(const Picture& picture);

/// Before and after a table, which may be scrolled where it is wider than the page, by keyboard too. @param label what it is
std::string table_begin(const std::string& label, const char* css_class = "");
constexpr const char* table_end = "</tbody>\n</table></div>\n";

/// The whole page. @param body what is between <main> and </main> @param wide for tables
std::string page(const PageInfo& info, const std::string& body, bool wide);

/// "why <fact> and not <foil>?", as HTML.
std::string question(const Explanation& record);

/// The steps from the input to the answer, and the probabilities along them. Empty where an answer has none.
std::string way(const Answer& answer);

/// The modality's lines: what stands before the first empty one is the answer, the rest says more.
std::pair<std::string, std::string> answer_and_rest(const std::string& terminal);

/// What the classifier says of fact and foil for one of an answer's pictures: "4 62 %, 9 37 %". Empty where it says nothing of it.
std::string said_of(const Explanation& record, const std::string& picture);

/// Text that the marks in a modality's lines may stand in: the input, where it is one.
std::string typed_in(const Explanation& record);

/// The parts that gave way with what they gave up, nats, the largest first. Empty where the record's own section has no `contributions`.
std::vector<std::pair<std::string, double>> falls_of(const Explanation& record);

/// Parts with a number each as bars, SVG; empty for none. @param label what they are, for those who do not see it
std::string bars(const std::vector<std::pair<std::string, double>>& parts, const std::string& label);

/// What gave way as bars. Empty where the record's own section has no `contributions`.
std::string contribution_bars(const Explanation& record);

/// What a plugin brings beside that, `show` in its own section of the record (docs/plugins.md): tables, bars, texts. Data alone: nothing in it is markup.
std::string extras(const Explanation& record);

/// What the classifier says of input, boundary and answer, as a table.
std::string probabilities(const Explanation& record);

}  // namespace whynot::internal
