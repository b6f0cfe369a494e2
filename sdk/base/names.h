#pragma once

/// Lists of names in messages, where there may be hundreds of them.

#include <string>
#include <vector>

namespace whynot::base {

/// All of them, "a, b, c", or of many the first ten and how many more there are: a hundred names in a message are read by nobody.
std::string some_of(const std::vector<std::string>& names);

/// Of many names those that are most like `wanted`, up to three, the likest first: what contains it, and what is a few letters away. Case does not
/// count.
std::vector<std::string> names_like(const std::string& wanted, const std::vector<std::string>& names);

/// What there is instead of a name that is none of those: some of all, and before them, of many, those that are like it:
/// "card_declined or another of 150: a, b, c and 147 more".
std::string choice_of(const std::string& wanted, const std::vector<std::string>& names);

}  // namespace whynot::base
