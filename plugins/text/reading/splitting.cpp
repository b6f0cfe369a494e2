// From characters to words, by the rules that words.h gives.

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <memory>

#include "text/reading/units.h"
#include "text/reading/words.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

bool is_ascii_sign(UChar32 c, std::string_view signs) { return c < 0x80 && signs.find(static_cast<char>(c)) != signs.npos; }

/// Signs that the corpus leaves inside a word or at its edge: check-in, w/, a+, sh*t, p.m, c'mon, _num_.
bool glues(const Unit& unit) {
    if (unit.emoji) return false;
    if (unit.c < 0x80) return u_isalnum(unit.c) || is_ascii_sign(unit.c, "'-/.+*_");
    const auto mask = U_GET_GC_MASK(unit.c);
    return (mask & (U_GC_P_MASK | U_GC_S_MASK | U_GC_Z_MASK)) == 0;
}

/// Scripts whose words only a dictionary can tell apart.
bool needs_dictionary(const Unit& unit) {
    if (unit.emoji || unit.c < 0x0E00) return false;
    UErrorCode status = U_ZERO_ERROR;
    switch (uscript_getScript(unit.c, &status)) {
        case USCRIPT_HAN:
        case USCRIPT_HIRAGANA:
        case USCRIPT_KATAKANA:
        case USCRIPT_THAI:
        case USCRIPT_LAO:
        case USCRIPT_KHMER:
        case USCRIPT_MYANMAR: return true;
        default: return false;
    }
}

class Splitter {
public:
    explicit Splitter(const Units& units) : units_(units) {}

    std::vector<Word> split() {
        for (size_t i = 0; i < units_.size();) {
            size_t end = i;
            while (end < units_.size() && !is_space(end)) ++end;
            if (end > i) split_chunk(i, end);
            i = end + 1;
        }
        return std::move(words_);
    }

private:
    bool is_space(size_t i) const { return !units_[i].emoji && (u_isWhitespace(units_[i].c) || u_isUWhiteSpace(units_[i].c)); }
    bool is(size_t i, char c) const { return units_[i].c == c && !units_[i].emoji; }
    bool is_digit(size_t i) const { return units_[i].c >= '0' && units_[i].c <= '9' && !units_[i].emoji; }
    bool is_alnum(size_t i) const { return units_[i].c == '_' || units_[i].c >= 0x80 || u_isalnum(units_[i].c); }

    std::string spell(size_t begin, size_t end) const {
        std::string text;
        for (size_t i = begin; i < end; ++i) text += units_[i].text;
        return text;
    }

    /// Writes units [begin, end) down as one word. Where one character of the original gave several words
    /// (a dash made of two hyphens does not, a ligature may), the first has its bytes and the others none.
    void emit(size_t begin, size_t end, std::string text) {
        const size_t taken = words_.empty() ? 0 : words_.back().end;
        const size_t from = std::max(taken, units_[begin].begin);
        words_.push_back({std::move(text), from, std::max(from, units_[end - 1].end)});
    }
    void emit(size_t begin, size_t end) { emit(begin, end, spell(begin, end)); }

    template <class Predicate>
    size_t run(size_t i, size_t end, Predicate wanted) const {
        while (i < end && wanted(i)) ++i;
        return i;
    }

    /// A stretch without spaces.
    void split_chunk(const size_t begin, const size_t end) {
        for (size_t i = begin; i < end;) {
            const UChar32 c = units_[i].c;
            const bool doubled = i + 1 < end && units_[i + 1].c == c;
            size_t next = i + 1;
            if (units_[i].emoji) {
                emit(i, next);
            } else if (needs_dictionary(units_[i])) {
                next = run(i, end, [&](size_t k) { return needs_dictionary(units_[k]); });
                split_by_dictionary(i, next);
            } else if (c == '.' && doubled) {
                next = run(i, end, [&](size_t k) { return is(k, '.'); });
                emit(i, next, "...");
            } else if (c == '-' && doubled) {
                next = run(i, end, [&](size_t k) { return is(k, '-'); });
                emit(i, next, "--");
            } else if (c == '!' || c == '?') {
                next = run(i, end, [&](size_t k) { return is(k, '!') || is(k, '?'); });
                emit(i, next, units_[i].text);
            } else if ((c == '`' || c == '\'') && doubled) {
                next = i + 2;
                emit(i, next);
            } else if (c == '"') {
                const bool opens = i == begin || is_ascii_sign(units_[i - 1].c, "([{<-/");
                emit(i, next, opens ? "``" : "''");
            } else if (glues(units_[i])) {
                next = core_end(i, begin, end);
                split_core(i, next);
            } else {
                emit(i, next);
            }
            i = next;
        }
    }

    /// How far a word without punctuation of its own reaches: `9:30` and `1,000` count as one.
    size_t core_end(size_t i, const size_t begin, const size_t end) const {
        for (; i < end; ++i) {
            const bool doubled = i + 1 < end && units_[i + 1].c == units_[i].c;
            if (doubled && (is(i, '.') || is(i, '-') || is(i, '\''))) break;
            const bool in_number = i > begin && i + 1 < end && (is(i, ',') || is(i, ':')) && is_digit(i - 1) && is_digit(i + 1);
            if (!in_number && (!glues(units_[i]) || needs_dictionary(units_[i]))) break;
        }
        return i;
    }

