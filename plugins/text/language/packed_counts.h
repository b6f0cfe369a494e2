#pragma once

/// How tuples of words are counted, and how a pack stores their counts.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/reading/ids.h"

namespace whynot::text {

/// Open addressing from pairs of 32-bit numbers to 32-bit values.
class CountTable {
public:
    /// The value of `key`, made with 0 where it is missing.
    uint32_t& operator[](uint64_t key);
    const uint32_t* find(uint64_t key) const;
    size_t size() const { return size_; }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [key, value] : slots_)
            if (key != 0) visit(key - 1, value);
    }

private:
    size_t slot(uint64_t key) const;
    std::vector<std::pair<uint64_t, uint32_t>> slots_;  // key + 1; 0 is an empty slot
    size_t size_ = 0;
};

/// Two numbers below 2^32 as the key of a CountTable.
inline uint64_t key(uint64_t high, int64_t low) { return high << 32 | static_cast<uint64_t>(low); }

/// Tuples of words with their counts.
using Counted = std::vector<std::pair<Ids, uint32_t>>;

/// Appends a number, seven bits a byte; takes one from the front.
void put(std::string& to, uint64_t value);
uint64_t get(std::string_view& from);

/// Sorted tuples of words with their counts, in three columns, since like goes well with like: how many words each shares with
/// the one before it, the words that differ (the first of them as a difference), and the counts.
std::string columns(Counted grams);

/// What `columns` wrote, as one tuple after the other, in ascending order. Takes all of `from`.
void read_columns(std::string_view from, uint64_t grams, uint64_t order, uint64_t vocabulary,
                  const std::function<void(const int64_t* gram, uint32_t count)>& visit);

/// A mark that says what it is, some numbers, and the payload deflated; and back.
std::string sealed(std::string_view mark, const std::vector<uint64_t>& numbers, const std::string& payload);
std::string unsealed(std::string_view mark, std::string_view bytes, std::vector<uint64_t>& numbers);

/// Throws Error `bad_pack`: the bytes are not what was written.
[[noreturn]] void damaged(const std::string& found);
void check_vocabulary(uint64_t found, int64_t expected);

/// Throws Error `invalid_argument` for words outside of the vocabulary.
void check_sentences(const Sentences& sentences, int64_t vocabulary);

}  // namespace whynot::text
