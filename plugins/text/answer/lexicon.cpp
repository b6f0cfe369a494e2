#include "text/answer/lexicon.h"

#include <algorithm>

#include "text/reading/ids.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

bool is_letter(unsigned char c) { return c >= 128 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_spoken(const std::string& word) {
    return std::any_of(word.begin(), word.end(), [](unsigned char c) { return is_letter(c) || is_digit(c); });
}

Lexicon make_lexicon(const std::vector<std::string>& vocabulary, const std::vector<int64_t>& counts, int64_t min_count) {
    if (counts.size() != vocabulary.size())
        throw Error(ErrorCode::invalid_argument, "lexicon: expected a count for each of " + std::to_string(vocabulary.size()) +
                                                     " entries, found " + std::to_string(counts.size()));
    Lexicon lexicon;
    for (size_t i = 0; i < vocabulary.size(); ++i) {
        const auto& entry = vocabulary[i];
        const bool special = i < static_cast<size_t>(first_word_id);
        const bool spoken = is_spoken(entry);
        const bool plain = !entry.empty() && entry.front() != '-' && std::all_of(entry.begin(), entry.end(), [](unsigned char c) {
            return is_letter(c) || is_digit(c) || c == '\'' || c == '-';
        });
        lexicon.word.push_back(!special && spoken && plain && counts[i] >= min_count);
        lexicon.mark.push_back(!special && (entry == "." || entry == "!" || entry == "?" || entry == ","));
        lexicon.punctuation.push_back(!special && !spoken);
        lexicon.number.push_back(!special && entry == "_num_");
    }
    lexicon.english = English(vocabulary);
    return lexicon;
}

}  // namespace whynot::text
