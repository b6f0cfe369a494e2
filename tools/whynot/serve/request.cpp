#include "serve/request.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/base64.h"
#include "base/format.h"
#include "base/names.h"
#include "base/text.h"
#include "stream/inputs.h"
#include "whynot/error.h"

namespace whynot::cli {
namespace {

using base::Json;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::invalid_argument, why); }

void expect_keys(const Json& object, const std::vector<std::string>& known, const std::string& what) {
    for (const auto& [key, ignored] : object.items())
        if (std::find(known.begin(), known.end(), key) == known.end())
            refuse(what + " has no " + base::in_quotes(key) + "; there is " + base::choice_of(key, known));
}

std::string text_in(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "";
    if (!found->is_string()) refuse(std::string("'") + key + "': expected a text, found " + base::shown(*found));
    return found->get<std::string>();
}

/// A number within bounds; the first bound where there is none.
double number_in(const Json& object, const char* key, double least, double most, double otherwise) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return otherwise;
    const double value = found->is_number() ? found->get<double>() : most + 1;
    if (!(value >= least && value <= most))
        refuse(std::string("'") + key + "': expected a number from " + base::number(least, 6) + " to " + base::number(most, 6) +
               ", found " + base::shown(*found));
    return value;
}

int64_t whole_in(const Json& object, const char* key, double least, double most, int64_t otherwise) {
    const auto found = object.find(key);
    if (found != object.end() && !found->is_null() && !found->is_number_integer())
        refuse(std::string("'") + key + "': expected a whole number, found " + base::shown(*found));
    return static_cast<int64_t>(number_in(object, key, least, most, static_cast<double>(otherwise)));
}

/// Width times height, as the picture's header says; nothing where this does not tell: whoever decodes it has a limit too.
std::optional<int64_t> pixels_of(const std::string& bytes) {
    const auto byte = [&](size_t i) { return static_cast<int64_t>(static_cast<unsigned char>(bytes[i])); };
    if (bytes.size() > 24 && bytes.compare(1, 3, "PNG") == 0) {
        const auto length = [&](size_t i) { return byte(i) << 24 | byte(i + 1) << 16 | byte(i + 2) << 8 | byte(i + 3); };
        return length(16) * length(20);
    }
    if (bytes.size() < 4 || byte(0) != 0xff || byte(1) != 0xd8) return std::nullopt;
    for (size_t i = 2; i + 9 < bytes.size() && byte(i) == 0xff;) {
        const int64_t marker = byte(i + 1);
        if (marker == 0xff) {  // a fill byte
            ++i;
        } else if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
            return (byte(i + 5) << 8 | byte(i + 6)) * (byte(i + 7) << 8 | byte(i + 8));
        } else {
            i += 2 + static_cast<size_t>(byte(i + 2) << 8 | byte(i + 3));
        }
    }
    return std::nullopt;
}

/// @param problem gets why it cannot be asked about: that takes no other input of the job with it
Input picture_in(const Json& object, std::string& problem) {
    const std::optional<std::string> bytes = base::from_base64(text_in(object, "image_base64"));
    if (!bytes || bytes->empty())
        problem = "'image_base64': expected the base64 of a PNG or JPEG file";
    else if (pixels_of(*bytes).value_or(0) > most_pixels)
        problem = "a picture of more than " + std::to_string(most_pixels / 1'000'000) + " megapixels; make it smaller and send it again";
    const std::string name = std::filesystem::path(text_in(object, "name")).filename().string();
    return {problem.empty() ? *bytes : "", name.empty() ? "picture" : name};
}

void add_input(const Json& value, const Question& otherwise, AskRequest& request) {
    Question question = otherwise;
    Input input;
    std::string problem;
    if (value.is_string()) {
        input.content = value.get<std::string>();
    } else if (value.is_object()) {
        expect_keys(value, {"text", "image_base64", "name", "fact", "foil", "id"}, "an input");
        const bool is_picture = value.contains("image_base64");
        if (is_picture == value.contains("text")) refuse("an input should have 'text' or 'image_base64', and not both");
        input = is_picture ? picture_in(value, problem) : Input{text_in(value, "text"), ""};
        if (value.contains("fact")) question.fact = text_in(value, "fact");
        if (value.contains("foil")) question.foil = text_in(value, "foil");
        question.id = text_in(value, "id");
    } else {
        refuse("an input: expected a text or an object, found " + base::shown(value));
    }
    request.inputs.push_back(std::move(input));
    request.questions.push_back(std::move(question));
    request.problems.push_back(std::move(problem));
}

