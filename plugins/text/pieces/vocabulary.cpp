#include <sstream>

#include "base/json.h"
#include "base/text.h"
#include "text/pieces/readers.h"
#include "whynot/error.h"

namespace whynot::text {

void refuse_tokenizer(const std::string& origin, const std::string& sentence) {
    throw Error(ErrorCode::invalid_input, origin + ": " + sentence);
}

void Vocabulary::add(const std::string& piece, int64_t id, const std::string& origin) {
    constexpr int64_t most = 2'000'000;
    if (id < 0 || id >= most)
        refuse_tokenizer(origin, "expected ids from 0 to " + std::to_string(most - 1) + ", found " + std::to_string(id) + " for " +
                                     base::in_quotes(piece));
    if (!ids_.emplace(piece, id).second) refuse_tokenizer(origin, "the piece " + base::in_quotes(piece) + " stands in it twice");
    if (id >= size()) spellings_.resize(static_cast<size_t>(id) + 1);
    std::string& spelling = spellings_[static_cast<size_t>(id)];
    if (!spelling.empty())
        refuse_tokenizer(
            origin, "the pieces " + base::in_quotes(spelling) + " and " + base::in_quotes(piece) + " have one id, " + std::to_string(id));
    spelling = piece;
}

std::string Vocabulary::spelling(int64_t id) const { return id >= 0 && id < size() ? spellings_[static_cast<size_t>(id)] : ""; }

std::optional<int64_t> Vocabulary::id_of(const std::string& piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

Vocabulary vocabulary_of_json(const std::string& bytes, const std::string& origin) {
    const base::LargeJson json = base::parse_large_json(bytes, ErrorCode::invalid_input, origin);
    if (!json.is_object() || json.empty())
        refuse_tokenizer(origin, "expected an object that gives each piece its id, as vocab.json of GPT-2 does");
    Vocabulary vocabulary;
    for (const auto& [piece, id] : json.items()) {
        if (!id.is_number_integer()) refuse_tokenizer(origin, "expected a whole number as the id of " + base::in_quotes(piece));
        vocabulary.add(piece, id.get<int64_t>(), origin);
    }
    return vocabulary;
}

Merges merges_of_text(const std::string& bytes, const std::string& origin) {
    Merges merges;
    std::istringstream lines(bytes);
    int64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty() || (number == 1 && line.compare(0, 9, "#version:") == 0)) continue;
        const size_t space = line.find(' ');
        if (space == std::string::npos || space == 0 || space + 1 == line.size() || line.find(' ', space + 1) != std::string::npos)
            refuse_tokenizer(origin, "line " + std::to_string(number) + ": expected two pieces and a space between them, found " +
                                         base::in_quotes(line));
        merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return merges;
}

}  // namespace whynot::text
