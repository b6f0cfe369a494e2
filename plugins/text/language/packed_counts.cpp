#include "text/language/packed_counts.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>

#include "base/format.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

/// Counts of real sentences deflate to a half or a third. Deflate can pack a thousand times tighter: a file that does was made to fill memory.
constexpr uint64_t max_expansion = 16, always_allowed = 1 << 16;
/// Words in all tuples: a trigram model of a million sentences has a tenth of it, and looking them up takes 30 bytes a word.
constexpr uint64_t max_words = 4'000'000;

/// The order in which tuples ascend by their words from column `first` on: a counting sort by each column, the last one first.
std::vector<uint32_t> ascending(const std::vector<uint32_t>& words, size_t width, size_t first) {
    const size_t n = words.size() / width;
    std::vector<uint32_t> order(n), sorted(n), places;
    std::iota(order.begin(), order.end(), uint32_t{0});
    for (size_t column = width; column-- > first;) {
        places.clear();
        for (size_t i = 0; i < n; ++i) {
            const size_t word = words[i * width + column];
            if (word + 2 > places.size()) places.resize(word + 2, 0);
            ++places[word + 1];
        }
        std::partial_sum(places.begin(), places.end(), places.begin());
        for (const auto i : order) sorted[places[words[i * width + column]]++] = i;
        order.swap(sorted);
    }
    return order;
}

/// The tuples in that order, their columns from `first` on, equal ones as one.
CountedTuples counted(const std::vector<uint32_t>& words, size_t width, size_t first) {
    CountedTuples result;
    result.width = width - first;
    for (const auto i : ascending(words, width, first)) {
        const auto begin = words.begin() + static_cast<int64_t>(i * width + first), end = begin + static_cast<int64_t>(result.width);
        if (!result.counts.empty() && std::equal(begin, end, result.words.end() - static_cast<int64_t>(result.width))) {
            ++result.counts.back();
        } else {
            result.words.insert(result.words.end(), begin, end);
            result.counts.push_back(1);
        }
    }
    return result;
}

}  // namespace

CountedTuples CountedTuples::count(size_t width, const std::vector<uint32_t>& words) { return counted(words, width, 0); }

CountedTuples CountedTuples::without_first() const { return counted(words, width, 1); }

CountTree::CountTree(const CountedTuples& tuples) : words_(tuples.width), next_(tuples.width - 1) {
    const size_t last = tuples.width - 1;
    below_.reserve(tuples.size() + 1);
    below_.push_back(0);
    for (size_t i = 0; i < tuples.size(); ++i) {
        const auto* tuple = &tuples.words[i * tuples.width];
        size_t depth = 0;
        if (i > 0)
            while (depth < last && tuple[depth] == (tuple - tuples.width)[depth]) ++depth;
        for (; depth < last; ++depth) {
            next_[depth].push_back(words_[depth + 1].size());
            words_[depth].push_back(tuple[depth]);
        }
        words_[last].push_back(tuple[last]);
        below_.push_back(below_.back() + tuples.counts[i]);
    }
    for (size_t depth = 0; depth < last; ++depth) next_[depth].push_back(words_[depth + 1].size());
}

CountedTuples CountTree::tuples() const {
    CountedTuples result;
    result.width = width();
    std::vector<size_t> node(width(), 0);  // of each depth, the one that the tuple goes through
    for (size_t i = 0; i < words_.back().size(); ++i) {
        node.back() = i;
        for (size_t depth = width() - 1; depth-- > 0;)
            while (next_[depth][node[depth] + 1] <= node[depth + 1]) ++node[depth];
        for (size_t depth = 0; depth < width(); ++depth) result.words.push_back(words_[depth][node[depth]]);
        result.counts.push_back(static_cast<uint32_t>(below_[i + 1] - below_[i]));
    }
    return result;
}

size_t CountTree::find(size_t depth, Nodes nodes, int64_t word) const {
    const auto begin = words_[depth].begin() + static_cast<int64_t>(nodes.begin);
    const auto end = words_[depth].begin() + static_cast<int64_t>(nodes.end);
    const auto found = std::lower_bound(begin, end, word);
    return found != end && *found == word ? static_cast<size_t>(found - words_[depth].begin()) : nodes.end;
}

CountTree::Nodes CountTree::after(size_t depth, Nodes nodes, int64_t word) const {
    const size_t node = find(depth, nodes, word);
    if (node == nodes.end) return {};
    return {next_[depth][node], next_[depth][node + 1]};
}

uint64_t CountTree::count(Nodes nodes, int64_t word) const {
    const size_t node = find(width() - 1, nodes, word);
    return node == nodes.end ? 0 : below_[node + 1] - below_[node];
}

void put(std::string& to, uint64_t value) {
    for (; value >= 128; value >>= 7) to.push_back(static_cast<char>(value | 128));
    to.push_back(static_cast<char>(value));
}

void damaged(const std::string& found) {
    throw Error(ErrorCode::bad_pack, "language model: " + found + "; the file is truncated or altered, fetch or make the pack again");
}

