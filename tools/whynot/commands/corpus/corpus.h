#pragma once

/// `whynot corpus`. It lives in a library of its own, LIBDIR/whynot/whynot_corpus.so, which the program opens when it is asked for: what
/// it needs, link-grammar and libcurl, nothing else does, and LibTorch it does without.

#include <string>

#include "commands/common.h"

namespace whynot::cli {

struct CorpusCommand : CommonOptions {
    std::string name;  ///< verify, fetch: or "all"
    std::string from;  ///< a mirror: a folder or a URL
    int timeout = 30;  ///< seconds
    std::string out;   ///< a folder
    std::string word = "very", before = "adjectives", label;
};

struct CorpusCommands {
    const char* version;  ///< WHYNOT_VERSION: program and library belong to one build
    int (*list)(const CorpusCommand&);
    int (*verify)(const CorpusCommand&);
    int (*fetch)(const CorpusCommand&);
    int (*bias)(const CorpusCommand&);
};

}  // namespace whynot::cli

/// The one symbol of the library.
extern "C" WHYNOT_API const whynot::cli::CorpusCommands* whynot_corpus_commands();
#define WHYNOT_CORPUS_COMMANDS_ENTRY "whynot_corpus_commands"
