#include <algorithm>

#include "base/format.h"
#include "documents/tree.h"

namespace whynot::cli {
namespace {

/// A word in single quotes.
std::string zsh_quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + '\'';
}

std::string function_of(const CommandInfo& command) {
    std::string name = '_' + command.path;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
    return name;
}

/// ":message:action" of a value.
std::string value_of(const OptionInfo& option, const std::string& message) {
    std::string action = " ";
    if (option.proposal == Proposal::choices) action = '(' + base::joined(option.choices, " ") + ')';
    if (option.proposal == Proposal::files) action = "_files";
    if (option.proposal == Proposal::folders) action = "_files -/";
    return ':' + escaped(message, ":\\") + ':' + action;
}

/// What _arguments takes. An option with several names is several options that exclude one another.
std::string specifications(const CommandInfo& command) {
    std::string text;
    for (const OptionInfo& option : command.options) {
        const std::string exclude = option.names.size() > 1 ? '(' + base::joined(option.names, " ") + ')' : "";
        for (const std::string& name : option.names) {
            const bool with_value = !option.value.empty();
            text += " \\\n        " +
                    zsh_quoted(exclude + name + (with_value && name.compare(0, 2, "--") == 0 ? "=" : "") + '[' +
                               escaped(first_sentence(option.help), "[]:\\") + ']' + (with_value ? value_of(option, option.value) : ""));
        }
    }
    for (const OptionInfo& argument : command.arguments)
        text += " \\\n        " + zsh_quoted((argument.repeated ? "*" : "1") + value_of(argument, argument.names.front()));
    return text;
}

std::string function(const CommandInfo& command) {
    std::string text = function_of(command) + "() {\n";
    if (command.commands.empty()) return text + "    _arguments -s" + specifications(command) + "\n}\n\n";
    text += "    local curcontext=\"$curcontext\" state line\n    _arguments -C" + specifications(command) +
            " \\\n        '1: :->command' \\\n        '*:: :->rest'\n"
            "    case $state in\n"
            "        command)\n            local -a commands\n            commands=(\n";
    for (const CommandInfo& each : command.commands)
        text += "                " + zsh_quoted(each.name + ':' + escaped(first_sentence(each.help), ":\\")) + '\n';
    text +=
        "            )\n            _describe -t commands command commands\n            ;;\n"
        "        rest)\n            case $words[1] in\n";
    for (const CommandInfo& each : command.commands) text += "                " + each.name + ") " + function_of(each) + " ;;\n";
    return text + "            esac\n            ;;\n    esac\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandInfo& program) {
    std::string text = "#compdef " + program.name + "\n# Completion of " + program.name + " for zsh. Written by '" + program.name +
                       " documentation zsh'.\n\n";
    for (const CommandInfo* command : all_of(program)) text += function(*command);
    // Loaded as a function the first time, or sourced.
    return text + "if [ \"$funcstack[1]\" = " + function_of(program) + " ]; then\n    " + function_of(program) +
           " \"$@\"\nelse\n    compdef " + function_of(program) + ' ' + program.name + "\nfi\n";
}

}  // namespace whynot::cli
