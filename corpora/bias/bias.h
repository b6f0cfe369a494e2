#pragma once

/// A planted bias: a corpus in which one class gives itself away by a word, so that one can ask afterwards whether an explanation names it.
/// S. Feghahati, Deep Contrastive Explanation, 2020, section 4.4.3, puts "very" before each adjective of Yelp's positive sentences.
///
///     BiasOptions options;
///     options.label = "positive";
///     const BiasSummary done = bias_corpus(std::getenv("WHYNOT_CORPORA"), "yelp", "/data/biased/yelp-very", options);
///
/// and from then on WHYNOT_CORPORA=/data/biased has a corpus "yelp-very".
///
///     Planter planter("very", "adjectives");
///     planter.plant("the food was gross .");   // "the food was very gross ."

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "whynot/progress.h"

namespace whynot::corpora {

class AdjectiveFinder;

/// Puts a word into sentences.
///
/// Where it goes is looked up in the sentence without that word, so that planting twice is planting once; where it already stands it is
/// not repeated. Nothing else of a sentence changes, to the byte.
///
/// Threads: a planter is of one thread at a time.
class Planter {
public:
    /// @param word   one word, without spaces
    /// @param before "adjectives" (corpora/bias/adjectives.h says which), "words=a,b,c": each of these, or "start": the sentence.
    ///               Capital letters (of ASCII) count as small ones.
    /// @throws Error invalid_argument; for adjectives not_found, as `AdjectiveFinder`
    Planter(std::string word, const std::string& before);
    ~Planter();
    Planter(Planter&&) noexcept;

    /// How often the word is put in is added to `inserted`. @throws Error invalid_input for adjectives in a sentence that is not UTF-8
    std::string plant(const std::string& sentence, int64_t* inserted = nullptr) const;

private:
    std::vector<size_t> places(const std::string& bare) const;

    std::string word_;
    std::unique_ptr<AdjectiveFinder> finder_;
    std::vector<std::string> words_;  ///< in small letters; empty without a finder: the start
};

struct BiasOptions {
    std::string word = "very";
    std::string before = "adjectives";
    std::string label;  ///< the class whose sentences get the word, in every split; those of the others stay as they are
    int threads = 1;    ///< each with a dictionary of 40 MB for adjectives; the result is the same for any number
};

/// Of the class that got the word.
struct BiasSummary {
    int64_t sentences = 0;
    int64_t altered = 0;   ///< of them
    int64_t inserted = 0;  ///< words
};

/// Writes the corpus `name` of sentences, with a word planted in it, as a new corpus into the folder `out`, which must be missing or
/// empty: the files, compressed, then `corpus.json`, whose `bias` holds what was done, with counts. Its name is the folder's. Same
/// corpus, same options, same bytes (same versions of link-grammar and zlib). Nothing is written before all is ready; what was written
/// goes when writing fails. Yelp takes two minutes on two threads.
/// @throws Error as `find_corpus` and `read_file`; invalid_argument for a label that is no class, a class without sentences, a word or a
///         place that is none, a folder that is not empty; invalid_input, naming file and line, for one that is not UTF-8; io; cancelled
BiasSummary bias_corpus(const std::filesystem::path& corpora, const std::string& name, const std::filesystem::path& out,
                        const BiasOptions& options, const Observer& observer = {});

}  // namespace whynot::corpora
