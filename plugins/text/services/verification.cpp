#include "text/services/verification.h"

#include <ATen/ATen.h>

#include <cmath>
#include <sstream>

#include "base/file.h"
#include "base/format.h"
#include "base/json.h"
#include "base/members.h"
#include "base/text.h"
#include "text/model/contributions.h"
#include "training/torchscript.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

constexpr double tolerance = 1e-4;

struct Said {
    int64_t line = 0;
    std::string text;
    std::vector<double> probabilities;
};

std::vector<Said> read_said(const std::filesystem::path& file, size_t classes) {
    const std::string name = file.filename().string();
    std::istringstream lines(base::read_file(file, uint64_t{64} << 20, ErrorCode::invalid_input));
    std::vector<Said> all;
    int64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        const std::string where = name + ", line " + std::to_string(number);
        const base::Json json = base::parse_json_object(line, ErrorCode::invalid_input, where);
        base::Members members(json, ErrorCode::invalid_input, where);
        Said said{number, members.text("text"), members.numbers("probabilities")};
        if (said.probabilities.size() != classes)
            members.refuse("probabilities", "a number for each of the " + std::to_string(classes) + " classes");
        all.push_back(std::move(said));
    }
    if (all.empty()) throw Error(ErrorCode::invalid_input, name + R"(: expected a line {"text": ..., "probabilities": [...]} at least)");
    return all;
}

}  // namespace

std::string verify(Reader& reader, const ImportRequest& request) {
    const std::vector<Said> all = read_said(request.verify, request.classes.size());
    const std::string name = request.verify.filename().string();
    Classifier& classifier = reader.classifier;
    const at::NoGradGuard no_grad;
    Sentences asked;
    for (const Said& said : all) {
        try {
            asked.push_back(reader.read(said.text, split_words(said.text)).all());
        } catch (const Error& error) {
            throw Error(error.code(), name + ", line " + std::to_string(said.line) + ": " + error.what());
        }
    }
    at::Tensor outputs = classifier.logits(asked);                                  // as it emits them: what that is, is not known yet
    classifier.emits = request.emits.value_or(training::recognise_emits(outputs));  // `packs new` looks closer, on many samples
    if (classifier.emits != Emits::logits) outputs = classifier.logits(asked);
    const at::Tensor found = at::softmax(outputs.to(at::kDouble), 1);
    double largest = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        const std::vector<double> probabilities = doubles(found[static_cast<int64_t>(i)]);
        for (size_t c = 0; c < probabilities.size(); ++c) {
            const double off = std::abs(probabilities[c] - all[i].probabilities[c]);
            largest = std::max(largest, off);
            if (off <= tolerance) continue;
            std::vector<std::string> pieces;
            for (const int64_t id : asked[i]) pieces.push_back(reader.pieces->spelling(id));
            throw Error(ErrorCode::invalid_input, name + ", line " + std::to_string(all[i].line) + ": expected the probability " +
                                                      base::number(all[i].probabilities[c], 6) + " of " +
                                                      base::in_quotes(request.classes[c]) + ", as its own code says, found " +
                                                      base::number(probabilities[c], 6) + "; the text is read as " +
                                                      base::in_quotes(base::joined(pieces, " ")) +
                                                      ": look whether these are the model's own pieces, letter case and special pieces");
        }
    }
    return std::to_string(all.size()) + " texts as its own code says, probabilities off by " + base::number(largest, 2) + " at most";
}

}  // namespace whynot::text
