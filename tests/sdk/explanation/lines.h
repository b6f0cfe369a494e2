#pragma once

#include <sstream>
#include <string>
#include <vector>

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

inline std::string without_colours(std::string text) {
    for (size_t begin; (begin = text.find('\033')) != std::string::npos;) text.erase(begin, text.find('m', begin) - begin + 1);
    return text;
}
