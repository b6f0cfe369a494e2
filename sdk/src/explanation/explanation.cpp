#include "whynot/explanation.h"

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "explanation/schema.h"

namespace whynot {
namespace {

const std::string record_name = "the explanation record";

// In the struct an empty text stands for what is null in the record.
base::Json text_or_null(const std::string& text) { return text.empty() ? base::Json() : base::Json(text); }
std::string text_from(const base::Json& value) { return value.is_null() ? std::string() : value.get<std::string>(); }

base::Json object_from(const std::string& text, const char* what) {
    return base::parse_json_object(text, ErrorCode::invalid_argument, record_name + ", " + what);
}

base::Json probabilities_json(const ClassProbabilities& probabilities) {
    base::Json json;
    for (const auto& [name, probability] : probabilities) {
        if (json.contains(name))
            throw Error(ErrorCode::invalid_argument, record_name + ": the class " + base::in_quotes(name) + " has two probabilities");
        json[name] = probability;
    }
    return json;
}

ClassProbabilities probabilities_from(const base::Json& json) {
    ClassProbabilities probabilities;
    for (const auto& [name, probability] : json.items()) probabilities.emplace_back(name, probability.get<double>());
    return probabilities;
}

}  // namespace

std::string to_json(const Explanation& explanation) {
    const auto& [name, version, sha256] = explanation.pack;
    const Explanation::Question& question = explanation.question;
    const Explanation::Solver& solver = explanation.solver;
    const Explanation::Cost& cost = explanation.cost;

    base::Json input = question.input;
    if (!question.input_sha256.empty()) input = {{"path", question.input}, {"sha256", question.input_sha256}};
    base::Json max_third;
    if (explanation.max_third) max_third = {{"class", explanation.max_third->name}, {"margin", explanation.max_third->margin}};
    base::Json distance;
    if (explanation.distance) {
        distance = {{"latent", explanation.distance->latent}};
        const base::Json distances = object_from(explanation.distance->modality, "the modality's distances");
        for (const auto& [key, value] : distances.items()) {
            if (key == "latent")
                throw Error(ErrorCode::invalid_argument, record_name + ": a modality's distance cannot be called 'latent'");
            distance[key] = value;
        }
    }

    base::Json json = {
        {"schema", Explanation::schema},
        {"id", explanation.id},
        {"question",
         {{"modality", question.modality}, {"input", input}, {"fact", text_or_null(question.fact)}, {"foil", text_or_null(question.foil)}}},
        {"pack", {{"id", name}, {"version", version}, {"sha256", sha256}}},
        {"solver",
         {{"method", solver.method},
          {"options", object_from(solver.options, "the solver's options")},
          {"seed", solver.seed},
          {"threads", solver.threads},
          {"device", solver.device}}},
        {"status", explanation.status},
        {"reason", text_or_null(explanation.reason)},
        {"gap", explanation.gap ? base::Json(*explanation.gap) : base::Json()},
        {"max_third", max_third},
        {"distance", distance},
        {"probabilities",
         {{"before", probabilities_json(explanation.probabilities.before)},
          {"boundary", probabilities_json(explanation.probabilities.boundary)},
          {"answer", probabilities_json(explanation.probabilities.answer)}}},
    };
    if (explanation.likeness) json["likeness"] = {{"strangeness", explanation.likeness->strangeness}};
    if (explanation.edge) json["edge"] = {{"class", explanation.edge->between}};
    if (explanation.answer) {
        const auto& [confidence, status, reason, latent] = *explanation.answer;
        json["answer"] = {{"confidence", confidence},
                          {"status", status},
                          {"reason", text_or_null(reason)},
                          {"latent", latent ? base::Json(*latent) : base::Json()}};
    }
    if (explanation.read_again)
        json["read_again"] = {{"boundary", explanation.read_again->boundary}, {"answer", explanation.read_again->answer}};
    if (!explanation.rendering.empty()) {
        if (json.contains(question.modality) || question.modality == "cost" || question.modality == "warnings")
            throw Error(ErrorCode::invalid_argument, record_name + ": a modality cannot be called " + base::in_quotes(question.modality));
        json[question.modality] = object_from(explanation.rendering, "the modality's part");
    }
    json["cost"] = {{"forward", cost.forward}, {"backward", cost.backward}};
    if (cost.seconds) {
        const auto& [load, start, solve, render] = *cost.seconds;
        json["cost"]["seconds"] = {{"load", load}, {"start", start}, {"solve", solve}, {"render", render}};
    }
    json["warnings"] = explanation.warnings;

    const std::string text = base::write_json(json, -1, ErrorCode::invalid_argument, record_name);
    if (const std::string violation = internal::schema_violation(text); !violation.empty())
        throw Error(ErrorCode::invalid_argument, "cannot write the explanation record: " + violation);
    return text;
}

Explanation explanation_from_json(std::string_view text) {
    const base::Json json = base::parse_json_object(text, ErrorCode::invalid_input, record_name);
    if (const std::string violation = internal::schema_violation(std::string(text)); !violation.empty())
        throw Error(ErrorCode::invalid_input, "cannot read the explanation record: " + violation);

    // From here on every member is there and of its type: the schema said so.
    Explanation explanation;
    explanation.id = json["id"];
    const base::Json& question = json["question"];
    explanation.question.modality = question["modality"];
    if (const base::Json& input = question["input"]; input.is_object()) {
        explanation.question.input = input["path"];
        explanation.question.input_sha256 = input["sha256"];
    } else {
        explanation.question.input = input;
    }
    explanation.question.fact = text_from(question["fact"]);
    explanation.question.foil = text_from(question["foil"]);
    const base::Json& pack = json["pack"];
    explanation.pack = {pack["id"], pack["version"], pack["sha256"]};
    const base::Json& solver = json["solver"];
    explanation.solver = {solver["method"], solver["options"].dump(), solver["seed"], solver["threads"], solver["device"]};
    explanation.status = json["status"];
    explanation.reason = text_from(json["reason"]);
    if (const base::Json& gap = json["gap"]; !gap.is_null()) explanation.gap = gap.get<double>();
    if (const base::Json& third = json["max_third"]; !third.is_null())
        explanation.max_third = Explanation::MaxThird{third["class"], third["margin"]};
    if (base::Json distance = json["distance"]; !distance.is_null()) {
        explanation.distance.emplace().latent = distance["latent"];
        distance.erase("latent");
        explanation.distance->modality = distance.dump();
    }
    const base::Json& probabilities = json["probabilities"];
    explanation.probabilities = {probabilities_from(probabilities["before"]), probabilities_from(probabilities["boundary"]),
                                 probabilities_from(probabilities["answer"])};
    if (const auto likeness = json.find("likeness"); likeness != json.end())
        explanation.likeness = Explanation::Likeness{(*likeness)["strangeness"]};
    if (const auto edge = json.find("edge"); edge != json.end()) explanation.edge = Explanation::Edge{(*edge)["class"]};
    if (const auto answer = json.find("answer"); answer != json.end()) {
        explanation.answer = Explanation::Beyond{(*answer)["confidence"], (*answer)["status"], text_from((*answer)["reason"]), {}};
        if (const base::Json& latent = (*answer)["latent"]; !latent.is_null()) explanation.answer->distance = latent.get<double>();
    }
    if (const auto again = json.find("read_again"); again != json.end())
        explanation.read_again = Explanation::ReadAgain{(*again)["boundary"], (*again)["answer"]};
    if (const auto rendering = json.find(explanation.question.modality); rendering != json.end()) explanation.rendering = rendering->dump();
    const base::Json& cost = json["cost"];
    explanation.cost = {cost["forward"], cost["backward"], std::nullopt};
    if (const auto seconds = cost.find("seconds"); seconds != cost.end())
        explanation.cost.seconds = {(*seconds)["load"], (*seconds)["start"], (*seconds)["solve"], (*seconds)["render"]};
    explanation.warnings = json["warnings"].get<std::vector<std::string>>();
    return explanation;
}

std::string question_id(std::string_view modality, std::string_view input, std::string_view fact, std::string_view foil,
                        std::string_view pack_sha256) {
    base::Sha256 hash;
    // Each part after its length, so that no two questions run together into the same bytes.
    for (std::string_view part : {modality, input, fact, foil, pack_sha256}) {
        hash.update(std::to_string(part.size()) + ":");
        hash.update(part);
    }
    return hash.hex().substr(0, 16);
}

}  // namespace whynot
