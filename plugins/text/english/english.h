#pragma once

/// What a change of one word asks of its neighbours in English, and which words stand for each other when a sentence is turned. All of it is
/// nothing in a vocabulary that has none of these words.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

/// Of one vocabulary. Words are split as the corpora have them ("wo n't"); -1 and empty is what the vocabulary lacks.
///
///     const English english(vocabulary);
///     english.turn(delicious, bland);        // > 0: WordNet has them as opposites
///     english.denied(loved);                 // {did, n't, love}
///     english.affirmed(did, love);           // loved
class English {
public:
    English() = default;
    explicit English(const std::vector<std::string>& vocabulary);

    int64_t a = -1, an = -1;           ///< the two articles of which the next word decides
    int64_t not_ = -1;                 ///< n't
    std::map<int64_t, int64_t> stems;  ///< what stands before n't only, and what it is without: ca, can; wo, will
    std::vector<char> takes_not;       ///< whether n't may come after a word

    /// How often a word takes another's place when a sentence is turned, 0 to 1: what people put there (imdb-human; Kaushik et al. 2020), antonyms
    /// of WordNet (Miller 1995), adjectives whose like are antonyms. turns.py says how `turns.txt` was made.
    double turn(int64_t from, int64_t to) const;
    /// All that may take a word's place so.
    const std::vector<std::pair<int64_t, double>>& turns(int64_t from) const;

    /// A form of a verb, denied: loved, {did, n't, love}. None for what is no verb or has no such form here.
    std::optional<Ids> denied(int64_t verb) const;
    /// The form that says what auxiliary and n't denied: (did, love), loved.
    std::optional<int64_t> affirmed(int64_t auxiliary, int64_t base) const;
    /// Whether "do n't" may come between a word and a verb: i, we, you, they, people.
    bool is_plural_subject(int64_t word) const { return is(plural_subject_, word); }
    /// Whether a word before a verb leaves no room for do: to, a, the, was, have, will.
    bool shuts_out_do(int64_t word) const { return is(shuts_out_do_, word); }
    /// Whether a word joins what stands beside it, of one kind and, of opinions, of one mind (Hatzivassiloglou & McKeown 1997): and, or, a comma.
    bool joins(int64_t word) const { return is(joins_, word); }
    /// Whether it stresses the word behind it: very, so.
    bool stresses(int64_t word) const { return is(stresses_, word); }

private:
    static bool is(const std::vector<char>& marks, int64_t word) {
        const auto w = static_cast<size_t>(word);
        return w < marks.size() && marks[w] != 0;
    }
    void add_verbs(const std::vector<std::string>& vocabulary, const std::unordered_map<std::string, int64_t>& ids);

    std::unordered_map<int64_t, std::vector<std::pair<int64_t, double>>> turns_;
    std::unordered_map<int64_t, Ids> denied_;
    std::map<std::pair<int64_t, int64_t>, int64_t> affirmed_;
    std::vector<char> plural_subject_, shuts_out_do_, joins_, stresses_;
};

}  // namespace whynot::text
