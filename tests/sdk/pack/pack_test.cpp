#include "whynot/pack.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "support/temporary_folder.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/tensor_file.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

PackManifest some_manifest(const std::string& id = "tiny") {
    PackManifest manifest;
    manifest.id = id;
    manifest.version = "2";
    manifest.description = "For tests, with an ümlaut and a \"quote\"";
    manifest.modality = "text";
    manifest.plugin_id = "text";
    manifest.plugin_version = "0.1.0";
    manifest.classes = {"negative", "positive"};
    manifest.emits = Emits::log_probabilities;
    manifest.network = R"({"latent":128,"kinds":["embedding-sum"]})";
    manifest.input = R"({"pieces":"word"})";
    manifest.recipe = R"({"epochs":3,"rate":0.002})";
    manifest.seed = 18446744073709551615u;
    manifest.corpus = "sample";
    manifest.corpus_sha256 = base::sha256_hex("sample");
    manifest.quality = R"({"accuracy":{"value":0.955,"n":1000}})";
    manifest.licence = "ours";
    return manifest;
}

Pack write_pack(const fs::path& directory, const std::string& id = "tiny") {
    PackWriter writer(directory);
    writer.add("weights.bin", "some weights");
    writer.add("words/list.txt", "good\nbad\n");
    return writer.finish(some_manifest(id));
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

// A pack whose manifest goes through an edit; the message with which it is then refused.
class EditedPack {
public:
    EditedPack() {
        write_pack(folder_ / "p");
        good_ = contents(folder_ / "p/pack.json");
    }

    template <class Edit>
    std::string operator()(Edit&& edit) const {
        nlohmann::ordered_json manifest = nlohmann::ordered_json::parse(good_);
        edit(manifest);
        put(folder_ / "p/pack.json", manifest.dump());
        return message_of(ErrorCode::bad_pack, [&] { open_pack(folder_ / "p"); });
    }

private:
    TemporaryFolder folder_;
    std::string good_;
};

}  // namespace

// ---- packs ---------------------------------------------------------------------------------------------------------------------

TEST(Packs, RoundTrip) {
    TemporaryFolder folder;
    const Pack written = write_pack(folder / "a/b/p");
    const Pack read = open_pack(folder / "a/b/p/");
    EXPECT_EQ(read.directory(), folder / "a/b/p");
    EXPECT_EQ(written.directory(), read.directory());
    EXPECT_EQ(read.sha256(), base::sha256_hex(contents(folder / "a/b/p/pack.json")));
    EXPECT_EQ(written.sha256(), read.sha256());
    EXPECT_TRUE(read.has("words/list.txt"));
    EXPECT_FALSE(read.has("pack.json"));
    EXPECT_EQ(contents(read.file("words/list.txt")), "good\nbad\n");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { read.file("other"); }), HasSubstr("no file 'other'"));

    const PackManifest expected = some_manifest();
    const PackManifest& manifest = read.manifest();
    EXPECT_EQ(manifest.id, expected.id);
    EXPECT_EQ(manifest.description, expected.description);
    EXPECT_EQ(manifest.classes, expected.classes);
    EXPECT_EQ(manifest.emits, expected.emits);
    EXPECT_EQ(manifest.network, expected.network);
    EXPECT_EQ(manifest.recipe, expected.recipe);
    EXPECT_EQ(manifest.seed, expected.seed);
    EXPECT_EQ(manifest.corpus_sha256, expected.corpus_sha256);
    ASSERT_EQ(manifest.files.size(), 2u);
    EXPECT_EQ(manifest.files[0].name, "weights.bin");
    EXPECT_EQ(manifest.files[0].size, 12u);
    EXPECT_EQ(manifest.files[0].sha256, base::sha256_hex("some weights"));
    EXPECT_EQ(to_json(manifest), contents(folder / "a/b/p/pack.json"));
    EXPECT_EQ(to_json(manifest_from_json(to_json(manifest), "m")), to_json(manifest));
}

TEST(Packs, SameContentSameHash) {
    TemporaryFolder folder;
    EXPECT_EQ(write_pack(folder / "p").sha256(), write_pack(folder / "q").sha256());
}

