#include "corpora/content.h"

#include <algorithm>

#include "base/sha256.h"
#include "corpora/files.h"
#include "corpora/sentence_table.h"
#include "whynot/error.h"

namespace whynot::corpora {

namespace {

namespace fs = std::filesystem;

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += text.empty() ? "" : " ";
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text.empty() ? "nothing" : text;
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (size_t begin = 0;;) {
        const size_t end = std::min(line.find(',', begin), line.size());
        fields.push_back(line.substr(begin, end - begin));
        if (end == line.size()) return fields;
        begin = end + 1;
    }
}

}  // namespace

Idx parse_idx(std::string_view content, const fs::path& path, int least, int most) {
    const auto dimensions = content.size() < 4 ? -1 : static_cast<unsigned char>(content[3]);
    if (dimensions < least || dimensions > most || content.substr(0, 3) != std::string_view("\0\0\x08", 3)) {
        std::string expected = "00 00 08 0" + std::to_string(least);
        if (most > least) expected += " or 00 00 08 0" + std::to_string(most);
        bad(path, "expected an IDX file that begins with " + expected + ", found " + hex(content.substr(0, 4)) +
                      "; fetch it again, or see corpora/README.md for the format");
    }
    const size_t header = 4 + 4 * static_cast<size_t>(dimensions);
    if (content.size() < header)
        bad(path, "expected an IDX header of " + std::to_string(header) + " bytes, found " + std::to_string(content.size()) +
                      "; the file is truncated: fetch it again");
    Idx idx;
    std::string shape;
    uint64_t product = 1;
    for (size_t at = 4; at < header; at += 4) {
        uint64_t size = 0;
        for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(content[at + i]);
        idx.shape.push_back(static_cast<int64_t>(size));
        shape += (shape.empty() ? "" : " x ") + std::to_string(size);
        // Both factors are at most 2^32 (the limit, and a size): their product fits.
        product = product > max_content_bytes ? product : product * size;
    }
    if (product > max_content_bytes)
        bad(path, "its IDX header says " + shape + " bytes, the limit is " + std::to_string(max_content_bytes) + "; fetch it again");
    if (product == 0) bad(path, "its IDX header says " + shape + " bytes: there is nothing in it; fetch it again");
    idx.bytes = content.substr(header);
    if (idx.bytes.size() != product)
        bad(path, "its IDX header says " + shape + ", which are " + std::to_string(product) + " bytes, found " +
                      std::to_string(idx.bytes.size()) + "; fetch it again");
    return idx;
}

Table parse_table(std::string_view content, const fs::path& path) {
    Table table;
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (content.substr(0, byte_order_mark.size()) == byte_order_mark) content.remove_prefix(byte_order_mark.size());
    int64_t number = 0;
    for (size_t begin = 0; begin < content.size();) {
        const size_t end = std::min(content.find('\n', begin), content.size());
        std::string_view line = content.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) continue;
        const std::string where = "line " + std::to_string(number) + ": ";
        if (line.find('"') != std::string_view::npos) bad(path, where + "quoted fields are not read; write the table without quotes");
        auto fields = fields_of(line);
        if (table.columns.empty()) {
            table.columns = std::move(fields);
            continue;
        }
        if (fields.size() != table.columns.size())
            bad(path, where + "expected " + std::to_string(table.columns.size()) + " fields as in the header, found " +
                          std::to_string(fields.size()) + "; mend the line, or fetch the table again");
        table.lines.push_back(std::move(fields));
    }
    if (table.lines.empty()) bad(path, "expected a table with a header and a line an image, found no such lines; fetch it again");
    return table;
}

std::pair<int64_t, const char*> count_of(std::string_view content, CorpusFileRole role, const fs::path& path) {
    switch (role) {
        case CorpusFileRole::sentences: return {std::count(content.begin(), content.end(), '\n'), "lines"};
        case CorpusFileRole::images: return {parse_idx(content, path, 3, 4).shape[0], "images"};
        case CorpusFileRole::labels: return {parse_idx(content, path, 1, 1).shape[0], "labels"};
        case CorpusFileRole::table: return {static_cast<int64_t>(parse_table(content, path).lines.size()), "lines of images"};
    }
    return {0, ""};
}

std::string content_problem(std::string_view content, const CorpusFile& file, const fs::path& path) {
    try {
        const bool is_table = !file.sentence_table.format.empty();
        const auto [count, unit] =
            is_table ? std::pair(static_cast<int64_t>(parse_sentence_table(content, file.sentence_table, path).size()), "rows")
                     : count_of(content, file.role, path);
        if (file.count >= 0 && count != file.count)
            return path.string() + " has " + std::to_string(count) + ' ' + unit + ", " + std::to_string(file.count) + " were expected";
    } catch (const Error& error) {
        return error.what();
    }
    const std::string found = file.content_sha256.empty() ? "" : base::sha256_hex(content);
    if (found == file.content_sha256) return "";
    return path.string() + " was altered: the SHA-256 of its " + (file.role == CorpusFileRole::sentences ? "text" : "content") + " is " +
           found + ", " + file.content_sha256 + " was expected";
}

}  // namespace whynot::corpora
