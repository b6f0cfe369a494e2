#include <algorithm>

#include "base/format.h"
#include "documents/tree.h"

namespace whynot::cli {
namespace {

std::string bash_quoted(const std::string& text) { return '\'' + text + '\''; }  // no word of ours holds a quote

/// What sets `words`, or asks for files or folders, for a value.
std::string propose(const OptionInfo& option) {
    switch (option.proposal) {
        case Proposal::choices: return "words=" + bash_quoted(base::joined(option.choices, " "));
        case Proposal::files: return "files=-f";
        case Proposal::folders: return "files=-d";
        case Proposal::nothing: break;
    }
    return ":";
}

std::string case_of(const CommandInfo& command) {
    std::vector<std::string> names, commands;
    std::string values;
    for (const OptionInfo& option : command.options) {
        names.insert(names.end(), option.names.begin(), option.names.end());
        if (!option.value.empty())
            values += "                " + base::joined(option.names, " | ") + ") value=1; " + propose(option) + " ;;\n";
    }
    for (const CommandInfo& each : command.commands) commands.push_back(each.name);
    std::string text = "        " + bash_quoted(command.path) + ")\n            options=" + bash_quoted(base::joined(names, " ")) + '\n';
    if (!values.empty()) text += "            case \"$previous\" in\n" + values + "            esac\n";
    if (!commands.empty())
        text += "            [[ $value ]] || words=" + bash_quoted(base::joined(commands, " ")) + '\n';
    else if (!command.arguments.empty())
        text += "            [[ $value ]] || " + propose(command.arguments.front()) + '\n';
    return text + "            ;;\n";
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
    std::vector<std::string> paths;
    std::string cases;
    for (const CommandInfo* command : all_of(program)) {
        if (command != &program) paths.push_back(bash_quoted(command->path));
        cases += case_of(*command);
    }
    std::string function = '_' + program.name;
    std::replace(function.begin(), function.end(), '-', '_');
    return "# Completion of " + program.name + " for bash. Written by '" + program.name + " documentation bash'.\n" + function +
           "() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=" +
           program.name +
           "\n"
           "    local options='' words='' files='' value='' i\n"
           "    # --option=value comes as three words.\n"
           "    if [[ $current == = ]]; then\n"
           "        current=''\n"
           "    elif [[ $previous == = ]]; then\n"
           "        previous=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    fi\n" +
           (paths.empty() ? ""
                          : "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                            "        case \"$command ${COMP_WORDS[i]}\" in\n"
                            "            " +
                                base::joined(paths, " | ") +
                                ") command+=\" ${COMP_WORDS[i]}\" ;;\n"
                                "        esac\n"
                                "    done\n") +
           "    case \"$command\" in\n" + cases +
           "    esac\n"
           "    [[ $value || $current != -* ]] || words=$options files=''\n"
           "    COMPREPLY=()\n"
           "    if [[ $files ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen \"$files\" -- \"$current\")\n"
           "        compopt -o filenames 2>/dev/null\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "    fi\n"
           "}\n"
           "complete -F " +
           function + ' ' + program.name + '\n';
}

}  // namespace whynot::cli