TEST(Packs, EveryAlteredByteIsFound) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    const fs::path file = folder / "p/weights.bin";
    const std::string good = contents(file);
    for (size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] ^= 1;
        put(file, bad);
        EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }),
                    AllOf(HasSubstr("'weights.bin' is altered"), HasSubstr(base::sha256_hex(good)), HasSubstr(base::sha256_hex(bad))));
    }
    put(file, good.substr(1));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("should have 12 bytes and has 11"));
    fs::remove(file);
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }),
                AllOf(HasSubstr("'weights.bin'"), HasSubstr("cannot be found")));
    fs::create_directory(file);
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("not a regular file"));
    fs::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);  // must not wait for a writer
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("not a regular file"));
    fs::remove(file);
    put(file, good);
    EXPECT_NO_THROW(open_pack(folder / "p"));
}

TEST(Packs, SymbolicLinksMayNotLeaveTheFolder) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    fs::rename(folder / "p/weights.bin", folder / "outside");
    fs::create_symlink("../outside", folder / "p/weights.bin");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("leads out of the pack's folder"));
    fs::remove(folder / "p/weights.bin");
    fs::rename(folder / "outside", folder / "p/inside");
    fs::create_symlink("inside", folder / "p/weights.bin");
    EXPECT_NO_THROW(open_pack(folder / "p"));
    // A neighbour whose name begins like the pack's is outside too.
    fs::rename(folder / "p/words", folder / "p-words");
    fs::create_symlink("../p-words", folder / "p/words");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("leads out of the pack's folder"));
    // The pack itself may be reached through a link.
    fs::remove(folder / "p/words");
    fs::rename(folder / "p-words", folder / "p/words");
    fs::create_directory_symlink("p", folder / "link");
    EXPECT_EQ(open_pack(folder / "link").directory(), folder / "p");
}

TEST(Packs, TheManifestIsAFileOfItsFolder) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    fs::rename(folder / "p/pack.json", folder / "outside.json");
    fs::create_symlink("../outside.json", folder / "p/pack.json");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "p"); }), HasSubstr("leads out of the pack's folder"));
}

TEST(Packs, WhatWasVerifiedIsWhatIsUsed) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    const Pack pack = open_pack(folder / "p");
    EXPECT_NO_THROW(pack.expect_unchanged());
    put(folder / "p/weights.bin", "SOME WEIGHTS");  // as many bytes
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { pack.expect_unchanged(); }), HasSubstr("was changed while it was being opened"));
    const Pack again = write_pack(folder / "q");
    put(folder / "other", "some weights");
    fs::rename(folder / "other", folder / "q/weights.bin");  // the same bytes, another file
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { again.expect_unchanged(); }), HasSubstr("'weights.bin'"));
}

TEST(Packs, WhatIsNoPack) {
    TemporaryFolder folder;
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { open_pack(folder / "none"); }), HasSubstr("No such file"));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { open_pack(folder.path()); }), HasSubstr("there is no pack.json"));
    put(folder / "file", "x");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder / "file"); }), HasSubstr("expected a folder"));
    put(folder / "pack.json", std::string(2 << 20, ' '));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder.path()); }), HasSubstr("at most 1048576"));
    put(folder / "pack.json", std::string(1 << 20, '['));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder.path()); }), HasSubstr("nested deeper"));
    put(folder / "pack.json", "[]");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { open_pack(folder.path()); }), HasSubstr("expected a JSON object, found an array"));
    fs::remove(folder / "pack.json");
    ASSERT_EQ(mkfifo((folder / "pack.json").c_str(), 0600), 0);
    EXPECT_THAT(message_of(ErrorCode::io, [&] { open_pack(folder.path()); }), HasSubstr("expected a regular file"));
}

