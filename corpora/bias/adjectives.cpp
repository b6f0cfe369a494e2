#include "corpora/bias/adjectives.h"

#include <link-grammar/link-includes.h>

#include <algorithm>
#include <clocale>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/text.h"
#include "whynot/error.h"

namespace whynot::corpora {
namespace {

constexpr size_t most_words = 30;   // of what is parsed at once: time grows with the third power
constexpr int most_linkages = 100;  // beyond these a sample is drawn, always the same
constexpr float same_cost = 0.1F;   // "amazing" as a noun costs 0.05 less than as an adjective in "it was amazing"
constexpr std::string_view opening = "([{\"'`*";

/// `.a` in the dictionary, and yet no answer to "how ... is it?".
const std::set<std::string_view> no_degree = {
    "all",      "both",     "other",    "another",  "same",     "own",    "such",      "only",      "sole",       "enough",
    "many",     "much",     "few",      "little",   "more",     "most",   "less",      "least",     "several",    "various",
    "numerous", "half",     "double",   "single",   "whole",    "entire", "total",     "absolute",  "main",       "overall",
    "next",     "last",     "past",     "previous", "former",   "latter", "following", "remaining", "additional", "extra",
    "first",    "second",   "third",    "fourth",   "fifth",    "sixth",  "seventh",   "eighth",    "ninth",      "tenth",
    "eleventh", "twelfth",  "hundreds", "scores",   "zillions", "units",  "pretty",    "just",      "even",       "far",
    "top",      "plus",     "still",    "right",    "alone",    "done",   "out",       "up",        "down",       "through",
    "damn",     "goddam",   "north",    "south",    "east",     "west",   "northeast", "northwest", "southeast",  "southwest",
    "northern", "southern", "eastern",  "western",  "prime",    "dim",    "minute",    "term"};

/// Tokens of corpora as the dictionary has them.
const std::map<std::string_view, std::string_view> spelling = {{"i", "I"},    {"_num_", "12"}, {"``", "\""},       {"''", "\""},
                                                               {"ca", "can"}, {"wo", "will"},  {"super", "really"}};

/// What link-grammar would take from the process, or do to it, is the thread's own for as long as this lives.
class Quiet {
public:
    explicit Quiet(locale_t locale) : locale_(uselocale(locale)), handler_(lg_error_set_handler(ignore, nullptr)) {}
    ~Quiet() {
        lg_error_set_handler(handler_, nullptr);
        uselocale(locale_);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

private:
    static void ignore(lg_errinfo*, void*) {}
    const locale_t locale_;
    const lg_error_handler handler_;
};

/// What stands between two spaces, as it is in the sentence and as the parser sees it.
struct Chunk {
    size_t begin = 0, shown = 0;  // bytes of the sentence, of the text for the parser
    bool respelt = false;
};

bool ends_sentence(std::string_view chunk) { return std::string_view(".!?;").find(chunk.back()) != std::string_view::npos; }

/// "great.a" -> "great", and nothing for other words. A guess has its reason in brackets: "mexican[?].a".
std::string_view adjective(std::string_view word) {
    const size_t dot = word.rfind('.');
    if (dot == std::string_view::npos || word.find('[') != std::string_view::npos) return {};
    const std::string_view tag = word.substr(dot + 1);
    return tag == "a" || tag == "a-s" ? word.substr(0, dot) : std::string_view{};
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

}  // namespace

bool word_can_begin(std::string_view sentence, size_t at) {
    while (at > 0 && opening.find(sentence[at - 1]) != std::string_view::npos) --at;
    return at == 0 || sentence[at - 1] == ' ';
}

struct AdjectiveFinder::Parser {
    Parser() {
        static std::mutex one_at_a_time;  // link-grammar sets itself up while it reads its first dictionary
        const std::lock_guard lock(one_at_a_time);
        if (!locale) throw Error(ErrorCode::not_found, "this system has no locale C.UTF-8, which finding adjectives needs; install it");
        const Quiet quiet(locale.get());
        dictionary.reset(dictionary_create_lang("en"));
        if (!dictionary) {
            throw Error(ErrorCode::not_found,
                        "link-grammar's English dictionary was not found, which finding adjectives needs; install it "
                        "(Debian: link-grammar-dictionaries-en)");
        }
        parse_options_set_verbosity(options.get(), 0);
        parse_options_set_spell_guess(options.get(), 0);
        parse_options_set_linkage_limit(options.get(), most_linkages);
    }

    /// What the cheapest reading of one part of a sentence costs.
    std::optional<double> reading_cost(const std::string& text) const {
        const std::unique_ptr<Sentence_s, decltype(&sentence_delete)> sentence(sentence_create(text.c_str(), dictionary.get()),
                                                                               sentence_delete);
        const Parse_Options how = options.get();
        if (!sentence || sentence_split(sentence.get(), how) < 0) return std::nullopt;
        parse_options_set_min_null_count(how, 0);
        parse_options_set_max_null_count(how, 0);
        const int linkages = sentence_parse(sentence.get(), how);
        for (int i = 0; i < linkages; ++i)  // from the cheapest
            if (sentence_num_violations(sentence.get(), static_cast<LinkageIdx>(i)) == 0)
                return sentence_disjunct_cost(sentence.get(), static_cast<LinkageIdx>(i));
        return std::nullopt;
    }

