#include "text/reading/words.h"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>

#include <algorithm>
#include <initializer_list>
#include <memory>

#include "whynot/error.h"

namespace whynot::text {
namespace {

using Words = std::vector<std::string>;

// --- Reading: bytes -> units -----------------------------------------------------------------------------------------

/// The smallest thing the rules below look at: a normalised character, or an emoji however many code points it has.
struct Unit {
    std::string text;
    UChar32 c;  // the (first) code point
    bool emoji;
    size_t begin, end;  // bytes of the original
};
using Units = std::vector<Unit>;

void check_icu(UErrorCode status, const char* what) {
    if (U_FAILURE(status)) {
        throw Error(ErrorCode::internal, std::string("ICU failed to ") + what + " (" + u_errorName(status) +
                                             "): its data are missing or damaged; reinstall ICU");
    }
}

void check_text(std::string_view utf8) {
    if (utf8.size() > max_text_bytes) {
        throw Error(ErrorCode::invalid_input, "the text is too long: " + std::to_string(utf8.size()) + " bytes, the limit is " +
                                                  std::to_string(max_text_bytes) + "; give one sentence at a time");
    }
    const int32_t size = static_cast<int32_t>(utf8.size());
    for (int32_t i = 0; i < size;) {
        const int32_t at = i;
        UChar32 c;
        U8_NEXT(utf8.data(), i, size, c);
        if (c < 0) {
            throw Error(ErrorCode::invalid_input, "the text is not valid UTF-8: byte " + std::to_string(at + 1) + " of " +
                                                      std::to_string(size) + " does not fit; convert the text to UTF-8");
        }
    }
}

/// What people and word processors write for the corpus's plain signs, where NFKC has no opinion.
const char* plain_sign(UChar32 c) {
    switch (c) {
        case 0x2018:
        case 0x2019:
        case 0x201B:
        case 0x02BC:
        case 0x00B4:
        case 0x2032: return "'";
        case 0x201C:
        case 0x201E:
        case 0x201F:
        case 0x00AB: return "``";
        case 0x201D:
        case 0x00BB:
        case 0x2033: return "''";
        case 0x2010:
        case 0x2011:
        case 0x2012:
        case 0x2013:
        case 0x2212: return "-";
        case 0x2014:
        case 0x2015: return "--";
        default: return nullptr;
    }
}

/// Emoji and signs such as (TM), which NFKC would turn into letters of the word before.
bool is_emoji(const icu::UnicodeString& cluster) {
    const UChar32 first = cluster.char32At(0);
    return u_charType(first) == U_OTHER_SYMBOL || u_hasBinaryProperty(first, UCHAR_EMOJI_PRESENTATION) ||
           u_hasBinaryProperty(first, UCHAR_REGIONAL_INDICATOR) || cluster.indexOf(static_cast<UChar32>(0xFE0F)) >= 0;
}

/// Ends of the user-perceived characters of a text, in bytes: what is normalised and, if an emoji, kept together.
std::vector<size_t> cluster_ends(std::string_view utf8) {
    std::vector<size_t> ends;
    if (std::all_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        for (size_t i = 1; i <= utf8.size(); ++i) ends.push_back(i);
        return ends;
    }
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::BreakIterator> breaks(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    check_icu(status, "find characters");
    UText text = UTEXT_INITIALIZER;
    utext_openUTF8(&text, utf8.data(), static_cast<int64_t>(utf8.size()), &status);
    if (U_SUCCESS(status)) breaks->setText(&text, status);
    for (int32_t end = breaks->first(); U_SUCCESS(status) && (end = breaks->next()) != icu::BreakIterator::DONE;) {
        ends.push_back(static_cast<size_t>(end));
    }
    utext_close(&text);
    check_icu(status, "find characters");
    return ends;
}

Units read_units(std::string_view utf8) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
    check_icu(status, "load its normalisation");

    Units units;
    const auto add = [&](UChar32 c, size_t begin, size_t end) {
        if (u_charType(c) == U_CONTROL_CHAR && !u_isWhitespace(c)) return;
        std::string text;
        icu::UnicodeString(c).toUTF8String(text);
        units.push_back({text, c, false, begin, end});
    };
    size_t begin = 0;
    for (const size_t end : cluster_ends(utf8)) {
        const std::string bytes(utf8.substr(begin, end - begin));
        if (bytes.size() == 1) {
            const char c = bytes[0];
            add(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c, begin, end);
        } else {
            const auto cluster = icu::UnicodeString::fromUTF8(bytes);
            const char* sign = cluster.countChar32() == 1 ? plain_sign(cluster.char32At(0)) : nullptr;
            if (sign != nullptr) {
                for (; *sign != '\0'; ++sign) add(*sign, begin, end);
            } else if (is_emoji(cluster)) {
                units.push_back({bytes, cluster.char32At(0), true, begin, end});
            } else {
                icu::UnicodeString folded = fold->normalize(cluster, status);
                check_icu(status, "normalise the text");
                // A vulgar fraction: `2½` is `2 1/2`, not `21/2`.
                if (folded.indexOf(static_cast<UChar32>(0x2044)) > 0 && !units.empty() && u_isdigit(units.back().c)) {
                    add(' ', begin, begin);
                }
                folded.findAndReplace(icu::UnicodeString(static_cast<UChar32>(0x2044)), icu::UnicodeString("/"));
                for (int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) add(folded.char32At(i), begin, end);
            }
        }
        begin = end;
    }
    // A lone grave accent is an apostrophe; two are an opening quote.
    for (size_t i = 0; i < units.size(); ++i) {
        const bool before = i > 0 && units[i - 1].c == '`';
        const bool after = i + 1 < units.size() && units[i + 1].c == '`';
        if (units[i].c == '`' && !before && !after) units[i] = {"'", '\'', false, units[i].begin, units[i].end};
    }
    return units;
}

// --- Splitting: units -> words ---------------------------------------------------------------------------------------

bool one_of(std::string_view word, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

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
        if (one_of(text, {"cannot", "gonna", "gotta", "wanna", "gimme", "lemme"})) {
            emit(begin, begin + 3);
            begin += 3;
        }
        emit(begin, end);
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

// --- Writing: words and edits -> the person's own text ---------------------------------------------------------------

bool opens(const std::string& word) { return one_of(word, {"(", "[", "{", "``", "$", "#"}); }
bool is_clitic(const std::string& word) { return one_of(word, {"n't", "'s", "'ve", "'m", "'ll", "'re", "'d"}); }
bool closes(const std::string& word) {
    return is_clitic(word) || one_of(word, {".", ",", ";", ":", "!", "?", "...", ")", "]", "}", "''", "%"});
}
bool ends_sentence(const std::string& word) { return one_of(word, {".", "!", "?", "..."}); }

/// Cased letters of a text.
struct Letters {
    int upper = 0, lower = 0;
    bool first_upper = false;

    explicit Letters(std::string_view text) {
        const auto u = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
        for (int32_t i = 0; i < u.length(); i = u.moveIndex32(i, 1)) {
            const UChar32 c = u.char32At(i);
            if (u_isULowercase(c)) ++lower;
            if (u_isUUppercase(c) || u_istitle(c)) {
                first_upper = first_upper || lower + upper == 0;
                ++upper;
            }
        }
    }
    bool all_caps() const { return lower == 0 && upper >= 2; }
};

std::string upper_case(const std::string& word) {
    if (word == "_num_") return word;
    std::string out;
    icu::UnicodeString::fromUTF8(word).toUpper(icu::Locale::getRoot()).toUTF8String(out);
    return out;
}

/// The first character in upper or lower case, the rest as it is. Nothing happens where the first is no letter.
std::string with_first(const std::string& word, bool upper) {
    if (word == "_num_") return word;
    auto u = icu::UnicodeString::fromUTF8(word);
    if (u.isEmpty()) return word;
    const UChar32 first = u.char32At(0);
    u.replace(0, u.moveIndex32(0, 1), upper ? u_totitle(first) : u_tolower(first));
    std::string out;
    u.toUTF8String(out);
    return out;
}

/// A place in the edited sentence, in its order; removed words keep theirs, for `marked`.
struct Item {
    enum class State { kept, replaced, removed, inserted };
    State state;
    std::string word;  // as the model writes it; of a removed word, what it was
    std::string text;  // as the person reads it
    size_t at;         // the word's index in the original; of an insertion, that of the word it comes before
    bool edited() const { return state == State::replaced || state == State::inserted; }
};

/// Edits by position, checked.
struct Plan {
    std::vector<const WordEdit*> change;                 // by word: replace or remove
    std::vector<std::vector<const WordEdit*>> inserted;  // by the word they come before, one more than words

    Plan(size_t size, const std::vector<WordEdit>& edits) : change(size), inserted(size + 1) {
        for (const WordEdit& edit : edits) {
            const bool insert = edit.kind == WordEdit::Kind::insert;
            if (edit.position >= size + (insert ? 1 : 0)) {
                throw Error(ErrorCode::invalid_argument, "an edit at position " + std::to_string(edit.position) + " of a sentence of " +
                                                             std::to_string(size) + " words");
            }
            if (insert) {
                inserted[edit.position].push_back(&edit);
            } else if (change[edit.position] != nullptr) {
                throw Error(ErrorCode::invalid_argument,
                            "two edits of the word at position " + std::to_string(edit.position) + "; at most one is possible");
            } else {
                change[edit.position] = &edit;
            }
        }
    }
};

class Writer {
public:
    Writer(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits)
        : original_(original), words_(words), letters_(original) {
        if (words.empty()) throw Error(ErrorCode::invalid_argument, "a sentence without words cannot be edited");
        const Plan plan(words.size(), edits);
        for (size_t i = 0; i <= words.size(); ++i) {
            for (const WordEdit* edit : plan.inserted[i]) items_.push_back({Item::State::inserted, edit->to, {}, i});
            if (i == words.size()) break;
            const WordEdit* edit = plan.change[i];
            if (edit == nullptr) {
                items_.push_back({Item::State::kept, words[i].text, {}, i});
            } else if (edit->kind == WordEdit::Kind::replace) {
                items_.push_back({Item::State::replaced, edit->to, {}, i});
            } else {
                items_.push_back({Item::State::removed, words[i].text, {}, i});
            }
        }
        for (const Item& item : items_) {
            if (item.edited() && !writable(item.word)) {
                throw Error(ErrorCode::invalid_argument, "\"" + item.word + "\" cannot be written so that it is read back as one word");
            }
            if (item.state != Item::State::removed) expected_.push_back(item.word);
        }
        if (expected_.empty()) throw Error(ErrorCode::invalid_argument, "the edits would leave no word of the sentence");
        for (size_t i = 1; i < words.size(); ++i) {
            if (closes(words[i].text) && words[i].begin > words[i - 1].end) spaced_ = true;
        }
        spell();
        move_capitals();
    }

    std::string rewrite() const {
        for (const Care care : {Care::own, Care::spaces, Care::model}) {
            const std::string result = assemble(care);
            if (texts(split_words(result)) == expected_) return result;
        }
        throw Error(ErrorCode::internal, "the edited sentence cannot be spelled so that it is read back: " + assemble(Care::model));
    }

    std::string marked() const {
        std::string out;
        bool space_owed = false;  // after an insertion, before the word that had its place
        for (const Item& item : items_) {
            const std::string before = space_owed ? " " : gap(item.at);
            space_owed = false;
            if (item.state == Item::State::inserted) {
                const bool glued = before.empty() && !out.empty();
                out += (glued ? " " : before) + "+[" + item.text + "]+";
                space_owed = !(glued && item.at < words_.size() && closes(words_[item.at].text)) && item.at < words_.size();
                continue;
            }
            const std::string old = own_text(item.at);
            out += before;
            if (item.state == Item::State::kept) out += item.text;
            if (item.state == Item::State::removed) out += "-[" + old + "]-";
            if (item.state == Item::State::replaced) out += "-[" + old + "]- +[" + item.text + "]+";
        }
        return items_.back().at < words_.size() ? out + gap(words_.size()) : out;
    }

private:
    enum class Care { own, spaces, model };

    /// The original between words i - 1 and i; before the first and after the last word, what stands there.
    std::string gap(size_t i) const {
        const size_t begin = i == 0 ? 0 : words_[i - 1].end;
        const size_t end = i == words_.size() ? original_.size() : words_[i].begin;
        return std::string(original_.substr(begin, end - begin));
    }

    std::string own_text(size_t i) const {
        const Word& word = words_[i];
        return word.begin == word.end ? word.text : std::string(original_.substr(word.begin, word.end - word.begin));
    }

    /// Whether word i stands at the start of a sentence of the original, quotes and brackets aside.
    bool starts_sentence(size_t i) const {
        while (i > 0 && opens(words_[i - 1].text)) --i;
        return i == 0 || ends_sentence(words_[i - 1].text);
    }

    void spell() {
        // Words that share one character of the original stand or fall together.
        std::vector<size_t> group(words_.size());
        std::vector<bool> touched(words_.size(), false);
        for (size_t i = 0; i < words_.size(); ++i) group[i] = i > 0 && words_[i].begin == words_[i].end ? group[i - 1] : i;
        for (const Item& item : items_) {
            if (item.state != Item::State::kept && item.at < words_.size()) touched[group[item.at]] = true;
        }
        for (Item& item : items_) {
            if (item.state == Item::State::kept) {
                const Word& word = words_[item.at];
                const bool shares = item.at + 1 < words_.size() && group[item.at + 1] == group[item.at];
                if (word.begin < word.end && !(shares && touched[group[item.at]])) {
                    item.text = own_text(item.at);
                } else if (touched[group[item.at]]) {
                    item.text = item.word;
                }
            } else if (item.edited()) {
                item.text = spell_new(item);
            }
        }
    }

    std::string spell_new(const Item& item) const {
        if (item.word == "``" || item.word == "''") return "\"";
        if (item.word == "i" && letters_.upper > 0) return "I";
        if (letters_.all_caps()) return upper_case(item.word);
        if (item.state == Item::State::replaced) {
            const std::string old = own_text(item.at);
            const Letters letters(old);
            if (letters.all_caps()) return upper_case(item.word);
            // A capital "I" in the middle says nothing about what replaces it.
            if (letters.first_upper && letters.lower > 0 && !starts_sentence(item.at)) return with_first(item.word, true);
        }
        return item.word;
    }

    /// Gives each sentence of the result the capital that it had in the original, and takes it from a word that lost its place.
    void move_capitals() {
        bool start = true;
        for (Item& item : items_) {
            if (item.state == Item::State::removed) continue;
            const bool in_original = item.at < words_.size();
            const bool was_start = in_original && starts_sentence(item.at);
            if (start && !opens(item.word)) {
                size_t first = in_original ? item.at : words_.size() - 1;
                while (!starts_sentence(first)) --first;
                while (first < words_.size() && opens(words_[first].text)) ++first;
                const bool capital = first < words_.size() && Letters(own_text(first)).first_upper;
                if (capital && !is_clitic(item.word) && (item.edited() || !was_start)) item.text = with_first(item.text, true);
            } else if (!start && was_start && item.state == Item::State::kept && item.word != "i" && !letters_.all_caps()) {
                const Letters letters(item.text);
                if (letters.first_upper && letters.lower > 0) item.text = with_first(item.text, false);
                if (item.text == "A") item.text = "a";
            }
            start = opens(item.word) ? start : ends_sentence(item.word);
        }
    }

    /// What goes between two neighbours of the result.
    std::string between(const Item& a, const Item& b, Care care) const {
        const bool neighbours = a.state != Item::State::inserted && b.state != Item::State::inserted && b.at == a.at + 1;
        if (neighbours && !a.edited() && !b.edited()) return care == Care::model ? " " : gap(b.at);
        if (care != Care::own) return " ";

        const std::string before = b.state == Item::State::inserted ? "" : gap(b.at);
        const std::string after = a.state == Item::State::inserted ? "" : gap(a.at + 1);
        const auto reads_back = [&](const std::string& glue) {
            return texts(split_words(a.text + glue + b.text)) == Words{a.word, b.word};
        };
        const bool closer = closes(b.word) && (b.edited() ? !spaced_ : before.empty());
        const bool opener = opens(a.word) && (a.edited() ? !spaced_ : after.empty());
        if ((closer || opener) && reads_back("")) return "";
        if (neighbours && reads_back(before)) return before;
        for (const std::string& own : {before, after}) {
            if (!own.empty() && reads_back(own)) return own;
        }
        return " ";
    }

    std::string assemble(Care care) const {
        std::string out = care == Care::model ? "" : gap(0);
        const Item* last = nullptr;
        for (const Item& item : items_) {
            if (item.state == Item::State::removed) continue;
            if (last != nullptr) out += between(*last, item, care);
            const bool quote = item.word == "``" || item.word == "''";  // which of the two `"` is depends on its neighbours
            out += care == Care::model || (care == Care::spaces && quote) ? item.word : item.text;
            last = &item;
        }
        return care == Care::model ? out : out + gap(words_.size());
    }

    std::string_view original_;
    const std::vector<Word>& words_;
    Letters letters_;
    std::vector<Item> items_;
    Words expected_;
    bool spaced_ = false;  // the person writes `gross .` as the corpora do, not `gross.`
};

}  // namespace

std::vector<Word> split_words(std::string_view utf8) {
    check_text(utf8);
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

std::vector<std::string> apply_edits(const std::vector<std::string>& words, const std::vector<WordEdit>& edits) {
    const Plan plan(words.size(), edits);
    std::vector<std::string> result;
    for (size_t i = 0; i <= words.size(); ++i) {
        for (const WordEdit* edit : plan.inserted[i]) result.push_back(edit->to);
        if (i == words.size()) break;
        if (plan.change[i] == nullptr) {
            result.push_back(words[i]);
        } else if (plan.change[i]->kind == WordEdit::Kind::replace) {
            result.push_back(plan.change[i]->to);
        }
    }
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

std::string rewrite(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits) {
    return Writer(original, words, edits).rewrite();
}

std::string marked(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits) {
    return Writer(original, words, edits).marked();
}

}  // namespace whynot::text