TEST(Packs, EveryRefusalOfAManifestNamesItsReason) {
    using J = nlohmann::ordered_json;
    const EditedPack refusal;
    EXPECT_THAT(refusal([](J& m) { m["format"] = 2; }), HasSubstr("expected pack format 1, found 2"));
    EXPECT_THAT(refusal([](J& m) { m["format"] = "1"; }), HasSubstr("expected pack format 1, found '1'"));
    EXPECT_THAT(refusal([](J& m) { m.erase("format"); }), HasSubstr("'format' is missing"));
    EXPECT_THAT(refusal([](J& m) { m["id"] = "../evil"; }), AllOf(HasSubstr("the id must be"), HasSubstr("'../evil'")));
    EXPECT_THAT(refusal([](J& m) { m["id"] = ""; }), HasSubstr("the id must be"));
    EXPECT_THAT(refusal([](J& m) { m["id"] = 7; }), HasSubstr("expected 'id' to be a text, found 7"));
    EXPECT_THAT(refusal([](J& m) { m["modality"] = "Text"; }), HasSubstr("the modality must be"));
    EXPECT_THAT(refusal([](J& m) { m["plugin"] = "text"; }), HasSubstr("expected 'plugin' to be an object, found 'text'"));
    EXPECT_THAT(refusal([](J& m) { m["plugin"].erase("id"); }), HasSubstr("'plugin.id' is missing"));
    EXPECT_THAT(refusal([](J& m) { m["classes"] = {"one"}; }), HasSubstr("at least two classes, found 1"));
    EXPECT_THAT(refusal([](J& m) { m["classes"] = {"one", "one"}; }), HasSubstr("two classes have the name 'one'"));
    EXPECT_THAT(refusal([](J& m) { m["classes"] = {"one", "\x1b[2J"}; }), AllOf(HasSubstr("printable"), HasSubstr("\\u001b[2J")));
    EXPECT_THAT(refusal([](J& m) { m["classes"] = {"one", 2}; }), HasSubstr("'classes' must hold texts, found 2"));
    EXPECT_THAT(refusal([](J& m) { m["emits"] = "scores"; }), HasSubstr("found 'scores'"));
    EXPECT_THAT(refusal([](J& m) { m["network"] = 3; }), HasSubstr("expected 'network' to be an object, found 3"));
    EXPECT_THAT(refusal([](J& m) { m["seed"] = -1; }), HasSubstr("expected 'seed' to be a whole number"));
    EXPECT_THAT(refusal([](J& m) { m["seed"] = 1.5; }), HasSubstr("expected 'seed' to be a whole number"));
    EXPECT_THAT(refusal([](J& m) { m["corpus"]["sha256"] = "abc"; }), HasSubstr("SHA-256 of the corpus"));
    EXPECT_THAT(refusal([](J& m) { m["surprise"] = 1; }), HasSubstr("'surprise' is not known here"));
    EXPECT_THAT(refusal([](J& m) { m["files"] = J::array(); }), HasSubstr("at least one file"));
    EXPECT_THAT(refusal([](J& m) { m["files"] = "all"; }), HasSubstr("expected 'files' to be an array"));
    EXPECT_THAT(refusal([](J& m) { m["files"][0]["sha256"] = "ABC"; }), HasSubstr("SHA-256 of 'weights.bin'"));
    EXPECT_THAT(refusal([](J& m) { m["files"][0]["size"] = 13; }), HasSubstr("should have 13 bytes and has 12"));
    EXPECT_THAT(refusal([](J& m) { m["files"][0]["size"] = 18446744073709551615u; }), HasSubstr("more than 16 GiB"));
    EXPECT_THAT(refusal([](J& m) { m["files"].push_back(m["files"][0]); }), HasSubstr("'weights.bin' twice"));
    EXPECT_THAT(refusal([](J& m) { m["files"] = J(J::array_t(1001, m["files"][0])); }), HasSubstr("names 1001 files"));
    for (const char* name : {"/etc/passwd", "../x", "a/../../x", "./a", "a//b", "a/", "", "a\\b", "..", "pack.json", "a\nb"})
        EXPECT_THAT(refusal([&](J& m) { m["files"][0]["name"] = name; }), HasSubstr("names the file")) << name;
}

/// The manifest of a pack with one edit, as `pack.json`.
std::string edited(const std::function<void(nlohmann::ordered_json&)>& edit) {
    PackManifest manifest = some_manifest();
    manifest.files = {{"weights.bin", 12, base::sha256_hex("some weights")}};
    auto json = nlohmann::ordered_json::parse(to_json(manifest));
    edit(json);
    return json.dump();
}

bool is_read(const std::string& json) {
    try {
        manifest_from_json(json, "pack.json");
        return true;
    } catch (const Error&) {
        return false;
    }
}

TEST(Packs, WhatIsEmptyMayBeAbsent) {
    const PackManifest read =
        manifest_from_json(edited([](auto& json) {
                               for (const char* key : {"description", "network", "input", "recipe", "seed", "corpus", "quality", "licence"})
                                   json.erase(key);
                               json["plugin"].erase("version");
                           }),
                           "pack.json");
    EXPECT_EQ(read.description + read.plugin_version + read.corpus + read.corpus_sha256 + read.licence, "");
    for (const std::string& object : {read.network, read.input, read.recipe, read.quality}) EXPECT_EQ(object, "{}");
    EXPECT_EQ(read.seed, 0u);
    EXPECT_EQ(read.id, "tiny");
    EXPECT_EQ(to_json(manifest_from_json(to_json(read), "pack.json")), to_json(read));
}

