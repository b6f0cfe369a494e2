#pragma once

/// A program's commands and options as plain data.

#include <string>
#include <vector>

#include "documents/documents.h"

namespace whynot::cli {

/// What may stand where a value is asked for, as far as a shell can propose it.
enum class Proposal { nothing, files, folders, choices };

struct OptionInfo {
    std::vector<std::string> names;    ///< "-h", "--help"; of an argument its name: "INPUT"
    std::string value;                 ///< as help shows it: "ID|DIR"; empty: a flag, or an argument
    std::string help;                  ///< with the default
    std::string group;                 ///< "Search"
    std::vector<std::string> choices;  ///< all valid values, where they are few
    Proposal proposal = Proposal::nothing;
    bool required = false;
    bool repeated = false;  ///< an argument that takes several values
};

struct CommandInfo {
    std::string path;   ///< "whynot packs list"
    std::string name;   ///< "list"
    std::string help;   ///< without a point at its end
    std::string notes;  ///< below the options: examples; without what is the same for all commands
    std::vector<OptionInfo> arguments, options;
    std::vector<CommandInfo> commands;  ///< below this one

    std::string usage() const;  ///< "whynot packs show [OPTIONS] PACK"
    std::vector<std::string> groups() const;
};

/// Without what is hidden.
CommandInfo describe(CLI::App& program);

/// The program and all commands, each before those below it.
std::vector<const CommandInfo*> all_of(const CommandInfo& program);

/// The beginning of a help text that says enough where there is one line for it.
std::string first_sentence(const std::string& help);

/// A text with a backslash before each of these letters.
std::string escaped(const std::string& text, const std::string& letters);

// One each, in files of their own.
std::string markdown(const CommandInfo& program);
std::string man_page(const CommandInfo& program);
std::string bash_completion(const CommandInfo& program);
std::string zsh_completion(const CommandInfo& program);
std::string fish_completion(const CommandInfo& program);

}  // namespace whynot::cli
