#include "text/language/packed_counts.h"

#include <zlib.h>

#include <algorithm>

#include "whynot/error.h"

namespace whynot::text {

namespace {

/// Deflate never packs tighter than 1032 to 1; a file that claims more is damaged or hostile.
constexpr uint64_t max_expansion = 1032;

}  // namespace

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

std::string columns(Counted grams) {
    std::sort(grams.begin(), grams.end());
    std::string shared, words, counts;
    const Ids* before = nullptr;
    for (const auto& [gram, count] : grams) {
        size_t same = 0;
        while (before != nullptr && gram[same] == (*before)[same]) ++same;
        shared.push_back(static_cast<char>(same));
        put(words, static_cast<uint64_t>(before == nullptr ? gram[same] : gram[same] - (*before)[same]));
        for (size_t i = same + 1; i < gram.size(); ++i) put(words, static_cast<uint64_t>(gram[i]));
        put(counts, count);
        before = &gram;
    }
    return shared + words + counts;
}

void read_columns(std::string_view from, uint64_t grams, uint64_t order, uint64_t vocabulary,
                  const std::function<void(const int64_t*, uint32_t)>& visit) {
    if (grams > from.size()) damaged("expected " + std::to_string(grams) + " tuples, found " + std::to_string(from.size()) + " bytes");
    const auto shared = from.substr(0, grams);
    from.remove_prefix(grams);
    std::vector<int64_t> table;
    for (uint64_t i = 0; i < grams; ++i) {
        const auto same = static_cast<unsigned char>(shared[i]);
        if (same >= order || (i == 0 && same > 0)) damaged("expected tuples in ascending order, found one twice");
        for (uint64_t k = 0; k < order; ++k) {
            const auto before = i == 0 ? 0 : static_cast<uint64_t>(table[table.size() - order]);
            const auto word = k < same ? before : k == same ? before + get(from) : get(from);
            if (word >= vocabulary) damaged("expected words of the vocabulary, found " + std::to_string(word));
            table.push_back(static_cast<int64_t>(word));
        }
    }
    for (uint64_t i = 0; i < grams; ++i) {
        const auto count = get(from);
        if (count < 1 || count > UINT32_MAX) damaged("expected a count of at least 1, found " + std::to_string(count));
        visit(&table[i * order], static_cast<uint32_t>(count));
    }
    if (!from.empty()) damaged("expected the end, found " + std::to_string(from.size()) + " bytes more");
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
    if (size > max_expansion * bytes.size()) damaged("expected a plausible size, found " + std::to_string(size) + " bytes");
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

size_t CountTable::slot(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t i = (key * 0x9E3779B97F4A7C15ull >> 20) & mask;
    while (slots_[i].first != 0 && slots_[i].first != key) i = (i + 1) & mask;
    return i;
}

uint32_t& CountTable::operator[](uint64_t key) {
    if (2 * (size_ + 1) > slots_.size()) {
        auto old = std::exchange(slots_, decltype(slots_)(std::max<size_t>(64, 2 * slots_.size())));
        for (const auto& entry : old)
            if (entry.first != 0) slots_[slot(entry.first)] = entry;
    }
    auto& entry = slots_[slot(key + 1)];
    if (entry.first == 0) {
        entry.first = key + 1;
        ++size_;
    }
    return entry.second;
}

const uint32_t* CountTable::find(uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const auto& entry = slots_[slot(key + 1)];
    return entry.first == 0 ? nullptr : &entry.second;
}

void check_sentences(const Sentences& sentences, int64_t vocabulary) {
    for (const auto& sentence : sentences)
        for (const auto word : sentence)
            if (word < 0 || word >= vocabulary)
                throw Error(ErrorCode::invalid_argument, "language model: expected words from 0 to " + std::to_string(vocabulary - 1) +
                                                             ", found " + std::to_string(word));
}

}  // namespace whynot::text