/// The JSON Schema of `pack.json` and the reader are two descriptions of one format.
TEST(Packs, TheSchemaAllowsWhatIsRead) {
    rapidjson::Document schema_text;
    ASSERT_FALSE(schema_text.Parse(contents(WHYNOT_PACK_SCHEMA).c_str()).HasParseError());
    const rapidjson::SchemaDocument schema(schema_text);
    const auto is_allowed = [&](const std::string& json) {
        rapidjson::Document document;
        EXPECT_FALSE(document.Parse(json.c_str()).HasParseError()) << json;
        rapidjson::SchemaValidator validator(schema);
        return document.Accept(validator);
    };
    using J = nlohmann::ordered_json;
    const auto expect_agreement = [&](const std::string& what, const std::function<void(J&)>& edit) {
        const std::string json = edited(edit);
        EXPECT_EQ(is_allowed(json), is_read(json)) << what << ": " << json;
    };
    EXPECT_TRUE(is_allowed(edited([](J&) {})));
    for (const auto& entry : fs::directory_iterator(WHYNOT_BUILT_PACKS))
        EXPECT_TRUE(is_allowed(contents(entry.path() / "pack.json"))) << entry.path();

    const J whole = J::parse(edited([](J&) {}));
    for (const auto& [key, value] : whole.items()) {
        expect_agreement(key + " absent", [&, k = key](J& json) { json.erase(k); });
        for (const J& other : {J(), J(1), J(1.5), J("x"), J(""), J::array(), J::object()})
            expect_agreement(key + " of another type", [&, k = key](J& json) { json[k] = other; });
        if (!value.is_object()) continue;
        for (const auto& [inner, of_inner] : value.items())
            expect_agreement(key + "." + inner + " absent", [&, k = key, i = inner](J& json) { json[k].erase(i); });
    }
    for (const char* key : {"name", "size", "sha256"})
        expect_agreement(std::string("files.") + key, [&](J& json) { json["files"][0].erase(key); });
    for (const char* name :
         {"a", "a/b", "a.b", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/./b", "a/../b", "a/..", "a\\b", "pack.json", "..a", "a..b"})
        expect_agreement(name, [&](J& json) { json["files"][0]["name"] = name; });
    expect_agreement("one class", [](J& json) { json["classes"] = {"one"}; });
    expect_agreement("a class twice", [](J& json) { json["classes"] = {"one", "one"}; });
    expect_agreement("a class without a name", [](J& json) { json["classes"] = {"one", ""}; });
    expect_agreement("another key", [](J& json) { json["surprise"] = 1; });
    expect_agreement("another key in plugin", [](J& json) { json["plugin"]["surprise"] = 1; });
    expect_agreement("another format", [](J& json) { json["format"] = 2; });
    expect_agreement("capitals", [](J& json) { json["id"] = "Tiny"; });
    expect_agreement("an id of 65 letters", [](J& json) { json["id"] = std::string(65, 'a'); });
    expect_agreement("an unknown way to emit", [](J& json) { json["emits"] = "scores"; });
}

TEST(Packs, WhatThisRoomLeavesToOthers) {
    TemporaryFolder folder;
    PackManifest manifest = some_manifest();
    manifest.modality = "smell";                    // whether a plugin knows it is the host's matter
    manifest.corpus = manifest.corpus_sha256 = "";  // a model brought along
    PackWriter writer(folder / "p");
    writer.add("weights.bin", "x");
    writer.finish(manifest);
    put(folder / "p/README", "not in the manifest, not looked at");
    EXPECT_EQ(open_pack(folder / "p").manifest().modality, "smell");
    EXPECT_EQ(open_pack(folder / "p").manifest().corpus, "");
}

TEST(Packs, ManglingTheManifestNeverCrashes) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    const std::string good = contents(folder / "p/pack.json");
    std::mt19937 random(7);
    for (int round = 0; round < 1500; ++round) {
        std::string bad = good;
        for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
            const size_t at = random() % bad.size();
            switch (random() % 3) {
                case 0: bad[at] = static_cast<char>(random()); break;
                case 1: bad.erase(at, 1 + random() % 9); break;
                default: bad.insert(at, bad.substr(random() % bad.size(), random() % 30)); break;
            }
            if (bad.empty()) bad = " ";
        }
        try {
            to_json(manifest_from_json(bad, "m"));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::bad_pack);
            EXPECT_TRUE(base::is_utf8(error.what())) << base::escape_controls(error.what());
        }
    }
}

