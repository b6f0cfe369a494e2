#include "options/common.h"

#include <algorithm>
#include <memory>
#include <sstream>

namespace whynot::cli {
namespace {

constexpr const char* common_group = "Common options";

/// A blank where no line is broken (it is one character: no text of ours holds it).
constexpr char tied = '\1';

/// CLI11's help, broken into lines of 80 columns.
class Help : public CLI::Formatter {
public:
    Help() {
        column_width(30);
        label("SUBCOMMAND", "COMMAND");
    }
    /// Further long names are old ones, which stay valid and are not shown.
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
        if (is_positional || option->get_lnames().size() < 2) return CLI::Formatter::make_option_name(option, is_positional);
        std::string names;
        for (const std::string& name : option->get_snames()) names += '-' + name + ',';
        return names + "--" + option->get_lnames().front();
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        const std::string type = option->get_type_name();
        return (type.empty() ? "" : ' ' + type) + (option->get_required() ? " (required)" : "");
    }
    std::string make_option_desc(const CLI::Option* option) const override {
        const std::string value = option->get_default_str();
        return broken(option->get_description() + (value.empty() ? "" : std::string(". Default:") + tied + value));
    }
    std::string make_description(const CLI::App* command) const override { return broken(command->get_description(), 80) + '\n'; }
    std::string make_subcommand(const CLI::App* command) const override {
        std::ostringstream text;
        CLI::detail::format_help(text, command->get_name(), broken(command->get_description()), get_column_width());
        return text.str();
    }

private:
    static std::string broken(const std::string& text, size_t width = 50) {
        std::istringstream words(text);
        std::string result;
        size_t column = 0;
        for (std::string word; words >> word;) {
            if (column > 0) result += column + 1 + word.size() > width ? (column = 0, '\n') : (++column, ' ');
            result += word;
            column += word.size();
        }
        std::replace(result.begin(), result.end(), tied, ' ');
        return result;
    }
};

// CLI11 keeps a name with each validator; that of `one_of` is this and the names.
const std::string choices_mark = "one of";

}  // namespace

std::string name_of(const CLI::App& command) {
    return (command.get_parent() ? name_of(*command.get_parent()) + ' ' : "") + command.get_name();
}

void use_our_help(CLI::App& program) { program.formatter(std::make_shared<Help>()); }

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& help) {
    CLI::App& command = *parent.add_subcommand(name, help);
    command.group("Commands");
    command.footer(exit_codes);
    return command;
}

CLI::Option* add_inputs(CLI::App& command) {
    return command.add_option("INPUT", inputs_help)
        ->required()
        ->type_name("...")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->expected(CLI::detail::expected_max_vector_size - 1, CLI::detail::expected_max_vector_size);
}

CLI::Option* add_pack(CLI::App& command, std::string& pack, const std::string& help) {
    return command.add_option("--pack", pack, help)->type_name("ID|DIR");
}

CLI::Option* add_seed(CLI::App& command, uint64_t& seed, const std::string& help) {
    return command.add_option("--seed", seed, help)->type_name("N")->check(between<uint64_t>(0))->capture_default_str();
}

CLI::Option* add_confidence(CLI::App& command, double& confidence) {
    // As the SDK checks it, but before anything is opened.
    const CLI::Validator is_confidence(
        [](std::string& value) {
            double number = 0;
            const bool valid = CLI::detail::lexical_cast(value, number) && number >= 0.5 && number < 1;
            return valid ? std::string() : base::expected("a probability from 0.5 to below 1", '\'' + value + '\'');
        },
        "");
    return command
        .add_option(
            "--confidence", confidence,
            "The least probability of the foil in an answer, from 0.5 to below 1. Default: 0.9; for sentences with a pack that has no "
            "second opinion, and with --decode audit, 0.5, where it is enough that the foil is the likeliest class")
        ->type_name("P")
        ->check(is_confidence);
}

CLI::Option* add_html(CLI::App& command, std::string& html) {
    return command.add_option("--html", html, "Write it as a page too: one FILE that any browser opens, and that can be sent")
        ->type_name("FILE")
        ->check(not_empty("a file"));
}

void add_json(CLI::App& command, bool& json, const std::string& help) { command.add_flag("--json", json, help)->group("Output"); }

void add_plugin_path(CLI::App& command, std::string& plugin_path) {
    command.add_option("--plugin-path", plugin_path, "Folders to look for plugins in first, absolute, separated by ':'")
        ->type_name("FOLDERS")
        ->group(common_group);
}

void add_threads(CLI::App& command, int& threads, const std::string& help, const std::string& otherwise) {
    command.add_option("--threads", threads, help + ". At most four for each core. Default: OMP_NUM_THREADS, else " + otherwise)
        ->type_name("N")
        ->check(between(1, 1024))
        ->group(common_group);
}

void add_common(CLI::App& command, CommonOptions& options, const std::string& otherwise) {
    add_plugin_path(command, options.plugin_path);
    add_threads(command, options.threads, "Threads to compute with; the last digits of figures depend on their number", otherwise);
}

void add_device(CLI::App& command, CommonOptions& options) {
    command.add_option("--device", options.device, "The device to compute on: cpu, cuda or cuda:N")
        ->type_name("DEVICE")
        ->capture_default_str()
        ->group(common_group);
}

CLI::Validator one_of(const std::vector<std::string>& names) {
    return CLI::Validator(
               [names](std::string& value) {
                   if (std::find(names.begin(), names.end(), value) != names.end()) return std::string();
                   return base::expected(base::joined(names, " or "), '\'' + value + '\'');
               },
               "")
        .name(choices_mark + ' ' + base::joined(names, " "));
}

std::vector<std::string> choices_of(CLI::Option& option) {
    for (int i = 0;; ++i) {
        CLI::Validator* validator = nullptr;
        try {
            validator = option.get_validator(i);
        } catch (const CLI::OptionNotFound&) {  // there are no more
            return {};
        }
        const std::string name = validator->get_name();
        if (name.compare(0, choices_mark.size(), choices_mark) != 0) continue;
        std::istringstream names(name.substr(choices_mark.size()));
        return {std::istream_iterator<std::string>(names), {}};
    }
}

CLI::Validator not_empty(const char* what) {
    return {[what](std::string& value) { return value.empty() ? base::expected(what, "nothing") : std::string(); }, ""};
}

}  // namespace whynot::cli
