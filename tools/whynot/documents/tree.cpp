#include "documents/tree.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "options/common.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

/// Folders where only those fit, files where a file may stand; a pack's id is not known without looking for packs.
Proposal proposal_for(const std::string& value, bool has_choices) {
    const auto has = [&](const char* word) { return value.find(word) != std::string::npos; };
    if (has_choices) return Proposal::choices;
    if (has("FILE") || has("INPUT") || value == "...") return Proposal::files;
    return has("DIR") || has("FOLDER") ? Proposal::folders : Proposal::nothing;
}

OptionInfo describe(CLI::Option& option) {
    OptionInfo info;
    const bool argument = option.get_positional();
    if (argument) {
        info.names.push_back(option.get_name(true));
    } else {
        for (const std::string& name : option.get_snames()) info.names.push_back('-' + name);
        if (!option.get_lnames().empty()) info.names.push_back("--" + option.get_lnames().front());
    }
    const std::string type = option.get_expected_max() > 0 ? option.get_type_name() : "";
    if (!argument) info.value = type;
    const std::string value = option.get_default_str();
    info.help = option.get_description() + (value.empty() ? "" : ". Default: " + value);
    info.group = option.get_group();
    info.choices = choices_of(option);
    info.required = option.get_required();
    info.repeated = argument && type == "...";
    info.proposal = proposal_for(argument && type.empty() ? "" : type, !info.choices.empty());
    return info;
}

std::string notes_of(const CLI::App& command) {
    std::string notes = command.get_footer();
    if (const size_t common = notes.find(exit_codes); common != std::string::npos) notes.erase(common);
    notes.erase(notes.find_last_not_of('\n') + 1);
    return notes;
}

}  // namespace

const std::vector<std::string> document_forms{"markdown", "man", "bash", "zsh", "fish"};

std::string CommandInfo::usage() const {
    std::string text = path + " [OPTIONS]" + (commands.empty() ? "" : " COMMAND");
    for (const OptionInfo& argument : arguments) {
        const std::string shown = argument.names.front() + (argument.repeated ? "..." : "");
        text += ' ' + (argument.required ? shown : '[' + shown + ']');
    }
    return text;
}

std::vector<std::string> CommandInfo::groups() const {
    std::vector<std::string> names;
    for (const OptionInfo& option : options)
        if (std::find(names.begin(), names.end(), option.group) == names.end()) names.push_back(option.group);
    return names;
}

CommandInfo describe(CLI::App& program) {
    CommandInfo info;
    info.path = name_of(program);
    info.name = program.get_name();
    info.help = program.get_description();
    if (!info.help.empty() && info.help.back() == '.') info.help.pop_back();
    info.notes = notes_of(program);
    for (CLI::Option* option : program.get_options([](CLI::Option* each) { return !each->get_group().empty(); }))
        (option->get_positional() ? info.arguments : info.options).push_back(describe(*option));
    for (CLI::App* command : program.get_subcommands([](CLI::App* each) { return !each->get_group().empty(); }))
        info.commands.push_back(describe(*command));
    return info;
}

std::vector<const CommandInfo*> all_of(const CommandInfo& program) {
    std::vector<const CommandInfo*> all{&program};
    for (const CommandInfo& command : program.commands)
        for (const CommandInfo* each : all_of(command)) all.push_back(each);
    return all;
}

std::string first_sentence(const std::string& help) { return help.substr(0, std::min(help.find(". "), help.find("; "))); }

std::string escaped(const std::string& text, const std::string& letters) {
    std::string result;
    for (const char c : text) {
        if (letters.find(c) != std::string::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string document(CLI::App& program, const std::string& form) {
    const CommandInfo info = describe(program);
    if (form == "markdown") return markdown(info);
    if (form == "man") return man_page(info);
    if (form == "bash") return bash_completion(info);
    if (form == "zsh") return zsh_completion(info);
    if (form == "fish") return fish_completion(info);
    throw Error(ErrorCode::invalid_argument, base::expected(base::joined(document_forms, " or "), base::in_quotes(form)));
}

void add_documentation(CLI::App& program, std::string& form) {
    CLI::App& app = add_command(program, "documentation",
                                "Prints this program's options in another form: a page, a man page, or completions for a shell");
    app.group("");
    app.add_option("FORM", form, base::joined(document_forms, " or "))->required()->type_name("")->check(one_of(document_forms));
}

}  // namespace whynot::cli
