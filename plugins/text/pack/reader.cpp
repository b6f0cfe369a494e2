#include "text/pack/reader.h"

#include <algorithm>

namespace whynot::text {

Ids PieceSentence::all() const {
    Ids all = before;
    for (const Ids& word : words) all.insert(all.end(), word.begin(), word.end());
    all.insert(all.end(), after.begin(), after.end());
    return all;
}

std::vector<int64_t> PieceSentence::positions_of_pieces() const {
    std::vector<int64_t> positions(before.size(), -1);
    size_t position = 0;
    for (size_t word = 0; word < words.size(); ++word) {
        const bool said = position < this->positions() && word_at(position) == word;
        positions.resize(positions.size() + words[word].size(), said ? static_cast<int64_t>(position) : -1);
        position += said ? 1 : 0;
    }
    positions.resize(positions.size() + after.size(), -1);
    return positions;
}

std::vector<size_t> words_of_pieces(const std::string& text, const std::vector<Piece>& pieces, const std::vector<Word>& words) {
    std::vector<size_t> owners;
    const bool same =
        pieces.size() == words.size() && std::equal(pieces.begin(), pieces.end(), words.begin(),
                                                    [](const Piece& p, const Word& w) { return p.begin == w.begin && p.end == w.end; });
    size_t word = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
        const auto space = [&](size_t at) { return at < text.size() && static_cast<unsigned char>(text[at]) <= ' '; };
        size_t first = pieces[i].begin;
        while (first + 1 < pieces[i].end && space(first)) ++first;
        while (word + 1 < words.size() && words[word].end <= first) ++word;
        owners.push_back(same ? i : word);
    }
    return owners;
}

PieceSentence Reader::read(const std::string& text, const std::vector<Word>& words) const {
    PieceSentence sentence{pieces->before, std::vector<Ids>(words.size()), pieces->after};
    const std::vector<Piece> found = pieces->pieces(text);
    const std::vector<size_t> owners = words_of_pieces(text, found, words);
    for (size_t i = 0; i < found.size(); ++i) sentence.words[owners[i]].push_back(found[i].id);
    return sentence;
}

Ids Reader::read_word(const std::string& word) const {
    // What stands before it decides whether its first piece begins a word; a sign that is no part of any word is left away again.
    const std::string before = joins_the_word_before(word) ? "it" : "it ";
    Ids ids;
    for (const Piece& piece : pieces->pieces(before + word))
        if (piece.end > before.size()) ids.push_back(piece.id);
    return ids;
}

}  // namespace whynot::text
