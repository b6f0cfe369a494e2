#include "text/reading/sentences.h"

#include "text/reading/units.h"

namespace whynot::text {

namespace {

bool ends_a_sentence(const std::string& word) { return one_of(word, {".", "!", "?", "..."}); }
bool closes_after(const std::string& word) { return one_of(word, {"''", "\"", ")", "]", "}"}); }

}  // namespace

std::vector<WordRange> cut_sentences(const std::string& text, const std::vector<Word>& words, size_t longest) {
    std::vector<WordRange> ranges;
    size_t begin = 0;
    const auto end_at = [&](size_t end) {
        while (end - begin > longest) {  // behind the last comma of the second half of what fits
            size_t last = begin + longest;
            for (size_t i = last; i > begin + longest / 2; --i)
                if (one_of(words[i - 1].text, {",", ";", ":", "--"})) {
                    last = i;
                    break;
                }
            ranges.emplace_back(begin, last);
            begin = last;
        }
        if (end > begin) ranges.emplace_back(begin, end);
        begin = end;
    };
    bool ended = false;
    for (size_t i = 0; i < words.size(); ++i) {
        const size_t newline = i == 0 ? std::string::npos : text.find('\n', words[i - 1].end);
        const bool paragraph = newline != std::string::npos && newline < words[i].begin;
        const bool ends = ends_a_sentence(words[i].text);
        if (paragraph || (ended && !ends && !closes_after(words[i].text))) {
            end_at(i);
            ended = false;
        }
        ended = ended || ends;
    }
    end_at(words.size());
    return ranges;
}

}  // namespace whynot::text
