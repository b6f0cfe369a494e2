// What the documents say of themselves and of each other: examples are valid, links lead somewhere, the README is short.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temporary_folder.h"

namespace {

using whynot::test::Process;
using Json = nlohmann::ordered_json;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

const fs::path root = WHYNOT_SOURCES;

std::vector<std::string> lines_of(const fs::path& file) {
    std::istringstream text(contents(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

/// The blocks of a page that are marked as one language.
std::vector<std::string> blocks(const fs::path& page, const std::string& language) {
    std::vector<std::string> found;
    bool inside = false;
    for (const std::string& line : lines_of(page)) {
        if (line == "```" + language) {
            found.emplace_back();
            inside = true;
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            found.back() += line + '\n';
        }
    }
    return found;
}

/// All pages of Markdown of the source tree.
std::vector<fs::path> pages() {
    std::vector<fs::path> found;
    for (fs::recursive_directory_iterator entry(root), end; entry != end; ++entry) {
        const std::string name = entry->path().filename().string();
        const bool foreign = name == "build" || name.rfind("build-", 0) == 0 || name == ".git";
        if (entry->is_directory() && foreign) entry.disable_recursion_pending();
        if (entry->path().extension() == ".md") found.push_back(entry->path());
    }
    return found;
}

class Schema {
public:
    explicit Schema(const char* name) : text_(contents(root / "sdk/schema" / name)) {
        rapidjson::Document document;
        document.Parse(text_.data(), text_.size());
        EXPECT_FALSE(document.HasParseError()) << name;
        schema_ = std::make_unique<rapidjson::SchemaDocument>(document);
    }

    /// Empty where the document is valid, else where it is not and why.
    std::string violation(const std::string& json) const {
        rapidjson::Document document;
        document.Parse(json.data(), json.size());
        if (document.HasParseError()) return "not JSON, at byte " + std::to_string(document.GetErrorOffset());
        rapidjson::SchemaValidator validator(*schema_);
        if (document.Accept(validator)) return "";
        rapidjson::StringBuffer place;
        validator.GetInvalidDocumentPointer().Stringify(place);
        return std::string(place.GetString()) + " breaks the rule '" + validator.GetInvalidSchemaKeyword() + '\'';
    }

    /// The names of all fields that the schema knows by name.
    std::set<std::string> fields() const {
        std::set<std::string> names;
        const std::function<void(const Json&)> collect = [&](const Json& node) {
            if (!node.is_structured()) return;
            const auto properties = node.is_object() ? node.find("properties") : node.end();
            if (properties != node.end())
                for (const auto& property : properties->items()) names.insert(property.key());
            for (const Json& child : node) collect(child);
        };
        collect(Json::parse(text_));
        return names;
    }

private:
    std::string text_;
    std::unique_ptr<rapidjson::SchemaDocument> schema_;
};

/// Every JSON block of the page is valid; and the validator refuses a block as soon as one of its required fields is missing.
void expect_valid_blocks(const char* page, const Schema& schema, size_t at_least) {
    const std::vector<std::string> found = blocks(root / page, "json");
    ASSERT_GE(found.size(), at_least) << page;
    for (const std::string& block : found) {
        EXPECT_EQ(schema.violation(block), "") << page << '\n' << block;
        Json spoilt = Json::parse(block);
        spoilt.erase("id");
        EXPECT_NE(schema.violation(spoilt.dump()), "") << page;
    }
}

/// Each field of the schema stands in backticks somewhere on the page, alone or in a path such as `plugin.id`.
void expect_fields_explained(const char* page, const Schema& schema) {
    const std::string text = contents(root / page);
    std::set<std::string> explained;
    const std::regex quoted("`([^`\n]+)`"), word("[A-Za-z0-9_]+");
    for (std::sregex_iterator quote(text.begin(), text.end(), quoted), end; quote != end; ++quote) {
        const std::string token = (*quote)[1];
        for (std::sregex_iterator part(token.begin(), token.end(), word); part != end; ++part) explained.insert(part->str());
    }
    for (const std::string& field : schema.fields()) EXPECT_TRUE(explained.count(field)) << page << " does not explain '" << field << '\'';
}

TEST(Documents, RecordsOfThePageAreValid) {
    const Schema schema("explanation-1.schema.json");
    expect_valid_blocks("docs/record.md", schema, 3);
    expect_fields_explained("docs/record.md", schema);
}

TEST(Documents, ManifestsOfThePageAreValid) {
    const Schema schema("pack-1.schema.json");
    expect_valid_blocks("docs/packs.md", schema, 1);
    expect_fields_explained("docs/packs.md", schema);
}

TEST(Documents, ShippedPacksAreValid) {
    const Schema schema("pack-1.schema.json");
    size_t packs = 0;
    for (const char* plugin : {"text", "image"})
        for (const fs::directory_entry& pack : fs::directory_iterator(root / "plugins" / plugin / "packs")) {
            EXPECT_EQ(schema.violation(contents(pack.path() / "pack.json")), "") << pack.path();
            ++packs;
        }
    EXPECT_GE(packs, 4u);
    EXPECT_EQ(schema.violation(contents(WHYNOT_ROWS_OF_FOUR_PACK "/pack.json")), "");
}

TEST(Documents, TheManifestOfThePageIsThatOfTheTemplate) {
    const TemporaryFolder folder;
    Process make(WHYNOT_TEMPLATE_MAKE_PACK, {(folder / "pack").string()});
    make.finish();
    ASSERT_EQ(make.code, 0) << make.err;
    std::string made = contents(folder / "pack/pack.json");
    EXPECT_EQ(Schema("pack-1.schema.json").violation(made), "");
    const std::string name = "whynot_template";  // `whynot plugins new mine` replaces it
    for (size_t at; (at = made.find(name)) != std::string::npos;) made.replace(at, name.size(), "mine");
    EXPECT_EQ(blocks(root / "docs/packs.md", "json").at(0), made);
}

TEST(Documents, TheReadmeIsShortAndItsProgramIsTheExample) {
    EXPECT_LE(lines_of(root / "README.md").size(), 200u);
    const std::vector<std::string> programs = blocks(root / "README.md", "cpp");
    ASSERT_EQ(programs.size(), 1u);
    const std::string example = contents(root / "sdk/examples/explain_sentence.cpp");
    EXPECT_EQ(example.substr(example.find("#include")), programs[0]);
}

/// The anchor that a forge makes of a heading: lower case, spaces as -, no punctuation.
std::string anchor_of(const std::string& heading) {
    std::string anchor;
    for (const char letter : heading) {
        const auto byte = static_cast<unsigned char>(letter);
        if (std::isalnum(byte) || letter == '-' || letter == '_' || byte >= 0x80) anchor += static_cast<char>(std::tolower(byte));
        if (letter == ' ') anchor += '-';
    }
    return anchor;
}

std::set<std::string> anchors(const fs::path& page) {
    std::set<std::string> found;
    bool code = false;
    for (const std::string& line : lines_of(page)) {
        if (line.rfind("```", 0) == 0) code = !code;
        const size_t text = line.find_first_not_of('#');
        if (!code && text != std::string::npos && text > 0 && line[text] == ' ') found.insert(anchor_of(line.substr(text + 1)));
    }
    return found;
}

TEST(Documents, NoLinkIsDead) {
    const std::regex link(R"(\]\(([^)\s]+)\))");
    std::vector<std::string> dead;
    size_t links = 0;
    for (const fs::path& page : pages()) {
        bool code = false;
        for (const std::string& line : lines_of(page)) {
            if (line.rfind("```", 0) == 0) code = !code;
            if (code) continue;
            for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
                const std::string target = (*match)[1];
                if (target.find("://") != std::string::npos || target.rfind("mailto:", 0) == 0) continue;
                ++links;
                const size_t hash = target.find('#');
                const fs::path file = hash == 0 ? page : page.parent_path() / target.substr(0, hash);
                const bool there = fs::exists(file) && (hash == std::string::npos || anchors(file).count(target.substr(hash + 1)));
                if (!there) dead.push_back(page.lexically_relative(root).string() + ": " + target);
            }
        }
    }
    EXPECT_THAT(dead, IsEmpty());
    EXPECT_GE(links, 50u);
}

}  // namespace
