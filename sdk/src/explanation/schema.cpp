#include "explanation/schema.h"

#include <rapidjson/document.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <mutex>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "whynot/explanation.h"

namespace whynot {
namespace {

constexpr std::string_view schema_text =
#include "explanation_schema.inc"
    ;

// Built once. RapidJSON changes it while it validates, its regular expressions keep their states in it: one validation at a time.
const rapidjson::SchemaDocument& compiled_schema() {
    static const rapidjson::SchemaDocument schema([] {
        rapidjson::Document document;
        document.Parse(schema_text.data(), schema_text.size());
        if (document.HasParseError()) throw Error(ErrorCode::internal, "the schema of the explanation record is not valid JSON");
        return document;
    }());
    return schema;
}

std::string text_of(const rapidjson::Pointer& pointer) {
    rapidjson::StringBuffer buffer;
    pointer.Stringify(buffer);
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

std::string_view explanation_schema() noexcept { return schema_text; }

std::string internal::schema_violation(const std::string& json) {
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    rapidjson::SchemaValidator validator(compiled_schema());
    rapidjson::Reader reader;
    rapidjson::StringStream stream(json.c_str());
    // Not with full precision, which the schema's rules do not need: RapidJSON then counts the leading zeros of the number 0 in "0e-400".
    reader.Parse<rapidjson::kParseIterativeFlag>(stream, validator);
    if (validator.IsValid()) return {};
    const std::string place = text_of(validator.GetInvalidDocumentPointer());
    const std::string rule = text_of(validator.GetInvalidSchemaPointer());
    const base::Json broken = base::parse_own_json(schema_text).value(base::Json::json_pointer(rule), base::Json::object());
    return (place.empty() ? "the record" : base::in_quotes(place)) + " breaks the rule '" + validator.GetInvalidSchemaKeyword() + "' of " +
           Explanation::schema + (broken.contains("description") ? " (" + broken["description"].get<std::string>() + ")" : "");
}

}  // namespace whynot