// ---- writing packs -------------------------------------------------------------------------------------------------------------

TEST(PackWriting, NothingIsLeftUnlessFinished) {
    TemporaryFolder folder;
    {
        PackWriter writer(folder / "p");
        writer.add("weights.bin", "x");
        EXPECT_FALSE(fs::exists(folder / "p"));
    }
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
    for (const auto& spoil :
         std::vector<void (*)(PackManifest&)>{[](PackManifest& m) { m.id = "Not An Id"; }, [](PackManifest& m) { m.classes.resize(1); },
                                              [](PackManifest& m) { m.network = "{"; }, [](PackManifest& m) { m.quality = "[]"; }}) {
        PackWriter writer(folder / "p");
        writer.add("weights.bin", "x");
        PackManifest manifest = some_manifest();
        spoil(manifest);
        message_of(ErrorCode::bad_pack, [&] { writer.finish(manifest); });
    }
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
    PackManifest garbled = some_manifest();
    garbled.description = "\xff";
    PackWriter writer(folder / "p");
    writer.add("weights.bin", "x");
    EXPECT_THAT(message_of(ErrorCode::invalid_input, [&] { writer.finish(garbled); }), HasSubstr("/description is not UTF-8"));
    EXPECT_FALSE(fs::exists(folder / "p"));
}

TEST(PackWriting, LeavesNothingBesideBeforeTheFirstFile) {
    TemporaryFolder folder;
    PackWriter writer(folder / "p");
    EXPECT_THAT(names_in(folder.path()), testing::IsEmpty()) << "a training that is killed has written no pack yet";
    writer.add("a", "b");
    EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

TEST(PackWriting, RefusesFoldersThatHoldSomething) {
    TemporaryFolder folder;
    fs::create_directory(folder / "p");
    EXPECT_NO_THROW(write_pack(folder / "p"));  // empty
    EXPECT_THAT(message_of(ErrorCode::io, [&] { PackWriter writer(folder / "p"); }), HasSubstr("not empty"));
    put(folder / "file", "x");
    EXPECT_THAT(message_of(ErrorCode::io, [&] { PackWriter writer(folder / "file"); }), HasSubstr("there is a file of that name"));
    message_of(ErrorCode::invalid_argument, [&] { PackWriter writer(""); });
    EXPECT_THAT(names_in(folder.path()), ElementsAre("file", "p"));
}

TEST(PackWriting, ATrainingsCheckpointsGiveWay) {
    TemporaryFolder folder;
    fs::create_directory(folder / "p");
    put(folder / "p/checkpoint", "half a network");
    put(folder / "p/notes", "mine");
    EXPECT_THAT(message_of(ErrorCode::io, [&] { PackWriter writer(folder / "p", {"checkpoint"}); }), HasSubstr("'notes'"));
    fs::remove(folder / "p/notes");
    {
        PackWriter unfinished(folder / "p", {"checkpoint"});
        unfinished.add("weights.bin", "x");
    }
    EXPECT_EQ(contents(folder / "p/checkpoint"), "half a network");
    PackWriter writer(folder / "p", {"checkpoint"});
    writer.add("weights.bin", "x");
    EXPECT_EQ(writer.finish(some_manifest()).directory(), folder / "p");
    EXPECT_THAT(names_in(folder / "p"), ElementsAre("pack.json", "weights.bin"));
    EXPECT_THAT(names_in(folder.path()), ElementsAre("p"));
}

TEST(PackWriting, Misuse) {
    TemporaryFolder folder;
    PackWriter writer(folder / "p/");
    for (const char* name : {"/abs", "../up", "pack.json", "", "a/./b"})
        EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { writer.add(name, "x"); }), HasSubstr("cannot be a file of a pack"));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { writer.finish(some_manifest()); }), HasSubstr("at least one file"));
    writer.add("a", "x");
    fs::create_symlink("/etc/passwd", writer.path("b"));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { writer.finish(some_manifest()); }), HasSubstr("'b'"));
    fs::remove(writer.path("b"));
    writer.finish(some_manifest());
    message_of(ErrorCode::invalid_argument, [&] { writer.finish(some_manifest()); });
    message_of(ErrorCode::invalid_argument, [&] { writer.add("late", "x"); });
}

