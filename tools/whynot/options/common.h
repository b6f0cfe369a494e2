#pragma once

/// Options that several commands have, how values are checked, and how help looks.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/format.h"
#include "commands/common.h"

namespace whynot::cli {

constexpr const char* inputs_help =
    "What to ask about: a sentence; a picture, that is a file which ends in .png, .jpg or .jpeg or begins like one; or - for the lines of "
    "standard input, one sentence a line. Put -- before sentences that begin with a dash";

/// The end of every command's help.
constexpr const char* exit_codes =
    "Exit codes: 0 answered, 1 failed, 2 wrong usage, 3 no answer for at least one input.\n"
    "Environment: WHYNOT_PLUGIN_PATH and WHYNOT_PACK_PATH, folders separated by ':';\n"
    "WHYNOT_CORPORA, the folder of the data sets; NO_COLOR.";

/// "whynot packs list"
std::string name_of(const CLI::App& command);

/// A program's help, for it and its commands.
void use_our_help(CLI::App& program);

/// A command of a program, or of a command.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& help);

/// One argument or more, taken as they are, by `results`. An ordinary list of texts would take "[a, b]" apart; an option that
/// expects more than anybody gives takes one after the other, and `required` asks for the first only.
CLI::Option* add_inputs(CLI::App& command);

CLI::Option* add_pack(CLI::App& command, std::string& pack, const std::string& help);
CLI::Option* add_seed(CLI::App& command, uint64_t& seed, const std::string& help);
CLI::Option* add_confidence(CLI::App& command, double& confidence);
/// A page of what is printed, one file that can be sent.
CLI::Option* add_html(CLI::App& command, std::string& html);
void add_json(CLI::App& command, bool& json, const std::string& help);
void add_plugin_path(CLI::App& command, std::string& plugin_path);
/// @param otherwise how many threads there are where nobody says
void add_threads(CLI::App& command, int& threads, const std::string& help, const std::string& otherwise);
/// Folders of plugins, and threads to compute with.
void add_common(CLI::App& command, CommonOptions& options, const std::string& otherwise);
/// Which device there is, only LibTorch knows.
void add_device(CLI::App& command, CommonOptions& options);

/// A number in a range, with a message that says so; CLI11's own would spell out the largest double.
template <class Number>
CLI::Validator between(Number min, Number max = std::numeric_limits<Number>::max()) {
    const auto text = [](Number number) {
        std::ostringstream out;
        out << number;
        return out.str();
    };
    const std::string range = text(min) + (max < std::numeric_limits<Number>::max() ? " to " + text(max) : " or more");
    return {[=](std::string& value) {
                Number number{};
                const bool valid = CLI::detail::lexical_cast(value, number) && number >= min && number <= max &&
                                   (std::is_signed_v<Number> || value.find('-') == std::string::npos);  // it would wrap round
                return valid ? std::string() : base::expected(range, '\'' + value + '\'');
            },
            ""};
}

CLI::Validator one_of(const std::vector<std::string>& names);

/// The names of an option that is checked by `one_of`; empty: any value may be valid.
std::vector<std::string> choices_of(CLI::Option& option);

/// An empty value is a variable that was not set in somebody's script.
CLI::Validator not_empty(const char* what);

}  // namespace whynot::cli
