#include "base/format.h"
#include "documents/tree.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

std::string code(const std::string& text) { return '`' + text + '`'; }

std::string prose(const std::string& text) { return escaped(text, "*<"); }

std::string markdown_item(const OptionInfo& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back(code(name + (option.value.empty() ? "" : ' ' + option.value)));
    return "- " + base::joined(names) + (option.required ? " (required)" : "") + ": " + prose(option.help) + '\n';
}

/// Lines that begin with blanks are commands, the others text.
std::string notes(const std::string& text) {
    std::string result;
    bool in_code = false;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        const bool is_code = line.compare(0, 2, "  ") == 0;
        if (is_code != in_code) result += is_code ? "\n```sh\n" : "```\n";
        result += (is_code ? line.substr(2) : prose(line)) + '\n';
        in_code = is_code;
        begin = end + 1;
    }
    return result + (in_code ? "```\n" : "");
}

std::string markdown_section(const CommandInfo& command) {
    std::string text = "\n## " + command.path + "\n\n" + prose(command.help) + ".\n\n```\n" + command.usage() + "\n```\n";
    if (!command.commands.empty()) {
        text += "\nCommands:\n\n";
        for (const CommandInfo& each : command.commands) text += "- " + code(each.name) + ": " + prose(each.help) + '\n';
    }
    if (!command.arguments.empty()) {
        text += "\nArguments:\n\n";
        for (const OptionInfo& argument : command.arguments) text += markdown_item(argument);
    }
    for (const std::string& group : command.groups()) {
        text += '\n' + group + ":\n\n";
        for (const OptionInfo& option : command.options)
            if (option.group == group) text += markdown_item(option);
    }
    if (!command.notes.empty()) text += '\n' + notes(command.notes);
    return text;
}

}  // namespace

std::string markdown(const CommandInfo& program) {
    std::string text = "# Options of " + program.name + "\n\nEvery command and every option, as `" + program.name +
                       " --help` has them. This page is written by `" + program.name +
                       " documentation markdown`, and so are the man page and the completions for bash, zsh and fish.\n\n```\n" +
                       exit_codes + "\n```\n";
    for (const CommandInfo* command : all_of(program)) text += markdown_section(*command);
    return text;
}

}  // namespace whynot::cli
