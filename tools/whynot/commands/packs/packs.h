#pragma once

/// `whynot packs`.

#include <cstdint>
#include <string>

#include "commands/common.h"

namespace whynot::cli {

/// What `packs list`, `show` and `verify` take. They need no tensors.
struct PacksCommand {
    std::string pack;  ///< id or folder
    bool json = false;
};

int list_packs(const PacksCommand& command);
int show_pack(const PacksCommand& command);
int verify_pack(const PacksCommand& command);

/// `whynot packs new`: a model that somebody brings along, see whynot/import.h.
struct ImportCommand : CommonOptions {
    std::string modality;
    std::string classifier, encoder, decoder, embedding, vocabulary, tokenizer, verify;  ///< files
    std::string classes;                                                                 ///< separated by commas
    std::string shape;                                                                   ///< "3x64x64": channels, height, width
    std::string mean, deviation;                                                         ///< numbers separated by commas
    std::string emits;                                                                   ///< empty: what it is found to emit
    std::string framing = "plain";
    bool light_on_dark = false;
    std::string letter_case, before, after;  ///< of a tokenizer; empty: as it says
    bool nothing_around = false;             ///< no special pieces before and after a text
    std::string generator = "english";       ///< for text: of this pack; "none": none
    std::string data;
    std::string out;
    std::string licence;
    uint64_t seed = 1;
};

int import_model(const ImportCommand& command);

}  // namespace whynot::cli
