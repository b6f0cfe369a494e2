#pragma once

/// Where the adjectives of an English sentence are, by link-grammar (https://opencog.github.io/link-grammar-website).
///
///     const AdjectiveFinder finder;
///     finder.find("the food was gross .");   // {13}
///
/// The rule. link-grammar offers linkages, ways to read a sentence, each with a cost. A word is an adjective when one of the cheapest
/// linkages (no more than 0.1 dearer than the best, which makes no difference to a reader) tags it `.a` or `.a-s`, before a noun or after
/// a verb alike: "nice people", "the food was gross", "the best food". None of them are
///
/// - comparatives, `.a-c`: nobody says "very better";
/// - participles that are tagged as verbs ("we were impressed"); "amazing" is an adjective in the dictionary, "running" is none;
/// - words that the dictionary does not know and link-grammar guesses at ("mexican", "delish", names in lower case);
/// - words which it calls adjectives for the sake of its grammar and which take no degree: quantifiers and numerals ("all", "first"),
///   directions, and "pretty", "just", "even" and the like, which are adverbs wherever people write as they speak. `adjectives.cpp` has them.
///
/// Where no linkage holds all words, some are left out, as few as possible. Capitals inside a sentence make names, which are no adjectives.
/// Tokens of a tokenised corpus that link-grammar does not expect are shown to it as what they stand for: `i` as `I`, `_num_` as a number,
/// `ca n't` as `can n't`. What it cannot take apart (hundreds of marks without a space) has no adjectives.
///
/// Time. Some 400 sentences of Yelp a second, and 0.4 s and 40 MB for the dictionary. There is no limit of time, which would make the
/// answer depend on the machine; a sentence is read in parts of at most 30 words, each of which ends after `.`, `!`, `?` or `;` where there is one.
///
/// Same sentence, same version of link-grammar: same answer, whatever was asked before and on whatever thread.
///
/// Process-wide state. link-grammar would print to standard error, and set the process's locale where that is not one of UTF-8; both are
/// kept from it: while it works, the calling thread has a locale and an error handler of ours, and afterwards its own again.
///
/// Threads: a finder is of one thread at a time; several finders work side by side.

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace whynot::corpora {

class AdjectiveFinder {
public:
    /// Reads the dictionary. @throws Error not_found when link-grammar's English dictionary is not installed
    AdjectiveFinder();
    ~AdjectiveFinder();
    AdjectiveFinder(const AdjectiveFinder&) = delete;
    AdjectiveFinder& operator=(const AdjectiveFinder&) = delete;

    /// The bytes of `sentence`, in ascending order, at which an adjective begins: at the beginning of what stands between spaces, or
    /// there after opening quotes and brackets. @throws Error invalid_input for a sentence that is not UTF-8
    std::vector<size_t> find(std::string_view sentence) const;

    /// What the cheapest reading of a sentence costs that holds all of its words, the sum over its parts: 0 to 2 for most of what is written with care; what
    /// is said oddly costs more. Nothing where there is none: it is not grammatical as far as link-grammar knows. Fragments often are not.
    /// @throws Error invalid_input for a sentence that is not UTF-8
    std::optional<double> reading_cost(std::string_view sentence) const;

    /// "link-grammar-5.12.0"
    static const char* version();

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

/// Whether a word can begin at byte `at`: at the beginning, after a space, or there after opening quotes and brackets.
bool word_can_begin(std::string_view sentence, size_t at);

}  // namespace whynot::corpora
