#include "explainer/questions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "base/names.h"
#include "base/sha256.h"
#include "base/text.h"

namespace whynot::internal {
namespace {

// The text itself, or a readable form of bytes that are no text: records hold UTF-8 only.
std::string readable(const std::string& text) { return base::is_utf8(text) ? text : base::escape_controls(text); }

bool plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// A part of a file's name: letters and digits of the text, one dash for whatever lies between them; `otherwise` where there are none.
std::string slug(const std::string& text, size_t most, const std::string& otherwise) {
    std::string result;
    for (const char c : text) {
        if (result.size() == most) break;
        if (plain(c)) {
            result += c;
        } else if (!result.empty() && result.back() != '-') {
            result += '-';
        }
    }
    if (!result.empty() && result.back() == '-') result.pop_back();
    return result.empty() ? otherwise : result;
}

}  // namespace

Explanation::Question recorded(const Input& input, const std::string& modality) {
    Explanation::Question question;
    question.modality = modality;
    question.input = readable(input.path.empty() ? input.content : input.path);
    if (!input.path.empty()) question.input_sha256 = base::sha256_hex(input.content);
    return question;
}

ClassChoice choose_classes(const OpenModel& model, const at::Tensor& before, const Question& question, bool alone) {
    const std::vector<std::string>& classes = model.classes();
    ClassChoice choice;
    const auto class_of = [&](const char* what, const std::string& name, int64_t otherwise) {
        const auto found = std::find(classes.begin(), classes.end(), name);
        if (name.empty()) return otherwise;
        if (found != classes.end()) return static_cast<int64_t>(found - classes.begin());
        choice.refusal = std::string(what) + " '" + readable(name) + "' is no class of the pack '" + model.pack.manifest().id +
                         "'; it has " + base::choice_of(name, classes);
        return int64_t{-1};
    };
    choice.fact = class_of("the fact", question.fact, before.argmax().item<int64_t>());
    if (choice.fact < 0 || alone) return choice;
    const auto other = likeliest_other(before.unsqueeze(0), at::tensor({choice.fact}, at::kLong)).item<int64_t>();
    choice.foil = class_of("the foil", question.foil, other);
    if (choice.foil == choice.fact)
        choice.refusal = question.fact.empty()
                             ? "the classifier calls it '" + classes[choice.fact] + "' already; ask about another class than that"
                             : "fact and foil are the same class, '" + classes[choice.fact] + "'; ask about two different ones";
    return choice;
}

std::string file_name(const OpenModel& model, const Input& input, int64_t fact, int64_t foil, const std::string& hash) {
    const std::string stem = std::filesystem::path(input.path).stem().string();
    const auto class_name = [&](int64_t index) { return slug(model.classes()[index], 24, std::to_string(index)); };
    return slug(stem, 48, "input") + '-' + class_name(fact) + (foil < 0 ? "" : "-not-" + class_name(foil)) + '-' + hash.substr(0, 8);
}

}  // namespace whynot::internal