uint64_t get(std::string_view& from) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (from.empty()) damaged("expected a number, found the end");
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= static_cast<uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
    }
    damaged("expected a number, found one of more than 64 bits");
}

std::string columns(const CountedTuples& tuples) {
    std::string shared, words, counts;
    for (size_t i = 0; i < tuples.size(); ++i) {
        const auto* tuple = &tuples.words[i * tuples.width];
        const auto* before = i == 0 ? nullptr : tuple - tuples.width;
        size_t same = 0;
        while (before != nullptr && tuple[same] == before[same]) ++same;
        shared.push_back(static_cast<char>(same));
        put(words, before == nullptr ? tuple[same] : tuple[same] - before[same]);
        for (size_t k = same + 1; k < tuples.width; ++k) put(words, tuple[k]);
        put(counts, tuples.counts[i]);
    }
    return shared + words + counts;
}

CountedTuples read_columns(std::string_view from, uint64_t tuples, uint64_t width, uint64_t vocabulary) {
    if (tuples > from.size()) damaged("expected " + std::to_string(tuples) + " tuples, found " + std::to_string(from.size()) + " bytes");
    if (tuples > max_words / width)
        damaged("expected at most " + std::to_string(max_words) + " words, found " + std::to_string(tuples) + " tuples of " +
                std::to_string(width));
    const auto shared = from.substr(0, tuples);
    from.remove_prefix(tuples);
    CountedTuples result;
    result.width = width;
    result.words.reserve(tuples * width);
    result.counts.reserve(tuples);
    const auto word_from = [&](uint64_t before) {
        const auto step = get(from);
        if (step >= vocabulary || before + step >= vocabulary)
            damaged("expected words of the vocabulary, found " + std::to_string(before + step));
        return static_cast<uint32_t>(before + step);
    };
    for (uint64_t i = 0; i < tuples; ++i) {
        const auto same = static_cast<unsigned char>(shared[i]);
        if (same >= width || (i == 0 && same > 0)) damaged("expected tuples in ascending order, found one twice");
        for (uint64_t k = 0; k < same; ++k) result.words.push_back(result.words[result.words.size() - width]);
        const uint32_t before = i == 0 ? 0 : result.words[result.words.size() - width];
        result.words.push_back(word_from(before));
        if (i > 0 && result.words.back() == before) damaged("expected tuples in ascending order, found one twice");
        for (uint64_t k = same + uint64_t{1}; k < width; ++k) result.words.push_back(word_from(0));
    }
    for (uint64_t i = 0; i < tuples; ++i) {
        const auto count = get(from);
        if (count < 1 || count > UINT32_MAX) damaged("expected a count of at least 1, found " + std::to_string(count));
        result.counts.push_back(static_cast<uint32_t>(count));
    }
    if (!from.empty()) damaged("expected the end, found " + std::to_string(from.size()) + " bytes more");
    return result;
}

std::string sealed(std::string_view mark, const std::vector<uint64_t>& numbers, const std::string& payload) {
    std::string bytes(mark);
    for (const auto number : numbers) put(bytes, number);
    put(bytes, payload.size());
    auto size = compressBound(payload.size());
    const auto header = bytes.size();
    bytes.resize(header + size);
    if (compress2(reinterpret_cast<Bytef*>(&bytes[header]), &size, reinterpret_cast<const Bytef*>(payload.data()), payload.size(), 9) !=
        Z_OK)
        throw Error(ErrorCode::internal, "language model: zlib refused to compress it");
    bytes.resize(header + size);
    return bytes;
}

std::string unsealed(std::string_view mark, std::string_view bytes, std::vector<uint64_t>& numbers) {
    if (bytes.substr(0, mark.size()) != mark)
        damaged("expected the mark '" + std::string(mark.substr(0, mark.size() - 1)) + "', found something else");
    bytes.remove_prefix(mark.size());
    for (auto& number : numbers) number = get(bytes);
    const auto size = get(bytes);
    if (size > always_allowed && size / max_expansion > bytes.size())
        damaged("expected a plausible size, found " + std::to_string(size) + " bytes");
    std::string payload(size, '\0');
    uLongf unpacked = size;
    if (uncompress(reinterpret_cast<Bytef*>(payload.data()), &unpacked, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) !=
            Z_OK ||
        unpacked != size)
        damaged("expected " + std::to_string(size) + " bytes deflated, found others");
    return payload;
}

void check_vocabulary(uint64_t found, int64_t expected) {
    if (found != static_cast<uint64_t>(expected))
        damaged("expected a vocabulary of " + std::to_string(expected) + " entries, found " + std::to_string(found));
}

void check_sentences(const Sentences& sentences, int64_t vocabulary) {
    for (const auto& sentence : sentences)
        for (const auto word : sentence)
            if (word < 0 || word >= vocabulary)
                throw Error(ErrorCode::invalid_argument, "language model: expected words from 0 to " + std::to_string(vocabulary - 1) +
                                                             ", found " + std::to_string(word));
}

}  // namespace whynot::text