    void split_by_dictionary(size_t begin, size_t end) {
        icu::UnicodeString text;
        std::vector<size_t> unit_at;  // by UTF-16 index
        for (size_t i = begin; i < end; ++i) {
            text.append(units_[i].c);
            unit_at.resize(static_cast<size_t>(text.length()), i);
        }
        unit_at.push_back(end);
        UErrorCode status = U_ZERO_ERROR;
        const std::unique_ptr<icu::BreakIterator> breaks(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
        check_icu(status, "find words");
        breaks->setText(text);
        size_t from = begin;
        for (int32_t at = breaks->first(); (at = breaks->next()) != icu::BreakIterator::DONE;) {
            const size_t to = unit_at[static_cast<size_t>(at)];
            if (to > from) emit(from, to);
            from = to;
        }
    }

    /// A word with what sticks to it: 'others'', (good.), *really*, shouldn't've, $10.99, cannot.
    void split_core(size_t begin, size_t end) {
        if (begin == end) return;
        if (run(begin, end, [&](size_t k) { return !is_alnum(k); }) == end) {  // signs only: *** - / +
            for (size_t i = begin; i < end;) {
                const size_t next = run(i, end, [&](size_t k) { return units_[k].c == units_[i].c; });
                emit(i, next);
                i = next;
            }
            return;
        }
        const std::string text = spell(begin, end);
        if (is_number(begin, end)) return emit(begin, end, "_num_");
        if (one_of(text, {"'s", "'ve", "'m", "'ll", "'re", "'d", "'n", "'em", "n't", "dr.", "mr.", "mrs.", "ms.", "st."})) {
            return emit(begin, end);
        }
        if (is(begin, '*')) {  // *emphasis*, but sh*t and f*** stay
            const size_t from = run(begin, end, [&](size_t k) { return is(k, '*'); });
            size_t to = end;
            while (is(to - 1, '*')) --to;
            emit(begin, from);
            split_core(from, to);
            if (to < end) emit(to, end);
            return;
        }
        if (is(end - 1, '.') || is(end - 1, '\'')) return part(begin, end - 1, end);
        if (is(begin, '\'') || is(begin, '.')) return part(begin, begin + 1, end);
        for (const std::string_view clitic : {"n't", "'ve", "'ll", "'re", "'s", "'m", "'d"}) {
            if (text.size() > clitic.size() && text.compare(text.size() - clitic.size(), clitic.npos, clitic) == 0) {
                return part(begin, end - clitic.size(), end);
            }
        }
        if (one_of(text, {"isnt", "arent", "wasnt", "werent", "dont", "doesnt", "didnt", "havent", "hasnt", "hadnt", "wouldnt", "couldnt",
                          "shouldnt", "cant", "wont", "aint"})) {
            emit(begin, end - 2);
            return emit(end - 2, end, "n't");
        }
        if (const size_t slash = between_words(begin, end); slash != end) {
            split_core(begin, slash);
            emit(slash, slash + 1);
            return split_core(slash + 1, end);
        }
        if (one_of(text, {"cannot", "gonna", "gotta", "wanna", "gimme", "lemme"})) {
            emit(begin, begin + 3);
            begin += 3;
        }
        emit(begin, end);
    }

    /// The slash between two words of at least three letters (rude/slow, but and/or, w/, 24/7); `end` where there is none.
    size_t between_words(size_t begin, size_t end) const {
        const auto letter = [&](size_t k) { return !is_digit(k) && (units_[k].c >= 0x80 || u_isalpha(units_[k].c)); };
        const size_t slash = run(begin, end, letter);
        if (slash == end || !is(slash, '/') || slash - begin < 3) return end;
        return run(slash + 1, end, letter) == end && end - slash > 3 ? slash : end;
    }

    void part(size_t begin, size_t middle, size_t end) {
        split_core(begin, middle);
        split_core(middle, end);
    }

    /// 5, 10.99, .50, -3
    bool is_number(size_t begin, size_t end) const {
        const auto digit = [&](size_t k) { return is_digit(k); };
        if (is(begin, '-') || is(begin, '+')) ++begin;
        const size_t point = run(begin, end, digit);
        if (point == end) return point > begin;
        return is(point, '.') && point + 1 < end && run(point + 1, end, digit) == end;
    }

    const Units& units_;
    std::vector<Word> words_;
};

}  // namespace

std::vector<Word> split_words(std::string_view utf8) {
    std::vector<Word> words = Splitter(read_units(utf8)).split();
    if (words.empty()) {
        throw Error(ErrorCode::invalid_input, utf8.empty() ? "the text is empty; a sentence was expected"
                                                           : "the text has only spaces or invisible characters; a sentence was expected");
    }
    return words;
}

std::vector<std::string> texts(const std::vector<Word>& words) {
    std::vector<std::string> result;
    result.reserve(words.size());
    for (const Word& word : words) result.push_back(word.text);
    return result;
}

bool writable(const std::string& word) {
    try {
        const auto words = split_words(word);
        return words.size() == 1 && words[0].text == word;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::invalid_input) return false;
        throw;
    }
}

}  // namespace whynot::text