// ---- search --------------------------------------------------------------------------------------------------------------------

TEST(PackSearching, FirstIdWinsAndTheRestSaysWhy) {
    TemporaryFolder folder;
    write_pack(folder / "one/yelp", "yelp");
    write_pack(folder / "two/other-name", "yelp");
    write_pack(folder / "two/mnist", "mnist");
    fs::create_directories(folder / "two/broken");
    put(folder / "two/broken/pack.json", "{");
    fs::create_directories(folder / "two/no-pack");
    put(folder / "two/file", "x");
    PackWriter growing(folder / "two/growing");
    const PackSearch search{{folder / "none", folder / "one", folder / "two", folder / "one"}};

    const std::vector<PackEntry> packs = list_packs(search);
    ASSERT_EQ(packs.size(), 4u);
    EXPECT_EQ(packs[0].directory, folder / "one/yelp");
    EXPECT_EQ(packs[0].rejected, "");
    EXPECT_EQ(packs[1].directory, folder / "two/broken");
    EXPECT_THAT(packs[1].rejected, HasSubstr("not valid JSON"));
    EXPECT_EQ(packs[2].manifest.id, "mnist");
    EXPECT_THAT(packs[3].rejected, AllOf(HasSubstr("hidden by"), HasSubstr("one/yelp")));

    EXPECT_EQ(find_pack("yelp", search).directory(), folder / "one/yelp");
    EXPECT_EQ(find_pack("mnist", search).directory(), folder / "two/mnist");
    EXPECT_EQ(find_pack((folder / "two/other-name").string(), search).directory(), folder / "two/other-name");
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_pack("cifar", search); }),
                AllOf(HasSubstr("no pack 'cifar'"), HasSubstr((folder / "two").string()), HasSubstr("mnist, yelp")));
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { find_pack("broken", search); }), HasSubstr("not valid JSON"));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_pack((folder / "three").string(), search); }), HasSubstr("three"));
    EXPECT_THAT(message_of(ErrorCode::not_found, [&] { find_pack("yelp", {{folder / "none"}}); }), HasSubstr("no packs at all"));
    message_of(ErrorCode::invalid_argument, [&] { find_pack("", search); });
}

TEST(PackSearching, ListingReadsManifestsOnly) {
    TemporaryFolder folder;
    write_pack(folder / "p");
    fs::remove(folder / "p/weights.bin");
    const PackSearch search{{folder.path()}};
    EXPECT_EQ(list_packs(search).at(0).rejected, "");
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { find_pack("tiny", search); }), HasSubstr("weights.bin"));
}

TEST(PackSearching, DefaultPlaces) {
    setenv("WHYNOT_PACK_PATH", "/first::/second", 1);
    const std::vector<fs::path> folders = default_pack_search({"/explicit"}).folders;
    unsetenv("WHYNOT_PACK_PATH");
    ASSERT_EQ(folders.size(), 4u);
    EXPECT_EQ(folders[0], "/explicit");
    EXPECT_EQ(folders[1], "/first");
    EXPECT_EQ(folders[2], "/second");
    EXPECT_TRUE(folders[3].is_absolute());
    EXPECT_THAT(folders[3].string(), testing::EndsWith("/share/whynot/packs"));
    EXPECT_EQ(default_pack_search().folders.size(), 1u);
}

// ---- tensor files --------------------------------------------------------------------------------------------------------------

namespace {

struct Tensors {
    std::vector<float> floats = {1.5f, -2, 3, 4, 5, 6};
    std::vector<uint16_t> halves = {0x3c00, 0xc000, 0x0001};
    std::vector<int64_t> integers = {-7};

    std::vector<TensorView> views() const {
        return {{"half", Dtype::f16, {3, 1}, halves.data(), 6},
                {"float/ü", Dtype::f32, {2, 3}, floats.data(), 24},
                {"none", Dtype::f32, {0, 5}, nullptr, 0},
                {"step", Dtype::i64, {}, integers.data(), 8}};
    }
};

// A tensor file from its parts.
std::string tensor_bytes(const std::string& header, const std::string& data, std::optional<uint64_t> length = {}) {
    const uint64_t n = length.value_or(header.size());
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i));
    return bytes + header + data;
}

