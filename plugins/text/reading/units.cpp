#include "text/reading/units.h"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

#include "text/reading/words.h"
#include "whynot/error.h"

namespace whynot::text {
namespace {

/// What people and word processors write for the corpus's plain signs, where NFKC has no opinion.
const char* plain_sign(UChar32 c) {
    switch (c) {
        case 0x2018:
        case 0x2019:
        case 0x201B:
        case 0x02BC:
        case 0x00B4:
        case 0x2032: return "'";
        case 0x201C:
        case 0x201E:
        case 0x201F:
        case 0x00AB: return "``";
        case 0x201D:
        case 0x00BB:
        case 0x2033: return "''";
        case 0x2010:
        case 0x2011:
        case 0x2012:
        case 0x2013:
        case 0x2212: return "-";
        case 0x2014:
        case 0x2015: return "--";
        default: return nullptr;
    }
}

/// Emoji and signs such as (TM), which NFKC would turn into letters of the word before.
bool is_emoji(const icu::UnicodeString& cluster) {
    const UChar32 first = cluster.char32At(0);
    return u_charType(first) == U_OTHER_SYMBOL || u_hasBinaryProperty(first, UCHAR_EMOJI_PRESENTATION) ||
           u_hasBinaryProperty(first, UCHAR_REGIONAL_INDICATOR) || cluster.indexOf(static_cast<UChar32>(0xFE0F)) >= 0;
}

/// Ends of the user-perceived characters of a text, in bytes: what is normalised and, if an emoji, kept together.
std::vector<size_t> cluster_ends(std::string_view utf8) {
    std::vector<size_t> ends;
    if (std::all_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        for (size_t i = 1; i <= utf8.size(); ++i) ends.push_back(i);
        return ends;
    }
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::BreakIterator> breaks(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    check_icu(status, "find characters");
    UText text = UTEXT_INITIALIZER;
    utext_openUTF8(&text, utf8.data(), static_cast<int64_t>(utf8.size()), &status);
    if (U_SUCCESS(status)) breaks->setText(&text, status);
    for (int32_t end = breaks->first(); U_SUCCESS(status) && (end = breaks->next()) != icu::BreakIterator::DONE;) {
        ends.push_back(static_cast<size_t>(end));
    }
    utext_close(&text);
    check_icu(status, "find characters");
    return ends;
}

}  // namespace

void check_text(std::string_view utf8) {
    if (utf8.size() > max_text_bytes) {
        throw Error(ErrorCode::invalid_input, "the text is too long: " + std::to_string(utf8.size()) + " bytes, the limit is " +
                                                  std::to_string(max_text_bytes) + "; give one sentence at a time");
    }
    const int32_t size = static_cast<int32_t>(utf8.size());
    for (int32_t i = 0; i < size;) {
        const int32_t at = i;
        UChar32 c;
        U8_NEXT(utf8.data(), i, size, c);
        if (c < 0) {
            throw Error(ErrorCode::invalid_input, "the text is not valid UTF-8: byte " + std::to_string(at + 1) + " of " +
                                                      std::to_string(size) + " does not fit; convert the text to UTF-8");
        }
    }
}

void check_icu(UErrorCode status, const char* what) {
    if (U_FAILURE(status)) {
        throw Error(ErrorCode::internal, std::string("ICU failed to ") + what + " (" + u_errorName(status) +
                                             "): its data are missing or damaged; reinstall ICU");
    }
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

Units read_units(std::string_view utf8) {
    check_text(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
    check_icu(status, "load its normalisation");

    Units units;
    const auto add = [&](UChar32 c, size_t begin, size_t end) {
        if (u_charType(c) == U_CONTROL_CHAR && !u_isWhitespace(c)) return;
        std::string text;
        if (c < 0x80)
            text += static_cast<char>(c);  // most are, and a vocabulary of thousands of words goes through here at each start
        else
            icu::UnicodeString(c).toUTF8String(text);
        units.push_back({text, c, false, begin, end});
    };
    size_t begin = 0;
    for (const size_t end : cluster_ends(utf8)) {
        const std::string bytes(utf8.substr(begin, end - begin));
        if (bytes.size() == 1) {
            const char c = bytes[0];
            add(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c, begin, end);
        } else {
            const auto cluster = icu::UnicodeString::fromUTF8(bytes);
            const char* sign = cluster.countChar32() == 1 ? plain_sign(cluster.char32At(0)) : nullptr;
            if (sign != nullptr) {
                for (; *sign != '\0'; ++sign) add(*sign, begin, end);
            } else if (is_emoji(cluster)) {
                units.push_back({bytes, cluster.char32At(0), true, begin, end});
            } else {
                icu::UnicodeString folded = fold->normalize(cluster, status);
                check_icu(status, "normalise the text");
                // A vulgar fraction: `2½` is `2 1/2`, not `21/2`.
                if (folded.indexOf(static_cast<UChar32>(0x2044)) > 0 && !units.empty() && u_isdigit(units.back().c)) {
                    add(' ', begin, begin);
                }
                folded.findAndReplace(icu::UnicodeString(static_cast<UChar32>(0x2044)), icu::UnicodeString("/"));
                for (int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) add(folded.char32At(i), begin, end);
            }
        }
        begin = end;
    }
    // A lone grave accent is an apostrophe; two are an opening quote.
    for (size_t i = 0; i < units.size(); ++i) {
        const bool before = i > 0 && units[i - 1].c == '`';
        const bool after = i + 1 < units.size() && units[i + 1].c == '`';
        if (units[i].c == '`' && !before && !after) units[i] = {"'", '\'', false, units[i].begin, units[i].end};
    }
    return units;
}

}  // namespace whynot::text
