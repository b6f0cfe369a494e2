// Hugging Face's tokenizer.json: which of its many parts make one of the kinds that are known here, and a refusal that names any other.

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "text/pieces/readers.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using Json = base::LargeJson;

class TokenizerJson {
public:
    TokenizerJson(const std::string& bytes, const std::string& origin)
        : origin_(origin), whole_(base::parse_large_json(bytes, ErrorCode::invalid_input, origin)) {
        if (!whole_.is_object() || !member(whole_, "model").is_object())
            refuse_tokenizer(origin, "expected an object with a 'model', as Hugging Face's tokenizers write it");
    }

    std::shared_ptr<PieceReader> reader() const {
        const Json& model = whole_["model"];
        std::string kind = text(model, "type");
        if (kind.empty()) kind = model.contains("merges") ? "BPE" : "a model that does not say its type";
        std::shared_ptr<PieceReader> reader;
        if (kind == "WordPiece")
            reader = word_pieces(model);
        else if (kind == "BPE")
            reader = byte_pairs(model);
        else if (kind == "Unigram")
            reader = unigram(model);
        else
            refuse_tokenizer(origin_, "its model is " + base::in_quotes(kind) + "; known are WordPiece, byte-level BPE and Unigram");
        add_special(*reader);
        return reader;
    }

private:
    static const Json& member(const Json& object, const char* key) {
        static const Json nothing;
        const auto found = object.is_object() ? object.find(key) : object.end();
        return object.is_object() && found != object.end() ? *found : nothing;
    }
    static std::string text(const Json& object, const char* key, const std::string& fallback = "") {
        const Json& value = member(object, key);
        return value.is_string() ? value.get<std::string>() : fallback;
    }
    static bool flag(const Json& object, const char* key, bool fallback) {
        const Json& value = member(object, key);
        return value.is_boolean() ? value.get<bool>() : fallback;
    }
    [[noreturn]] void unknown(const char* part, const std::string& found, const std::string& expected) const {
        refuse_tokenizer(origin_, std::string("its ") + part + " is " + base::in_quotes(found) + "; expected " + expected);
    }
    std::string type_of(const char* part) const {
        const Json& value = member(whole_, part);
        return value.is_null() ? "" : text(value, "type", "without a type");
    }

    Vocabulary vocabulary(const Json& model) const {
        const Json& pieces = member(model, "vocab");
        if (!pieces.is_object() || pieces.empty())
            refuse_tokenizer(origin_, "expected 'model.vocab' to be an object of pieces and their ids");
        Vocabulary vocabulary;
        for (const auto& [piece, id] : pieces.items()) {
            if (!id.is_number_integer()) refuse_tokenizer(origin_, "expected a whole number as the id of " + base::in_quotes(piece));
            vocabulary.add(piece, id.get<int64_t>(), origin_);
        }
        const Json& added = member(whole_, "added_tokens");
        if (!added.is_array()) return vocabulary;
        for (const Json& one : added) {
            const std::string content = text(one, "content");
            const Json& id = member(one, "id");
            if (content.empty() || !id.is_number_integer())
                refuse_tokenizer(origin_, "expected each of 'added_tokens' to have a content and an id");
            if (!vocabulary.has(content)) vocabulary.add(content, id.get<int64_t>(), origin_);
        }
        return vocabulary;
    }

    std::shared_ptr<PieceReader> word_pieces(const Json& model) const {
        WordPieceOptions options;
        options.unknown = text(model, "unk_token", options.unknown);
        options.continuing = text(model, "continuing_subword_prefix", options.continuing);
        if (const Json& longest = member(model, "max_input_chars_per_word"); longest.is_number_integer())
            options.longest = longest.get<int64_t>();
        const std::string normalizer = type_of("normalizer"), splitter = type_of("pre_tokenizer");
        if (normalizer != "BertNormalizer") unknown("normalizer", normalizer, "BertNormalizer");
        if (splitter != "BertPreTokenizer") unknown("pre_tokenizer", splitter, "BertPreTokenizer");
        const Json& how = whole_["normalizer"];
        options.clean = flag(how, "clean_text", true);
        options.apart_chinese = flag(how, "handle_chinese_chars", true);
        options.lower_case = flag(how, "lowercase", true);
        options.strip_accents = flag(how, "strip_accents", options.lower_case);
        return make_word_pieces(vocabulary(model), options, origin_);
    }

