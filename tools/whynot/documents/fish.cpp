#include <algorithm>

#include "base/format.h"
#include "documents/tree.h"

namespace whynot::cli {
namespace {

/// A word in single quotes.
std::string fish_quoted(const std::string& text) { return '\'' + escaped(text, "'\\") + '\''; }

std::string at(const CommandInfo& command, const std::string& test) { return fish_quoted(test + " '" + command.path + '\''); }

std::string values(const OptionInfo& option) {
    switch (option.proposal) {
        case Proposal::choices: return " -x -a " + fish_quoted(base::joined(option.choices, " "));
        case Proposal::files: return " -r -F";
        case Proposal::folders: return " -x -a '(__fish_complete_directories)'";
        case Proposal::nothing: break;
    }
    return " -x";
}

std::string lines_of(const CommandInfo& command, const std::string& program, const std::string& test) {
    const std::string begin = "complete -c " + program + " -n " + at(command, test);
    std::string text = "\n# " + command.path + '\n';
    for (const CommandInfo& each : command.commands)
        text += begin + " -a " + each.name + " -d " + fish_quoted(first_sentence(each.help)) + '\n';
    for (const OptionInfo& argument : command.arguments) {
        if (argument.proposal == Proposal::nothing) continue;
        std::string proposed = values(argument);
        proposed.erase(0, 3);  // -x and -r are for options
        text += begin + proposed + '\n';
    }
    for (const OptionInfo& option : command.options) {
        text += begin;
        for (const std::string& name : option.names)
            text += name.compare(0, 2, "--") == 0 ? " -l " + name.substr(2) : " -s " + name.substr(1);
        text += (option.value.empty() ? "" : values(option)) + " -d " + fish_quoted(first_sentence(option.help)) + '\n';
    }
    return text;
}

}  // namespace

std::string fish_completion(const CommandInfo& program) {
    std::string test = "__" + program.name + "_at";
    std::replace(test.begin(), test.end(), '-', '_');
    std::vector<std::string> paths;
    std::string lines;
    for (const CommandInfo* command : all_of(program)) {
        if (command != &program) paths.push_back(fish_quoted(command->path));
        lines += lines_of(*command, program.name, test);
    }
    std::string text = "# Completion of " + program.name + " for fish. Written by '" + program.name +
                       " documentation fish'.\n\n# Whether the command line names this command, and none below it.\nfunction " + test +
                       "\n    set -l command " + program.name +
                       "\n    for word in (commandline -opc)[2..-1]\n"
                       "        if contains -- \"$command $word\" " +
                       base::joined(paths, " ") +
                       "\n            set command \"$command $word\"\n        end\n    end\n"
                       "    test \"$command\" = \"$argv[1]\"\nend\n\ncomplete -c " +
                       program.name + " -f\n";
    return text + lines;
}

}  // namespace whynot::cli
