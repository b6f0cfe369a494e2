#include "base/names.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/format.h"

namespace whynot::base {

namespace {

constexpr size_t most_names = 12, names_told = 10;  // in a list

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// Levenshtein's.
size_t distance(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = std::exchange(row[0], i);
        for (size_t j = 1; j <= b.size(); ++j)
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
    }
    return row.back();
}

}  // namespace

std::string some_of(const std::vector<std::string>& names) {
    if (names.size() <= most_names) return joined(names);
    return joined(std::vector<std::string>(names.begin(), names.begin() + names_told)) + " and " +
           std::to_string(names.size() - names_told) + " more";
}

std::vector<std::string> names_like(const std::string& wanted, const std::vector<std::string>& names) {
    constexpr size_t count = 3, longest = 200;
    if (wanted.empty() || wanted.size() > longest) return {};
    const std::string looked_for = lower(wanted);
    std::vector<std::pair<size_t, std::string>> likely;
    for (const std::string& name : names) {
        if (name.size() > longest) continue;
        const std::string other = lower(name);
        const size_t letters = distance(looked_for, other);
        const bool within = looked_for.size() >= 3 && other.find(looked_for) != std::string::npos;
        if (within || 3 * letters <= looked_for.size()) likely.emplace_back(letters, name);
    }
    std::stable_sort(likely.begin(), likely.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> found;
    for (size_t i = 0; i < std::min(count, likely.size()); ++i) found.push_back(likely[i].second);
    return found;
}

std::string choice_of(const std::string& wanted, const std::vector<std::string>& names) {
    if (names.size() <= most_names) return joined(names);
    const std::vector<std::string> like = names_like(wanted, names);
    const std::string all = std::to_string(names.size()) + ": " + some_of(names);
    return like.empty() ? all : joined(like) + " or another of " + all;
}

}  // namespace whynot::base