std::string tensor_refusal(const std::string& bytes) {
    TemporaryFolder folder;
    put(folder / "t", bytes);
    return message_of(ErrorCode::bad_pack, [&] { TensorFile file(folder / "t"); });
}

// What a consumer would do: touch every byte of every tensor.
unsigned touch(const TensorFile& file) {
    unsigned sum = 0;
    for (const TensorView& tensor : file.tensors()) {
        uint64_t bytes = size_of(tensor.dtype);
        for (int64_t size : tensor.shape) bytes *= static_cast<uint64_t>(size);
        EXPECT_EQ(bytes, tensor.bytes);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % size_of(tensor.dtype), 0u);
        for (size_t i = 0; i < tensor.bytes; ++i) sum += static_cast<const unsigned char*>(tensor.data)[i];
    }
    return sum;
}

}  // namespace

TEST(TensorFiles, RoundTrip) {
    TemporaryFolder folder;
    const Tensors tensors;
    write_tensor_file(folder / "t", tensors.views(), {{"step", "12"}, {"é", "\n"}});
    TensorFile first(folder / "t");
    const TensorFile file = std::move(first);
    EXPECT_EQ(file.tensors().size(), 4u);
    EXPECT_EQ(file.metadata().at("step"), "12");
    for (const TensorView& expected : tensors.views()) {
        const TensorView& found = file.at(expected.name);
        EXPECT_EQ(found.dtype, expected.dtype);
        EXPECT_EQ(found.shape, expected.shape);
        ASSERT_EQ(found.bytes, expected.bytes);
        EXPECT_TRUE(expected.bytes == 0 || std::memcmp(found.data, expected.data, expected.bytes) == 0);
    }
    touch(file);
    EXPECT_EQ(file.find("other"), nullptr);
    EXPECT_THAT(message_of(ErrorCode::bad_pack, [&] { file.at("other"); }), HasSubstr("no tensor 'other'"));

    write_tensor_file(folder / "u", tensors.views(), {{"step", "12"}, {"é", "\n"}});
    EXPECT_EQ(contents(folder / "t"), contents(folder / "u"));
    write_tensor_file(folder / "t", {});
    EXPECT_TRUE(TensorFile(folder / "t").tensors().empty());
    EXPECT_THAT(names_in(folder.path()), ElementsAre("t", "u"));
}

TEST(TensorFiles, RandomTensorsComeBack) {
    TemporaryFolder folder;
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::vector<uint64_t>> storage;  // aligned for every type
        std::vector<TensorView> views;
        for (unsigned count = random() % 6; count > 0; --count) {
            TensorView view{"t" + std::to_string(count), static_cast<Dtype>(random() % 3), {}, nullptr, 0};
            size_t elements = 1;
            for (unsigned dimensions = random() % 4; dimensions > 0; --dimensions) {
                view.shape.push_back(random() % 5);
                elements *= static_cast<size_t>(view.shape.back());
            }
            storage.emplace_back(elements + 1);
            for (uint64_t& word : storage.back()) word = random();
            view.data = storage.back().data();
            view.bytes = elements * size_of(view.dtype);
            views.push_back(view);
        }
        write_tensor_file(folder / "t", views);
        const TensorFile file(folder / "t");
        ASSERT_EQ(file.tensors().size(), views.size());
        for (const TensorView& view : views) EXPECT_EQ(std::memcmp(file.at(view.name).data, view.data, view.bytes), 0);
    }
}

