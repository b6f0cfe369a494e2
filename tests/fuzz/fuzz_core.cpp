// What is read without Torch: manifests, records, questions, corpora, tensor files, libraries, pictures, texts.
#include <unistd.h>

#include "base/text.h"
#include "corpora/manifest.h"
#include "drawing/image_file.h"
#include "fuzz/driver.h"
#include "plugin/elf.h"
#include "stream/answers.h"
#include "stream/questions.h"
#include "text/reading/words.h"
#include "whynot/conformance.h"
#include "whynot/experiment.h"
#include "whynot/explanation.h"
#include "whynot/manifest.h"
#include "whynot/pack.h"
#include "whynot/tensor_file.h"

namespace {

using namespace whynot;
using fuzz::content_of;
using fuzz::json_dictionary;
using fuzz::MemoryFile;

std::string seed(const std::string& name) { return content_of(std::string(WHYNOT_FUZZ_SEEDS "/") + name); }

/// All questions of a stream, as the program reads them.
void read_questions(std::string_view bytes, const cli::ExplainCommand& command) {
    const MemoryFile file(bytes);
    dup2(file.descriptor(), STDIN_FILENO);
    cli::Questions questions(command);
    cli::StreamedQuestion question;
    while (questions.next(question, -1) == cli::Lines::Got::line)
        if (!base::is_utf8(question.shown)) std::abort();
}

}  // namespace

std::vector<whynot::fuzz::Target> whynot::fuzz::targets() {
    cli::ExplainCommand jsonl, csv, lines;
    jsonl.jsonl = true;
    csv.csv_column = "text";
    lines.lines = true;
    const std::string packs = WHYNOT_BUILT_PACKS;
    return {
        {"pack_json",
         {content_of(packs + "/yelp/pack.json"), content_of(packs + "/mnist/pack.json")},
         json_dictionary(),
         [](std::string_view bytes) { to_json(manifest_from_json(bytes, "pack.json")); }},
        {"weights",
         {seed("tensors.safetensors")},
         json_dictionary(),
         [](std::string_view bytes) {
             const MemoryFile file(bytes);
             const TensorFile tensors(file.path());
             for (const TensorView& view : tensors.tensors())
                 if (view.bytes > bytes.size()) std::abort();
         }},
        {"plugin_json",
         {content_of(WHYNOT_BUILT_PLUGINS "/text.json")},
         json_dictionary(),
         [](std::string_view bytes) { to_json(plugin_manifest_from_json(bytes, "plugin.json")); }},
        {"plugin_library",
         {seed("library.so")},
         {},
         [](std::string_view bytes) {
             const MemoryFile file(bytes);
             internal::ElfFile(file.path()).exports();
         }},
        {"corpus_json",
         {content_of(WHYNOT_CORPUS_MANIFESTS "/yelp.json"), content_of(WHYNOT_CORPUS_MANIFESTS "/faces.json")},
         json_dictionary(),
         [](std::string_view bytes) { corpora::corpus_manifest_from_json(bytes, "corpus.json"); }},
        {"record", {seed("record.json")}, json_dictionary(), [](std::string_view bytes) { to_json(explanation_from_json(bytes)); }},
        {"check_result", {seed("check.json")}, json_dictionary(), [](std::string_view bytes) { check_result_from_json(bytes); }},
        {"questions_jsonl", {seed("questions.jsonl")}, json_dictionary(), [=](std::string_view bytes) { read_questions(bytes, jsonl); }},
        {"questions_csv",
         {seed("questions.csv")},
         {"\"", "\"\"", ",", "\r\n", "\n", std::string(1, '\0')},
         [=](std::string_view bytes) { read_questions(bytes, csv); }},
        {"questions_lines", {seed("questions.csv")}, {"\n", "\r"}, [=](std::string_view bytes) { read_questions(bytes, lines); }},
        {"picture",
         {content_of(WHYNOT_SAMPLES "/four.png"), seed("turned.jpg"), seed("turned.png")},
         {"IDAT", "eXIf", "acTL", "\xFF\xD9", "\xFF\xE1", "\xFF\xDA", "Exif"},
         [](std::string_view bytes) {
             drawing::Notes notes;
             drawing::check_picture(drawing::read_image_file(bytes, notes));
         }},
        {"text",
         {"The food wasn't BAD, I'll be back!!", "did n't :-) 24/7 $5.50 \u00e9t\u00e9 \U0001f600",
          "\u0e2d\u0e32\u0e2b\u0e32\u0e23\u0e2d\u0e23\u0e48\u0e2d\u0e22"},
         {"n't", "\u200d", "\ufe0f", "\u202e", "\xcc\x81", "...", "\xf0\x9f\x87\xa9", "$ _num_"},
         [](std::string_view bytes) {
             const std::vector<text::Word> words = text::split_words(bytes);
             for (const text::Word& word : words)
                 if (word.begin > word.end || word.end > bytes.size()) std::abort();
             text::rewrite(std::string(bytes), words, {{text::WordEdit::Kind::replace, 0, "good"}});
             text::rewrite(std::string(bytes), words, {{text::WordEdit::Kind::remove, words.size() - 1, ""}});
         }},
    };
}