    std::shared_ptr<PieceReader> byte_pairs(const Json& model) const {
        const std::string normalizer = type_of("normalizer"), splitter = type_of("pre_tokenizer");
        if (!normalizer.empty()) unknown("normalizer", normalizer, "none, as byte-level BPE has");
        if (splitter != "ByteLevel") unknown("pre_tokenizer", splitter, "ByteLevel");
        const Json& how = whole_["pre_tokenizer"];
        if (!flag(how, "use_regex", true)) unknown("pre_tokenizer", "ByteLevel without its rule of words", "that with it");
        for (const char* part : {"continuing_subword_prefix", "end_of_word_suffix"})
            if (!text(model, part).empty()) unknown(part, text(model, part), "none, as byte-level BPE has");
        for (const char* part : {"byte_fallback", "ignore_merges"})
            if (flag(model, part, false)) unknown(part, "true", "false");
        Merges merges;
        for (const Json& merge : member(model, "merges")) {
            if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
                merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
                continue;
            }
            const std::string line = merge.is_string() ? merge.get<std::string>() : "";
            const size_t space = line.find(' ');
            if (space == std::string::npos) refuse_tokenizer(origin_, "expected each of 'model.merges' to be two pieces");
            merges.emplace_back(line.substr(0, space), line.substr(space + 1));
        }
        BytePairOptions options;
        options.prefix_space = flag(how, "add_prefix_space", false);
        options.unknown = text(model, "unk_token");
        return make_byte_pairs(vocabulary(model), merges, options, origin_);
    }

    std::shared_ptr<PieceReader> unigram(const Json& model) const {
        Unigram unigram;
        for (const Json& one : member(model, "vocab")) {
            if (!one.is_array() || one.size() != 2 || !one[0].is_string() || one[0].empty() || !one[1].is_number())
                refuse_tokenizer(origin_, "expected each of 'model.vocab' to be a piece and its log-probability");
            unigram.pieces.emplace_back(one[0].get<std::string>(), one[1].get<double>());
        }
        const Json& unknown_id = member(model, "unk_id");
        if (!unknown_id.is_number_integer() || unknown_id.get<int64_t>() < 0 ||
            unknown_id.get<int64_t>() >= static_cast<int64_t>(unigram.pieces.size()))
            refuse_tokenizer(origin_, "expected 'model.unk_id' to be the id of one of the " + std::to_string(unigram.pieces.size()) +
                                          " pieces, the one for what has none");
        unigram.unknown = unknown_id.get<size_t>();
        unigram.bytes = flag(model, "byte_fallback", false);
        mark_special(unigram);
        unigram.drop_spaces = false;
        read_normalizer(unigram, member(whole_, "normalizer"));
        if (type_of("pre_tokenizer").empty()) unknown("pre_tokenizer", "none", "Metaspace");
        read_splitter(unigram, whole_["pre_tokenizer"]);
        return make_unigram(unigram, origin_);
    }

    /// Added pieces stand for no text of their own; those that the model lacks come after its own.
    void mark_special(Unigram& unigram) const {
        std::unordered_map<std::string, size_t> ids;
        for (size_t id = 0; id < unigram.pieces.size(); ++id) ids.emplace(unigram.pieces[id].first, id);
        unigram.special.assign(unigram.pieces.size(), 0);
        const Json& added = member(whole_, "added_tokens");
        if (!added.is_array()) return;
        for (const Json& one : added) {
            const std::string content = text(one, "content");
            const Json& id = member(one, "id");
            const auto [known, is_new] = ids.try_emplace(content, unigram.pieces.size());
            if (content.empty() || !id.is_number_integer() || id.get<int64_t>() != static_cast<int64_t>(known->second))
                refuse_tokenizer(origin_, "expected each of 'added_tokens' to have a content and its id, in the order of the ids");
            if (is_new) {
                unigram.pieces.emplace_back(content, 0);
                unigram.special.push_back(1);
            }
            unigram.special[known->second] = 1;
        }
    }

    void read_normalizer(Unigram& unigram, const Json& normalizer) const {
        if (normalizer.is_null()) return;
        const std::string type = text(normalizer, "type", "without a type");
        if (type == "Sequence") {
            for (const Json& one : member(normalizer, "normalizers")) read_normalizer(unigram, one);
        } else if (type == "Precompiled") {
            const std::optional<std::string> table = base::from_base64(text(normalizer, "precompiled_charsmap"));
            if (!table) refuse_tokenizer(origin_, "expected the 'precompiled_charsmap' of its normalizer to be base64");
            unigram.characters = *table;
        } else if (type == "Strip" || (type == "Replace" && text(member(normalizer, "pattern"), "Regex") == " {2,}")) {
            unigram.drop_spaces = true;
        } else {
            unknown("normalizer", type, "Precompiled, and beside it Strip or Replace of many spaces by one");
        }
    }

    void read_splitter(Unigram& unigram, const Json& splitter) const {
        const std::string type = text(splitter, "type", "without a type");
        if (type == "Sequence") {
            for (const Json& one : member(splitter, "pretokenizers")) read_splitter(unigram, one);
        } else if (type == "WhitespaceSplit") {
            unigram.drop_spaces = true;
        } else if (type == "Metaspace") {
            if (text(splitter, "replacement", "\u2581") != "\u2581") unknown("pre_tokenizer", text(splitter, "replacement"), "\u2581");
            unigram.word_begins = flag(splitter, "add_prefix_space", true) && text(splitter, "prepend_scheme") != "never";
        } else {
            unknown("pre_tokenizer", type, "Metaspace, and WhitespaceSplit before it or not");
        }
    }

    int64_t id_of(const PieceReader& reader, const std::string& piece) const {
        const std::optional<int64_t> id = reader.id_of(piece);
        if (!id) refuse_tokenizer(origin_, "its post_processor has the piece " + base::in_quotes(piece) + ", which the vocabulary lacks");
        return *id;
    }

    void add_special(PieceReader& reader) const {
        const Json& added = member(whole_, "added_tokens");
        if (added.is_array())
            for (const Json& one : added) reader.whole[text(one, "content")] = id_of(reader, text(one, "content"));
        add_around(reader, member(whole_, "post_processor"));
    }

    void add_around(PieceReader& reader, const Json& processor) const {
        const std::string type = text(processor, "type");
        if (processor.is_null() || type == "ByteLevel") return;
        if (type == "Sequence") {
            for (const Json& one : member(processor, "processors")) add_around(reader, one);
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            const auto piece = [&](const char* key) {
                const Json& pair = member(processor, key);
                if (!pair.is_array() || pair.empty() || !pair[0].is_string())
                    refuse_tokenizer(origin_, std::string("expected its post_processor to name a piece as '") + key + "'");
                return id_of(reader, pair[0].get<std::string>());
            };
            reader.before = {piece("cls")};
            reader.after = {piece("sep")};
        } else if (type == "TemplateProcessing") {
            bool behind = false;
            for (const Json& part : member(processor, "single")) {
                if (member(part, "Sequence").is_object()) {
                    behind = true;
                    continue;
                }
                (behind ? reader.after : reader.before).push_back(id_of(reader, text(member(part, "SpecialToken"), "id")));
            }
        } else {
            unknown("post_processor", type, "BertProcessing, RobertaProcessing, TemplateProcessing or none");
        }
    }

    std::string origin_;
    Json whole_;
};

}  // namespace

std::shared_ptr<PieceReader> make_from_tokenizer_json(const std::string& bytes, const std::string& origin) {
    return TokenizerJson(bytes, origin).reader();
}

}  // namespace whynot::text