TEST(TensorFiles, WritingRefusesContradictions) {
    TemporaryFolder folder;
    const float data[2] = {1, 2};
    const auto message = [&](const TensorView& view) {
        return message_of(ErrorCode::invalid_argument, [&] { write_tensor_file(folder / "t", {view}); });
    };
    EXPECT_THAT(message({"a", Dtype::f32, {3}, data, 8}), HasSubstr("do not fit its shape"));
    EXPECT_THAT(message({"a", Dtype::f32, {-2, -1}, data, 8}), HasSubstr("do not fit its shape"));
    EXPECT_THAT(message({"a", Dtype::f32, {2}, nullptr, 8}), HasSubstr("do not fit its shape"));
    EXPECT_THAT(message({"", Dtype::f32, {2}, data, 8}), HasSubstr("name"));
    EXPECT_THAT(message({"__metadata__", Dtype::f32, {2}, data, 8}), HasSubstr("name"));
    const TensorView good{"a", Dtype::f32, {2}, data, 8};
    EXPECT_THAT(message_of(ErrorCode::invalid_argument, [&] { write_tensor_file(folder / "t", {good, good}); }), HasSubstr("twice"));
    message_of(ErrorCode::invalid_input, [&] { write_tensor_file(folder / "t", {{"\xff", Dtype::f32, {2}, data, 8}}); });
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(TensorFiles, ReadingRefusesWithTheReason) {
    const std::string eight(8, 'x');
    const auto one = [](const std::string& entry) { return "{\"a\":" + entry + "}"; };
    EXPECT_THAT(tensor_refusal("abc"), HasSubstr("found only 3 bytes"));
    EXPECT_THAT(tensor_refusal(tensor_bytes("{}", "", 1ull << 63)), HasSubstr("header should have 9223372036854775808 bytes"));
    EXPECT_THAT(tensor_refusal(tensor_bytes("{}", "", 3)), HasSubstr("truncated"));
    EXPECT_THAT(tensor_refusal(tensor_bytes("[]", "")), HasSubstr("expected a JSON object"));
    EXPECT_THAT(tensor_refusal(tensor_bytes("{}", eight)), HasSubstr("bytes are left over"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(std::string(1000000, '['), "")), HasSubstr("nested deeper"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one("3"), eight)), HasSubstr("must have dtype, shape and data_offsets"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"BF16","shape":[4],"data_offsets":[0,8]})"), eight)), HasSubstr("\"BF16\""));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), eight)),
                HasSubstr("whole numbers"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), eight)), HasSubstr("does not fit"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), eight)), HasSubstr("bytes 8 to 0"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})"), eight)), HasSubstr("truncated"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), eight)), HasSubstr("left over"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), eight)),
                HasSubstr("0 was expected"));
    // 2^62 times 4 is 2^64, which is 0 in 64 bits.
    EXPECT_THAT(tensor_refusal(tensor_bytes(one(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"), "")),
                HasSubstr("does not fit"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                                            "xxxxxx")),
                HasSubstr("not aligned"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                            eight)),
                HasSubstr("neither overlap"));
    EXPECT_THAT(tensor_refusal(tensor_bytes(R"({"__metadata__":{"a":1}})", "")), HasSubstr("must be a string"));
    TemporaryFolder folder;
    message_of(ErrorCode::not_found, [&] { TensorFile file(folder / "none"); });
    message_of(ErrorCode::io, [&] { TensorFile file(folder.path()); });
}

TEST(TensorFiles, ForeignFilesWithPaddingAreRead) {
    TemporaryFolder folder;
    put(folder / "t",
        tensor_bytes(R"({"b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},"a":{"data_offsets":[0,4],"dtype":"F32","shape":[]}}   )",
                     std::string("\0\0\x80\x3f\x00\x3c", 6)));
    const TensorFile file(folder / "t");
    EXPECT_EQ(*static_cast<const float*>(file.at("a").data), 1.0f);
    EXPECT_EQ(file.tensors()[1].name, "b");
}

TEST(TensorFiles, FlippedAndTruncatedFilesThrowOrLoadConsistently) {
    TemporaryFolder folder;
    const Tensors tensors;
    write_tensor_file(folder / "good", tensors.views(), {{"step", "12"}});
    const std::string good = contents(folder / "good");
    unsigned refused = 0;
    const auto try_bytes = [&](const std::string& bytes) {
        put(folder / "bad", bytes);
        try {
            touch(TensorFile(folder / "bad"));
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::bad_pack) << error.what();
            EXPECT_TRUE(base::is_utf8(error.what()));
            ++refused;
        }
    };
    const size_t data = 38;
    for (size_t i = 0; i + data < good.size(); ++i) {
        for (int change : {0x01, 0x80, 0xff, 0x10}) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ change);
            try_bytes(bad);
        }
    }
    EXPECT_GT(refused, 100u);
    refused = 0;
    unsigned truncated = 0;
    for (size_t size = 0; size < good.size(); size += 7, ++truncated) try_bytes(good.substr(0, size));
    EXPECT_EQ(refused, truncated);
}
