#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/reading/corpus.h"
#include "whynot/import.h"

namespace whynot::text {

/// The sentences that a generator learns from, as words.
struct GivenSentences {
    std::vector<LabelledSentence> train;  // the label is the corpus's number among those asked for
    std::vector<std::vector<std::string>> development;
    std::string name, sha256, licence;  // of the file's lines, or of the corpora
    int64_t refused = 0;
};

/// Each sentence once, of a file or of corpora. Texts longer than `longest` words are cut behind their sentences; what is longer still is passed over.
GivenSentences read_sentences(const GeneratorRequest& request, int64_t longest);

/// The lines of a file of text, without their ends.
std::vector<std::string> lines_of(const std::filesystem::path& file);

}  // namespace whynot::text