Task task_in(const Json& job) {
    const std::vector<std::string> names{"explain", "classify", "attribute", "samples"};
    const std::string name = job.contains("do") ? text_in(job, "do") : names[0];
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) refuse("'do': expected " + base::joined(names) + "; found " + base::in_quotes(name));
    return static_cast<Task>(found - names.begin());
}

/// One whose packs are asked about one kind of input; which pack that is.
const KnownPack& pack_of(const AskRequest& request, const std::string& id, const KnownPacks& packs) {
    const bool image = !request.inputs.empty() && is_image(request.inputs.front());
    for (const Input& input : request.inputs)
        if (is_image(input) != image) refuse("the inputs of a job should all be texts or all be pictures");
    const KnownPack& pack = id.empty() ? packs.for_kind(image) : packs.find(id);
    const std::string& modality = pack.manifest.modality;
    if (!request.inputs.empty() && (modality == "image") != image)
        refuse("the pack '" + pack.manifest.id + "' explains " + modality + ", and this is " + (image ? "a picture" : "a text"));
    return pack;
}

}  // namespace

AskRequest request_from_json(const std::string& body, const KnownPacks& packs) {
    const Json job = base::parse_json_object(body, ErrorCode::invalid_argument, "a job");
    expect_keys(job,
                {"do", "pack", "inputs", "fact", "foil", "keep", "confidence", "answers", "decode", "seed", "method", "frames", "first"},
                "a job");
    AskRequest request;
    request.task = task_in(job);
    const Question question{text_in(job, "fact"), text_in(job, "foil"), ""};
    if (!question.fact.empty() && question.fact == question.foil) refuse("'fact' and 'foil' are the same; ask about two different classes");
    const Json inputs = job.value("inputs", Json::array());
    if (!inputs.is_array()) refuse("'inputs': expected a list, found " + base::shown(inputs));
    const bool takes_none = request.task == Task::samples || (request.task == Task::attribute && text_in(job, "method").empty());
    if ((inputs.empty() && !takes_none) || inputs.size() > most_inputs)
        refuse("'inputs': expected 1 to " + std::to_string(most_inputs) + ", found " + std::to_string(inputs.size()));
    for (const Json& input : inputs) add_input(input, question, request);

    const KnownPack& pack = pack_of(request, text_in(job, "pack"), packs);
    request.pack = pack.folder.string();
    request.decode = text_in(job, "decode");
    if (!request.decode.empty() && std::find(pack.decodings.begin(), pack.decodings.end(), request.decode) == pack.decodings.end())
        refuse("'decode' " + base::in_quotes(request.decode) + ": for " + pack.manifest.modality + " there is " +
               (pack.decodings.empty() ? "no choice" : base::choice_of(request.decode, pack.decodings)));
    request.confidence = number_in(job, "confidence", 0, 0.999999, 0);
    if (request.confidence != 0 && request.confidence < 0.5) refuse("'confidence': expected a number from .5 to below 1");
    request.first = whole_in(job, "first", 1, 1e9, 1);
    request.answers = whole_in(job, "answers", 1, 20, 1);
    request.seed = static_cast<uint64_t>(whole_in(job, "seed", 0, 9007199254740991.0, 1));
    request.method = text_in(job, "method");
    const Json keep = job.value("keep", Json::array());
    if (!keep.is_array()) refuse("'keep': expected a list of words, found " + base::shown(keep));
    for (const Json& word : keep) {
        if (!word.is_string()) refuse("'keep': expected a list of words, found " + base::shown(word));
        request.keep.push_back(word.get<std::string>());
    }
    if (const auto frames = job.find("frames"); frames != job.end()) {
        if (!frames->is_boolean()) refuse("'frames': expected true or false, found " + base::shown(*frames));
        request.frames = frames->get<bool>();
    }
    return request;
}

Json to_json(const Input& input) {
    if (!is_image(input)) return input.content;
    return {{"image_base64", base::to_base64(input.content)}, {"name", std::filesystem::path(input.path).filename().string()}};
}

}  // namespace whynot::cli
