// From edited words back to the person's own text.

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "text/reading/units.h"
#include "text/reading/words.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

using Words = std::vector<std::string>;

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
        title_ = is_title();
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

    /// Whether most words have a capital, and not only those that begin a sentence.
    bool is_title() const {
        int with = 0, without = 0;
        for (size_t i = 0; i < words_.size(); ++i) {
            const Letters letters(own_text(i));
            if (letters.upper + letters.lower == 0 || starts_sentence(i)) continue;
            ++(letters.first_upper ? with : without);
        }
        return with > without;
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
            // One capital in the middle is that of a name, or of "I", and says nothing about what replaces it, but in A Title.
            if (title_ && letters.first_upper && letters.lower > 0 && !starts_sentence(item.at)) return with_first(item.word, true);
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
    bool title_ = false;
    std::vector<Item> items_;
    Words expected_;
    bool spaced_ = false;  // the person writes `gross .` as the corpora do, not `gross.`
};

}  // namespace

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

bool joins_the_word_before(const std::string& word) { return closes(word); }

std::string rewrite(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits) {
    return Writer(original, words, edits).rewrite();
}

std::string marked(std::string_view original, const std::vector<Word>& words, const std::vector<WordEdit>& edits) {
    return Writer(original, words, edits).marked();
}

}  // namespace whynot::text