    /// Adds the adjectives of one part of a sentence, as bytes of `text`.
    void parse(const std::string& text, std::set<size_t>& found) const {
        const std::unique_ptr<Sentence_s, decltype(&sentence_delete)> sentence(sentence_create(text.c_str(), dictionary.get()),
                                                                               sentence_delete);
        const Parse_Options how = options.get();
        if (!sentence || sentence_split(sentence.get(), how) < 0) return;  // no words in it, or hundreds without a space
        parse_options_set_min_null_count(how, 0);
        parse_options_set_max_null_count(how, 0);
        int linkages = sentence_parse(sentence.get(), how);
        if (linkages <= 0) {
            parse_options_set_min_null_count(how, 1);
            parse_options_set_max_null_count(how, sentence_length(sentence.get()));
            linkages = sentence_parse(sentence.get(), how);
        }
        float best = 0;
        bool first = true;
        for (int i = 0; i < linkages; ++i) {  // from the cheapest
            const auto index = static_cast<LinkageIdx>(i);
            if (sentence_num_violations(sentence.get(), index) > 0) continue;
            const float cost = sentence_disjunct_cost(sentence.get(), index);
            if (first) best = cost;
            first = false;
            if (cost > best + same_cost) break;
            const std::unique_ptr<Linkage_s, decltype(&linkage_delete)> linkage(linkage_create(index, sentence.get(), how), linkage_delete);
            for (WordIdx word = 0; linkage && word < linkage_get_num_words(linkage.get()); ++word) {
                const std::string_view name = adjective(linkage_get_word(linkage.get(), word));
                if (!name.empty() && no_degree.count(lower(name)) == 0) found.insert(linkage_get_word_byte_start(linkage.get(), word));
            }
        }
    }

    struct Delete {
        void operator()(Dictionary it) const { dictionary_delete(it); }
        void operator()(Parse_Options it) const { parse_options_delete(it); }
        void operator()(locale_t it) const { freelocale(it); }
    };
    std::unique_ptr<std::remove_pointer_t<locale_t>, Delete> locale{newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)};
    std::unique_ptr<Dictionary_s, Delete> dictionary;
    std::unique_ptr<Parse_Options_s, Delete> options{parse_options_create()};
};

AdjectiveFinder::AdjectiveFinder() : parser_(std::make_unique<Parser>()) {}

AdjectiveFinder::~AdjectiveFinder() {
    const Quiet quiet(parser_->locale.get());
    parser_->options.reset();
    parser_->dictionary.reset();
}

const char* AdjectiveFinder::version() { return linkgrammar_get_version(); }

std::optional<double> AdjectiveFinder::reading_cost(std::string_view sentence) const {
    if (!base::is_utf8(sentence))
        throw Error(ErrorCode::invalid_input, base::in_quotes(sentence) + " is not valid UTF-8; convert it to UTF-8");
    const Quiet quiet(parser_->locale.get());
    std::string part;
    size_t words = 0;
    double sum = 0;
    const auto add = [&] {
        const std::optional<double> cost = parser_->reading_cost(part);
        sum += cost.value_or(0);
        part.clear();
        words = 0;
        return cost.has_value();
    };
    for (size_t begin = 0; begin < sentence.size();) {
        const size_t end = std::min(sentence.find(' ', begin), sentence.size());
        const std::string_view chunk = sentence.substr(begin, end - begin);
        begin = end + 1;
        if (chunk.empty()) continue;
        const auto other = spelling.find(chunk);
        if (!part.empty()) part += ' ';
        part += other != spelling.end() ? other->second : chunk;
        if (!ends_sentence(chunk) && ++words < most_words) continue;
        if (!add()) return std::nullopt;
    }
    if (!part.empty() && !add()) return std::nullopt;
    return sum;
}

std::vector<size_t> AdjectiveFinder::find(std::string_view sentence) const {
    if (!base::is_utf8(sentence))
        throw Error(ErrorCode::invalid_input, base::in_quotes(sentence) + " is not valid UTF-8; convert it to UTF-8");
    const Quiet quiet(parser_->locale.get());
    std::vector<size_t> result;
    std::vector<Chunk> chunks;
    std::string text;
    const auto parse = [&] {
        std::set<size_t> found;
        if (!text.empty()) parser_->parse(text, found);
        for (const size_t at : found) {
            const auto after =
                std::upper_bound(chunks.begin(), chunks.end(), at, [](size_t byte, const Chunk& c) { return byte < c.shown; });
            if (after == chunks.begin()) continue;
            const Chunk& chunk = *std::prev(after);
            const size_t here = chunk.begin + at - chunk.shown;
            if (!chunk.respelt && word_can_begin(sentence, here)) result.push_back(here);
        }
        chunks.clear();
        text.clear();
    };
    for (size_t begin = 0; begin < sentence.size();) {
        const size_t end = std::min(sentence.find(' ', begin), sentence.size());
        const std::string_view chunk = sentence.substr(begin, end - begin);
        if (!chunk.empty()) {
            const auto other = spelling.find(chunk);
            if (!text.empty()) text += ' ';
            chunks.push_back({begin, text.size(), other != spelling.end()});
            text += chunks.back().respelt ? other->second : chunk;
            if (ends_sentence(chunk) || chunks.size() == most_words) parse();
        }
        begin = end + 1;
    }
    parse();
    return result;
}

}  // namespace whynot::corpora
