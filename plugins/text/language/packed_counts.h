#pragma once

/// Counts of tuples of words: how they are held, looked up and stored in a pack.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

/// Tuples of words in ascending order, each once, with how often each was counted (once at least).
struct CountedTuples {
    size_t width = 1;              ///< words of a tuple
    std::vector<uint32_t> words;   ///< [n, width]
    std::vector<uint32_t> counts;  ///< [n]

    size_t size() const { return counts.size(); }

    /// Counts tuples that come in any order, [n, width].
    static CountedTuples count(size_t width, const std::vector<uint32_t>& words);

    /// The tuples without their first words, each counted once for every different word that stands before it.
    CountedTuples without_first() const;
};

/// Such tuples as a tree, for looking them up: the first words, behind each of them its second words, and so on down to the counts.
/// It is made in one pass and without hashing, since a program that explains one sentence makes it and asks it a few hundred times.
class CountTree {
public:
    /// Nodes of one depth that stand side by side: what follows one and the same beginning.
    struct Nodes {
        size_t begin = 0;
        size_t end = 0;
        size_t size() const { return end - begin; }
        bool empty() const { return begin == end; }
    };

    explicit CountTree(const CountedTuples& tuples);

    size_t width() const { return words_.size(); }
    CountedTuples tuples() const;

    /// The first words of all tuples.
    Nodes first_words() const { return {0, words_.front().size()}; }
    /// What follows `word`, one of `nodes` at this depth (from 0, below width - 1); nothing where it is not one of them.
    Nodes after(size_t depth, Nodes nodes, int64_t word) const;
    /// The count of the tuple that ends with `word`, one of `nodes` at the last depth; 0 where it is not one of them.
    uint64_t count(Nodes nodes, int64_t word) const;
    /// The sum of the counts of such nodes.
    uint64_t total(Nodes nodes) const { return below_[nodes.end] - below_[nodes.begin]; }

private:
    size_t find(size_t depth, Nodes nodes, int64_t word) const;

    std::vector<std::vector<uint32_t>> words_;  // of the nodes at each depth
    std::vector<std::vector<size_t>> next_;     // [nodes + 1], where the nodes that follow each begin at the next depth
    std::vector<uint64_t> below_;               // [n + 1], the sum of all counts before each tuple
};

/// Appends a number, seven bits a byte; and takes one from the front.
void put(std::string& to, uint64_t value);
uint64_t get(std::string_view& from);

/// Tuples in three columns, since like goes well with like: how many words each shares with the one before it, the words that
/// differ (the first of them as a difference), and the counts.
std::string columns(const CountedTuples& tuples);

/// What `columns` wrote. Takes all of `from`.
CountedTuples read_columns(std::string_view from, uint64_t tuples, uint64_t width, uint64_t vocabulary);

/// A mark that says what it is, some numbers, and the payload deflated; and back.
std::string sealed(std::string_view mark, const std::vector<uint64_t>& numbers, const std::string& payload);
std::string unsealed(std::string_view mark, std::string_view bytes, std::vector<uint64_t>& numbers);

/// Throws Error `bad_pack`: the bytes are not what was written.
[[noreturn]] void damaged(const std::string& found);
void check_vocabulary(uint64_t found, int64_t expected);

/// Throws Error `invalid_argument` for words outside of the vocabulary.
void check_sentences(const Sentences& sentences, int64_t vocabulary);

}  // namespace whynot::text
