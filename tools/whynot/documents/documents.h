#pragma once

/// The options of a program as a page, a man page and completions for shells: written from the same tree of commands and options as its
/// help, so that they cannot disagree with it.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace whynot::cli {

/// What `document` can write.
extern const std::vector<std::string> document_forms;

/// @param form one of `document_forms`: markdown, man, bash, zsh, fish. Throws `invalid_argument` for another
std::string document(CLI::App& program, const std::string& form);

/// Adds the command `documentation FORM`, which prints one. Hidden: it is for the build and for packagers.
void add_documentation(CLI::App& program, std::string& form);

}  // namespace whynot::cli
