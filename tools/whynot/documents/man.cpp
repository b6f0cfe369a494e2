#include "base/format.h"
#include "documents/tree.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

/// As roff takes text: a hyphen that people copy, no command at the beginning of a line.
std::string roff(const std::string& text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\'')) result += "\\&";
        if (text[i] == '\\')
            result += "\\e";
        else if (text[i] == '-')
            result += "\\-";
        else
            result += text[i];
    }
    return result;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string man_item(const OptionInfo& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back(bold(name));
    return ".TP\n" + base::joined(names) + (option.value.empty() ? "" : ' ' + italic(option.value)) +
           (option.required ? " (required)" : "") + '\n' + roff(option.help) + '\n';
}

std::string as_it_is(const std::string& text) { return ".nf\n" + roff(text) + "\n.fi\n"; }

std::string man_section(const CommandInfo& command) {
    std::string text = ".SS " + roff(command.path) + "\n" + roff(command.help) + ".\n.PP\n" + bold(command.usage()) + '\n';
    for (const OptionInfo& argument : command.arguments) text += man_item(argument);
    for (const std::string& group : command.groups()) {
        text += ".PP\n" + roff(group) + ":\n";
        for (const OptionInfo& option : command.options)
            if (option.group == group) text += man_item(option);
    }
    for (const CommandInfo& each : command.commands) text += ".TP\n" + bold(each.name) + '\n' + roff(each.help) + '\n';
    if (!command.notes.empty()) text += ".PP\n" + as_it_is(command.notes);
    return text;
}

std::string in_capitals(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

}  // namespace

std::string man_page(const CommandInfo& program) {
    const size_t end = program.help.find("? ");  // "Why A and not B?"
    std::string text = ".TH " + roff(in_capitals(program.name)) + " 1 \"\" \"whynot " WHYNOT_VERSION "\" \"User Commands\"\n.SH NAME\n" +
                       roff(program.name) + " \\- " + roff(program.help.substr(0, end == std::string::npos ? end : end + 1)) +
                       "\n.SH SYNOPSIS\n" + bold(program.usage()) + "\n.SH DESCRIPTION\n" + roff(program.help) +
                       ".\n.SH COMMANDS AND OPTIONS\n";
    for (const CommandInfo* command : all_of(program)) text += man_section(*command);
    return text + ".SH EXIT STATUS AND ENVIRONMENT\n" + as_it_is(exit_codes);
}

}  // namespace whynot::cli
