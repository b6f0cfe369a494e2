#include "text/model/word_edits.h"

#include <algorithm>

namespace whynot::text {

std::vector<WordEdit> difference(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    const size_t m = from.size(), n = to.size();
    std::vector<std::vector<size_t>> cost(m + 1, std::vector<size_t>(n + 1));
    for (size_t i = m + 1; i-- > 0;)
        for (size_t j = n + 1; j-- > 0;) {
            if (i == m || j == n) {
                cost[i][j] = (m - i) + (n - j);
                continue;
            }
            cost[i][j] = std::min({cost[i + 1][j + 1] + (from[i] != to[j]), cost[i + 1][j] + 1, cost[i][j + 1] + 1});
        }
    std::vector<WordEdit> edits;
    for (size_t i = 0, j = 0; i < m || j < n;) {
        if (i < m && j < n && cost[i][j] == cost[i + 1][j + 1] + (from[i] != to[j])) {
            if (from[i] != to[j]) edits.push_back({WordEdit::Kind::replace, i, to[j]});
            ++i, ++j;
        } else if (i < m && cost[i][j] == cost[i + 1][j] + 1) {
            edits.push_back({WordEdit::Kind::remove, i++, ""});
        } else {
            edits.push_back({WordEdit::Kind::insert, i, to[j++]});
        }
    }
    return edits;
}

std::vector<WordEdit> word_edits(const Tokenizer& tokenizer, const std::vector<std::string>& words, const Answer& answer) {
    if (tokenizer.kind() != TokenizerKind::word) {
        std::vector<std::string> said = tokenizer.decode(answer.ids);
        said.erase(std::remove(said.begin(), said.end(), ""), said.end());  // the start of a word whose pieces went
        return difference(words, said);
    }
    std::vector<WordEdit> edits;
    for (const Edit& edit : answer.edits) {
        const auto position = static_cast<size_t>(edit.position);
        if (edit.kind == EditKind::insert) {
            for (const int64_t word : edit.to) edits.push_back({WordEdit::Kind::insert, position, tokenizer.piece(word)});
            continue;
        }
        // A merge puts its word in the place of the first of the two.
        for (size_t i = 0; i < edit.from.size(); ++i) {
            if (i < edit.to.size())
                edits.push_back({WordEdit::Kind::replace, position + i, tokenizer.piece(edit.to[i])});
            else
                edits.push_back({WordEdit::Kind::remove, position + i, ""});
        }
    }
    return edits;
}

}  // namespace whynot::text
