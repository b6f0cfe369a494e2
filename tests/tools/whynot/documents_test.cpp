// The options page, the man page and the completions: every option of every command is in each, and completions complete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "tools/whynot/fixture.h"

namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::Not;
using whynot::test::Arguments;
using whynot::test::Process;
namespace fs = whynot::test::fs;

std::string output_of(const std::string& program, const Arguments& arguments) {
    Process process(program, arguments);
    process.finish();
    EXPECT_EQ(process.code, 0) << testing::PrintToString(arguments) << process.err;
    return process.out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether a shell is on this machine.
bool there_is(const std::string& program) {
    Process process("/bin/sh", {"-c", "command -v " + program});
    process.finish();
    return process.code == 0;
}

/// A command and its options, as its help has them: read from the text that a person sees.
struct Command {
    Arguments path;                    // "packs", "list"
    std::vector<std::string> options;  // "--json"
    std::string name() const {
        std::string text = "whynot";
        for (const std::string& part : path) text += ' ' + part;
        return text;
    }
};

std::vector<Command> commands_below(const Arguments& path) {
    Arguments arguments = path;
    arguments.emplace_back("--help");
    const std::string help = output_of(WHYNOT_PROGRAM, arguments);
    std::vector<Command> all{{path, {}}};
    bool in_commands = false;
    std::smatch match;
    for (const std::string& line : lines_of(help)) {
        in_commands = line == "Commands:" || (in_commands && !line.empty());
        if (std::regex_search(line, match, std::regex("^  (-[a-z],)?(--[a-z-]+)"))) all[0].options.push_back(match[2]);
        if (in_commands && std::regex_search(line, match, std::regex("^  ([a-z]+)"))) {
            Arguments below = path;
            below.push_back(match[1]);
            for (const Command& command : commands_below(below)) all.push_back(command);
        }
    }
    return all;
}

const std::vector<Command>& commands() {
    static const std::vector<Command> all = commands_below({});
    return all;
}

/// The part of a text from a line that is `begin` to one that begins with `end`.
std::string part(const std::string& text, const std::string& begin, const std::string& end) {
    const size_t at = ('\n' + text).find('\n' + begin + '\n');
    if (at == std::string::npos) return "";
    return text.substr(at, text.find('\n' + end, at) - at);
}

/// What bash proposes for the last of these words.
std::vector<std::string> bash_proposes(Arguments words) {
    static const std::string script = output_of(WHYNOT_PROGRAM, {"documentation", "bash"});
    words.insert(
        words.begin(),
        {"-c", script + "\nCOMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _whynot; printf '%s\\n' \"${COMPREPLY[@]}\"", "bash", "whynot"});
    std::vector<std::string> proposed = lines_of(output_of("/bin/bash", words));
    proposed.erase(std::remove(proposed.begin(), proposed.end(), ""), proposed.end());
    return proposed;
}

TEST(Documents, HelpIsReadAsItIs) {
    std::set<std::string> names;
    size_t options = 0;
    for (const Command& command : commands()) {
        names.insert(command.name());
        options += command.options.size();
        EXPECT_THAT(command.options, Contains("--help")) << command.name();
    }
    for (const char* name : {"whynot", "whynot explain", "whynot packs", "whynot packs new", "whynot plugins check", "whynot corpus bias"})
        EXPECT_TRUE(names.count(name)) << name;
    EXPECT_GE(options, 150u);
}

TEST(Documents, ThePageHasEveryOptionOfEveryCommand) {
    const std::string page = output_of(WHYNOT_PROGRAM, {"documentation", "markdown"});
    for (const Command& command : commands()) {
        const std::string section = part(page, "## " + command.name(), "## ");
        for (const std::string& option : command.options)
            EXPECT_THAT(section, testing::ContainsRegex("`" + option + "[ `]")) << command.name();
    }
    EXPECT_THAT(page, AllOf(Not(HasSubstr("--patience")), Not(HasSubstr("documentation FORM"))));
}

TEST(Documents, ThePageInDocsIsTheProgramsOwn) {
    EXPECT_EQ(content_of(WHYNOT_OPTIONS_PAGE), output_of(WHYNOT_PROGRAM, {"documentation", "markdown"}))
        << "write it anew: build/bin/whynot documentation markdown > docs/options.md";
}

TEST(Documents, TheManPageHasEveryOptionOfEveryCommand) {
    const std::string page = output_of(WHYNOT_PROGRAM, {"documentation", "man"});
    for (const Command& command : commands()) {
        const std::string section = part(page, ".SS " + command.name(), ".SS ");
        for (std::string option : command.options) {
            option = std::regex_replace(option, std::regex("-"), "\\-");
            EXPECT_THAT(section, HasSubstr("\\fB" + option + "\\fR")) << command.name();
        }
    }
    if (!there_is("groff")) GTEST_SKIP() << "there is no groff";
    const fs::path built = WHYNOT_DOCUMENTS "/man/man1/whynot.1";
    EXPECT_EQ(content_of(built), page) << "the build has written it";
    Process groff("/bin/sh", {"-c", "groff -man -ww -b -Tutf8 -P-cbou '" + built.string() + "'"});
    groff.finish();
    EXPECT_EQ(groff.code, 0);
    EXPECT_EQ(groff.err, "") << "no warnings";
    EXPECT_THAT(groff.out, HasSubstr("whynot packs new"));
}

TEST(Documents, BashProposesEveryOptionOfEveryCommand) {
    for (const Command& command : commands()) {
        Arguments words = command.path;
        words.emplace_back("--");
        EXPECT_THAT(command.options, IsSubsetOf(bash_proposes(words))) << command.name();
    }
}

TEST(Documents, BashCompletes) {
    EXPECT_THAT(bash_proposes({"cl"}), ElementsAre("classify"));
    EXPECT_THAT(bash_proposes({""}), AllOf(Contains("explain"), Contains("packs"), Not(Contains("documentation"))));
    EXPECT_THAT(bash_proposes({"packs", ""}), ElementsAre("list", "show", "verify", "new"));
    EXPECT_THAT(bash_proposes({"explain", "--meth"}), ElementsAre("--method"));
    EXPECT_THAT(bash_proposes({"explain", "--method", ""}), ElementsAre("sqp", "augmented-lagrangian"));
    EXPECT_THAT(bash_proposes({"explain", "--method", "=", "a"}), ElementsAre("augmented-lagrangian"));
    EXPECT_THAT(bash_proposes({"explain", "--method", "="}), ElementsAre("sqp", "augmented-lagrangian"));
    EXPECT_THAT(bash_proposes({"explain", "--seed", ""}), ElementsAre()) << "a number";
    EXPECT_THAT(bash_proposes({"packs", "new", "i"}), ElementsAre("image"));
    // A value that is called as a command is, is none.
    EXPECT_THAT(bash_proposes({"explain", "--fact", "packs", "--jsonl", "--in"}), ElementsAre());

    const TemporaryFolder temporary;
    const std::string folder = temporary.path();
    fs::create_directory(temporary.path() / "answers");
    std::ofstream(temporary.path() / "questions.csv") << "";
    EXPECT_THAT(bash_proposes({"explain", folder + "/"}), testing::UnorderedElementsAre(folder + "/answers", folder + "/questions.csv"));
    EXPECT_THAT(bash_proposes({"explain", "--out", folder + "/"}), ElementsAre(folder + "/answers")) << "folders only";
}

TEST(Documents, ZshHasEveryOptionOfEveryCommand) {
    const std::string script = output_of(WHYNOT_PROGRAM, {"documentation", "zsh"});
    for (const Command& command : commands()) {
        const std::string function = part(script, '_' + std::regex_replace(command.name(), std::regex(" "), "_") + "() {", "}");
        for (const std::string& option : command.options)
            EXPECT_THAT(function, testing::ContainsRegex("['})]" + option + "=?\\[")) << command.name();
    }
    if (!there_is("zsh")) GTEST_SKIP() << "there is no zsh";
    output_of("/bin/sh", {"-c", "zsh -n " WHYNOT_DOCUMENTS "/zsh/site-functions/_whynot"});
}

TEST(Documents, FishHasEveryOptionOfEveryCommand) {
    const std::vector<std::string> lines = lines_of(output_of(WHYNOT_PROGRAM, {"documentation", "fish"}));
    for (const Command& command : commands()) {
        const std::string condition = "-n '__whynot_at \\'" + command.name() + "\\''";
        for (const std::string& option : command.options)
            EXPECT_THAT(lines, Contains(AllOf(HasSubstr(condition), HasSubstr(" -l " + option.substr(2) + ' ')))) << command.name();
    }
    if (!there_is("fish")) GTEST_SKIP() << "there is no fish";
    output_of("/bin/sh", {"-c", "fish --no-execute " WHYNOT_DOCUMENTS "/fish/vendor_completions.d/whynot.fish"});
}

TEST(Documents, TheBuildHasWrittenThem) {
    for (const auto& [form, file] :
         {std::pair("markdown", "/doc/whynot/options.md"), std::pair("bash", "/bash-completion/completions/whynot"),
          std::pair("zsh", "/zsh/site-functions/_whynot"), std::pair("fish", "/fish/vendor_completions.d/whynot.fish")})
        EXPECT_EQ(content_of(std::string(WHYNOT_DOCUMENTS) + file), output_of(WHYNOT_PROGRAM, {"documentation", form})) << file;
}

}  // namespace
