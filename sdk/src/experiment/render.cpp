// A result as a page of Markdown and as lines for a terminal.
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "report/columns.h"
#include "whynot/experiment.h"

namespace whynot {
namespace {

using Cells = std::vector<std::string>;

/// Four digits are more than any of these figures is sure of; whole numbers stay whole.
std::string number(double value) {
    char buffer[400];
    const bool fixed = std::abs(value) >= 1000;
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, fixed ? std::chars_format::fixed : std::chars_format::general,
                                  fixed ? 0 : 4)
                        .ptr};
}

std::string text_of(const ExperimentValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value)) return number(*real);
    return "";
}

/// Columns of numbers stand to the right.
struct Grid {
    Cells head;
    std::vector<bool> right;
    std::vector<Cells> rows;
};

Grid grid_of(const ExperimentTable& table) {
    Grid grid{table.columns, std::vector<bool>(table.columns.size(), true), {}};
    for (const auto& row : table.rows) {
        Cells& cells = grid.rows.emplace_back();
        for (size_t i = 0; i < row.size(); ++i) {
            cells.push_back(text_of(row[i]));
            if (std::holds_alternative<std::string>(row[i])) grid.right[i] = false;
        }
    }
    return grid;
}

/// The figures; columns that would be empty are left out. @param with_notes in a column of their own
Grid grid_of(const std::vector<ExperimentFigure>& figures, bool with_notes) {
    bool units = false, notes = false;
    for (const ExperimentFigure& figure : figures) {
        units = units || !figure.unit.empty();
        notes = notes || (with_notes && !figure.note.empty());
    }
    Grid grid{{"figure", "measured", "published", "n"}, {false, true, false, true}, {}};
    if (units) grid.head.emplace_back("unit");
    if (notes) grid.head.emplace_back("note");
    grid.right.resize(grid.head.size(), false);
    for (const ExperimentFigure& figure : figures) {
        Cells& cells = grid.rows.emplace_back(Cells{figure.name, figure.value ? number(*figure.value) : "-", text_of(figure.published),
                                                    figure.n > 0 ? std::to_string(figure.n) : ""});
        if (units) cells.push_back(figure.unit);
        if (notes) cells.push_back(figure.note);
    }
    return grid;
}

const char* const quick_sentence = "A quick run: it shows the way, its figures are not those of the full experiment.";

/// Text that Markdown leaves alone: every sign that could mean something after a backslash, which CommonMark allows before any ASCII
/// punctuation.
std::string plain(const std::string& text) {
    std::string result;
    for (const char c : base::escape_controls(text)) {
        if (std::string_view("\\`*_[]<>|#~&$").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

/// The same at the beginning of a block, where a sign or a number could begin a list.
std::string plain_block(const std::string& text) {
    std::string result = plain(text);
    const size_t sign = result.find_first_not_of("0123456789");
    if (sign != std::string::npos && std::string_view("-+=.)").find(result[sign]) != std::string_view::npos) result.insert(sign, 1, '\\');
    return result;
}

std::string markdown(const Grid& grid) {
    std::string text = "|", rule = "|";
    for (size_t i = 0; i < grid.head.size(); ++i) {
        text += ' ' + plain(grid.head[i]) + " |";
        rule += grid.right[i] ? "---:|" : "---|";
    }
    text += '\n' + rule + '\n';
    for (const Cells& row : grid.rows) {
        text += '|';
        for (const std::string& cell : row) text += ' ' + plain(cell) + " |";
        text += '\n';
    }
    return text;
}

int columns_of(std::string_view text) {
    int width = 0;
    for (size_t position = 0; position < text.size();) width += internal::columns(base::next_code_point(text, position));
    return width;
}

Cells words_of(const std::string& text) {
    Cells words;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        words.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

/// A word in pieces of at most `width` columns, and of one character at least.
Cells pieces_of(const std::string& word, int width) {
    Cells pieces(1);
    int filled = 0;
    for (size_t position = 0; position < word.size();) {
        const size_t begin = position;
        const int size = internal::columns(base::next_code_point(word, position));
        if (filled > 0 && filled + size > width) {
            pieces.emplace_back();
            filled = 0;
        }
        pieces.back() += word.substr(begin, position - begin);
        filled += size;
    }
    return pieces;
}

/// Lines of at most `width` columns, broken between words, and inside a word only where it is longer than a line.
Cells broken(const std::string& text, int width) {
    Cells lines(1);
    int filled = 0;
    for (const std::string& word : words_of(text)) {
        bool begins = true;  // the word, whose further pieces stand on lines of their own
        for (const std::string& piece : pieces_of(word, width)) {
            const int size = columns_of(piece);
            if (filled > 0 && (!begins || filled + 1 + size > width)) {
                lines.emplace_back();
                filled = 0;
            }
            if (filled > 0) {
                lines.back() += ' ';
                ++filled;
            }
            lines.back() += piece;
            filled += size;
            begins = false;
        }
    }
    return lines;
}

class Terminal {
public:
    explicit Terminal(const TerminalStyle& style) : style_(style), width_(std::max(style.width, 20)) {}

    void blank() { text_ += '\n'; }

    void line(const std::string& content, const char* colour = "", int indent = 0, const char* first = "") {
        bool begins = true;
        for (const std::string& one : broken(base::escape_controls(content), width_ - indent)) {
            std::string margin(static_cast<size_t>(indent), ' ');
            if (std::exchange(begins, false)) margin.replace(0, std::string(first).size(), first);
            text_ += margin + (style_.colour && *colour ? colour + one + "\033[0m" : one) + '\n';
        }
    }

    /// As wide as the terminal at most: the widest columns are made narrower, down to their longest words. Where that is not enough, or
    /// cells become towers, each row is a paragraph of its own.
    void grid(const Grid& grid) {
        std::vector<Cells> rows{grid.head};
        rows.insert(rows.end(), grid.rows.begin(), grid.rows.end());
        std::vector<int> widths(grid.head.size(), 0), words(grid.head.size(), 0);
        int total = -space;
        for (Cells& row : rows)
            for (size_t i = 0; i < row.size(); ++i) {
                widths[i] = std::max(widths[i], columns_of(row[i] = base::escape_controls(row[i])));
                words[i] = std::max(words[i], longest_word(row[i]));
            }
        for (const int width : widths) total += width + space;
        for (; total > width_; --total) {
            int* widest = nullptr;
            for (size_t i = 0; i < widths.size(); ++i)
                if (widths[i] > words[i] && (!widest || widths[i] > *widest)) widest = &widths[i];
            if (!widest) return paragraphs(rows, grid.right);
            --*widest;
        }
        constexpr size_t tower = 4;
        std::vector<std::vector<Cells>> lines;
        for (const Cells& row : rows) {
            std::vector<Cells>& cells = lines.emplace_back();
            for (size_t i = 0; i < row.size(); ++i) {
                cells.push_back(broken(row[i], widths[i]));
                if (cells.back().size() > tower) return paragraphs(rows, grid.right);
            }
        }
        for (const std::vector<Cells>& row : lines) {
            size_t height = 0;
            for (const Cells& cell : row) height = std::max(height, cell.size());
            for (size_t k = 0; k < height; ++k) {
                std::string content;
                for (size_t i = 0; i < row.size(); ++i) {
                    const std::string piece = k < row[i].size() ? row[i][k] : "";
                    const std::string padding(static_cast<size_t>(widths[i] - columns_of(piece)), ' ');
                    content += (i ? std::string(space, ' ') : "") + (grid.right[i] ? padding + piece : piece + padding);
                }
                content.erase(content.find_last_not_of(' ') + 1);
                text_ += style_.colour && &row == &lines.front() ? strong + content + "\033[0m\n" : content + '\n';
            }
        }
    }

    const std::string& text() const { return text_; }

    static constexpr const char* strong = "\033[1m";
    static constexpr const char* faint = "\033[2m";
    static constexpr const char* notice = "\033[33m";

private:
    static constexpr int space = 2;  ///< between columns

    static int longest_word(const std::string& text) {
        int longest = 0;
        for (const std::string& word : words_of(text)) longest = std::max(longest, columns_of(word));
        return longest;
    }

    /// Words below each other with the names of their columns, numbers in one line; the first of the rows is the head.
    void paragraphs(const std::vector<Cells>& rows, const std::vector<bool>& numbers) {
        const Cells& head = rows.front();
        int names = 0;
        for (size_t i = 0; i < head.size(); ++i)
            if (!numbers[i]) names = std::max(names, columns_of(head[i]));
        names = std::min(names, width_ / 3);
        for (size_t r = 1; r < rows.size(); ++r) {
            if (r > 1) blank();
            std::string all_numbers;
            for (size_t i = 0; i < head.size(); ++i) {
                if (rows[r][i].empty()) continue;
                if (numbers[i])
                    all_numbers += (all_numbers.empty() ? "" : " · ") + head[i] + ' ' + rows[r][i];
                else
                    labelled(head[i], rows[r][i], names);
            }
            if (!all_numbers.empty()) labelled("", all_numbers, names);
        }
    }

    void labelled(const std::string& name, const std::string& content, int names) {
        const Cells left = broken(name, std::max(1, names));
        const Cells right = broken(content, std::max(1, width_ - (names > 0 ? names + space : 0)));
        for (size_t k = 0; k < std::max(left.size(), right.size()); ++k) {
            const std::string margin = k < left.size() ? left[k] : "";
            const int padding = names > 0 ? names + space - columns_of(margin) : 0;
            const std::string piece = k < right.size() ? std::string(static_cast<size_t>(padding), ' ') + right[k] : "";
            text_ += (style_.colour && !margin.empty() ? faint + margin + "\033[0m" : margin) + piece + '\n';
        }
    }

    const TerminalStyle style_;
    const int width_;
    std::string text_;
};

}  // namespace

std::string to_markdown(const ExperimentResult& result) {
    std::string page = "# " + plain(result.title) + "\n\n";
    page += "Experiment " + plain(result.name) + ", seed " + std::to_string(result.seed) + '.';
    if (!result.source.empty()) page += " Published figures: " + plain(result.source) + '.';
    page += '\n';
    if (result.quick) page += std::string("\n**") + quick_sentence + "**\n";
    if (!result.figures.empty()) page += "\n## Figures\n\n" + markdown(grid_of(result.figures, true));
    for (const ExperimentTable& table : result.tables) page += "\n## " + plain(table.title) + "\n\n" + markdown(grid_of(table));
    if (!result.pictures.empty()) page += "\n## Pictures\n";
    for (const ExperimentPicture& picture : result.pictures)
        page += "\n![" + plain(picture.caption) + "](" + picture.file + ")\n\n" + plain_block(picture.caption) + '\n';
    if (!result.notes.empty()) page += "\n## Notes\n\n";
    for (const std::string& note : result.notes) page += "- " + plain_block(note) + '\n';

    // Indented by four columns it is code, whatever stands in it.
    page += "\n## Settings\n\n";
    const std::string settings =
        base::parse_json_object(result.settings, ErrorCode::invalid_argument, "the settings of an experiment").dump(2) + '\n';
    for (size_t begin = 0; begin < settings.size();) {
        const size_t end = settings.find('\n', begin) + 1;
        page += "    " + settings.substr(begin, end - begin);
        begin = end;
    }
    page += "\nAll of it, for programs: [result.json](result.json).\n";
    return page;
}

std::string to_terminal(const ExperimentResult& result, const TerminalStyle& style) {
    Terminal page(style);
    page.line(result.name + ": " + result.title, Terminal::strong);
    if (!result.source.empty()) page.line("published: " + result.source, Terminal::faint);
    if (result.quick) page.line(quick_sentence, Terminal::notice);
    if (!result.figures.empty()) {
        page.blank();
        page.grid(grid_of(result.figures, false));
        for (const ExperimentFigure& figure : result.figures)
            if (!figure.note.empty()) page.line(figure.name + ": " + figure.note, Terminal::faint, 2);
    }
    for (const ExperimentTable& table : result.tables) {
        page.blank();
        page.line(table.title, Terminal::strong);
        page.grid(grid_of(table));
    }
    if (!result.notes.empty()) page.blank();
    for (const std::string& note : result.notes) page.line(note, "", 2, "-");
    if (!result.pictures.empty()) page.blank();
    for (const ExperimentPicture& picture : result.pictures) page.line(picture.file + ": " + picture.caption, Terminal::faint);
    return page.text();
}

}  // namespace whynot
