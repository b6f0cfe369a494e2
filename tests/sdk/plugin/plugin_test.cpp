// The plugin boundary as far as it goes without LibTorch. This program must not link it: one test asserts that listing plugins leaves
// it unloaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <sstream>

#include "sdk/plugin/echo.h"
#include "support/temporary_folder.h"
#include "whynot/host.h"
#include "whynot/manifest.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using State = PluginEntry::State;

namespace {

const fs::path plugins = WHYNOT_TEST_PLUGINS;

fs::path broken(const std::string& fault) { return plugins / "broken" / (fault + ".so"); }

/// A folder of this test, removed at its end.
class Folder {
public:
    /// A copy of a broken plugin, with the manifest given.
    fs::path install(const std::string& fault, const PluginManifest& manifest, const std::string& name = "echo") const {
        const fs::path library = path / (name + ".so");
        fs::copy_file(broken(fault), library);
        write_plugin_manifest(manifest, path / (name + ".json"));
        return library;
    }

    fs::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return path / name;
    }

private:
    const TemporaryFolder folder_;

public:
    const fs::path& path = folder_.path();
};

/// Finds in these folders only, whatever the machine has.
PluginSearch only(const std::string& plugin_path) {
    PluginSearch search;
    search.plugin_path = plugin_path;
    search.environment = false;
    search.installed = false;
    return search;
}

/// The error of `f` as "code: message"; "nothing" when there is none.
template <class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return std::string(to_string(error.code())) + ": " + error.what();
    }
    return "nothing";
}

PluginManifest good() { return describe_plugin(broken("none")); }

/// A host whose only plugin is the one with this fault in `load` or later.
Host host_of(const Folder& folder, const std::string& fault) {
    folder.install(fault, describe_plugin(broken(fault)));
    return Host(only(folder.path.string()));
}

/// The good plugin where the tests run it: at one place, because a process keeps to one plugin of an id.
Host good_host() {
    static const Folder folder;
    static const fs::path library = folder.install("none", good());
    PluginSearch search = only("");
    search.files = {library};
    return Host(search);
}

bool maps_torch() {
    std::ifstream maps("/proc/self/maps");
    std::ostringstream text;
    text << maps.rdbuf();
    return text.str().find("libtorch") != std::string::npos || text.str().find("libc10") != std::string::npos;
}

// Listing

TEST(Listing, ReadsManifestsAndLoadsNothing) {
    const Host host(only(plugins.string()));
    const PluginEntry& points = host.find("points");
    EXPECT_EQ(points.state, State::available);
    EXPECT_EQ(points.file, fs::canonical(plugins / "points.so"));
    EXPECT_EQ(points.manifest.modality, "points");
    EXPECT_TRUE(points.manifest.provides("whynot.modality/1"));
    EXPECT_FALSE(points.manifest.provides("whynot.modality/10"));
    EXPECT_EQ(&host.find_modality("points"), &points);
    EXPECT_FALSE(maps_torch());
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) EXPECT_THAT(line, Not(HasSubstr("points.so")));
}

TEST(Listing, AnEmptyFolderHasNone) {
    const Folder folder;
    const Host host(only(folder.path.string()));
    EXPECT_TRUE(host.plugins().empty());
    EXPECT_EQ(error_of([&] { host.find("text"); }), "not-found: there is no plugin 'text'. There are none");
    EXPECT_THAT(error_of([&] { host.find_modality("text"); }), HasSubstr("not-found: no plugin explains 'text'"));
    EXPECT_THAT(error_of([&] { host.find_modality(""); }), HasSubstr("not-found"));
}

TEST(Listing, FirstIdWinsAndTheOthersStayListed) {
    const Folder first, second;
    first.install("none", good());
    second.install("none", good());
    const Host host(only(first.path.string() + ':' + second.path.string() + ':' + first.path.string()));
    ASSERT_EQ(host.plugins().size(), 2u);  // the first folder counts once
    EXPECT_EQ(host.plugins()[0].state, State::available);
    EXPECT_EQ(host.plugins()[1].state, State::shadowed);
    EXPECT_THAT(host.plugins()[1].reason, AllOf(HasSubstr((first.path / "echo.so").string()), HasSubstr("comes first")));
    EXPECT_EQ(host.find("echo").file, first.path / "echo.so");
}

TEST(Listing, OrderIsFilesThenPathThenEnvironment) {
    const Folder by_file, by_path, by_environment;
    PluginManifest manifest = good();
    PluginSearch search = only(by_path.path.string());
    search.files = {by_file.install("none", manifest)};
    by_path.install("none", manifest);
    by_environment.install("none", manifest);
    search.environment = true;
    ASSERT_EQ(setenv("WHYNOT_PLUGIN_PATH", by_environment.path.c_str(), 1), 0);
    const Host host(search);
    ASSERT_EQ(unsetenv("WHYNOT_PLUGIN_PATH"), 0);
    ASSERT_EQ(host.plugins().size(), 3u);
    EXPECT_EQ(host.plugins()[0].file.parent_path(), by_file.path);
    EXPECT_EQ(host.plugins()[1].file.parent_path(), by_path.path);
    EXPECT_EQ(host.plugins()[2].file.parent_path(), by_environment.path);
}

TEST(Listing, BesideTheLibrary) {
    const fs::path folder = installed_plugin_folder();
    EXPECT_TRUE(folder.is_absolute());
    EXPECT_EQ(folder.filename(), "plugins");
    EXPECT_EQ(folder.parent_path().filename(), "whynot");
    EXPECT_TRUE(fs::exists(folder.parent_path().parent_path() / "libwhynot_core.so"));
}

TEST(Listing, RelativeAndEmptyElementsAreRejected) {
    PluginSearch search = only("some/where");
    search.files = {"echo.so"};
    const Host host(search);
    ASSERT_EQ(host.plugins().size(), 2u);
    EXPECT_EQ(host.plugins()[0].reason, "'echo.so' is a relative path; plugins are named by absolute paths");
    EXPECT_THAT(host.plugins()[1].reason, HasSubstr("'some/where' is a relative element of a plugin path"));
    EXPECT_THAT(Host(only("/:")).plugins().back().reason, HasSubstr("an empty element"));
    EXPECT_THAT(Host(only("/not/there")).plugins().at(0).reason, HasSubstr("'/not/there' cannot be searched for plugins: No such file"));
}

TEST(Listing, ARejectedPluginGivesItsIdAwayAndItsReason) {
    const Folder first, second;
    PluginManifest foreign = good();
    foreign.stamp["torch"] = "9.9.9";
    first.install("none", foreign);
    {
        const Host host(only(first.path.string()));
        ASSERT_EQ(host.plugins().size(), 1u);
        EXPECT_EQ(host.plugins()[0].state, State::rejected);
        EXPECT_THAT(host.plugins()[0].reason,
                    AllOf(HasSubstr("built for another LibTorch"), HasSubstr("9.9.9"), HasSubstr(host_stamp()["torch"])));
        EXPECT_THAT(error_of([&] { host.load("echo"); }), AllOf(HasSubstr("bad-plugin"), HasSubstr("9.9.9")));
    }
    second.install("none", good());
    EXPECT_EQ(Host(only(first.path.string() + ':' + second.path.string())).find("echo").file, second.path / "echo.so");
}

TEST(Listing, AnotherAbiIsSeenInTheManifest) {
    const Folder folder;
    PluginManifest foreign = good();
    foreign.abi = 7;
    folder.install("none", foreign);
    EXPECT_THAT(Host(only(folder.path.string())).plugins().at(0).reason, HasSubstr("was built for plugin ABI 7, this whynot has ABI 1"));
}

TEST(Listing, HalvesOfPluginsAreRejected) {
    const Folder folder;
    fs::copy_file(broken("none"), folder.path / "lonely.so");
    write_plugin_manifest(good(), folder.path / "orphan.json");
    folder.write("unread.json", "{");
    folder.write("unread.so", "");
    const Host host(only(folder.path.string()));
    ASSERT_EQ(host.plugins().size(), 3u);
    EXPECT_THAT(host.plugins()[0].reason, AllOf(HasSubstr("lonely.so' has no manifest"), HasSubstr("run whynot-describe")));
    EXPECT_THAT(host.plugins()[1].reason, HasSubstr("orphan.so' is not there"));
    EXPECT_THAT(host.plugins()[2].reason, HasSubstr("unread.json' is not valid JSON"));
    for (const PluginEntry& entry : host.plugins()) EXPECT_EQ(entry.state, State::rejected);
    EXPECT_THAT(error_of([&] { host.find("echo"); }), AllOf(HasSubstr("lonely.so"), HasSubstr("orphan.so"), HasSubstr("unread.json")));
}

TEST(Listing, WhatTheLoaderCouldNotMapIsNotAvailable) {
    std::ifstream file(broken("none"), std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(file), {}};
    std::string other_machine = whole;
    other_machine[18] ^= 1;  // e_machine
    for (const std::string& bytes : {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), whole.substr(0, 100),
                                     other_machine, std::string("a text file"), std::string("\177ELF")}) {
        const Folder folder;
        const fs::path library = folder.install("none", good());
        std::ofstream(library, std::ios::binary) << bytes;
        const Host host(only(folder.path.string()));
        ASSERT_EQ(host.plugins().size(), 1u);
        EXPECT_EQ(host.plugins()[0].state, State::rejected) << bytes.size();
        EXPECT_THAT(host.plugins()[0].reason,
                    testing::AnyOf(HasSubstr("is damaged"), HasSubstr("is cut short"), HasSubstr("is not a shared library"),
                                   HasSubstr("no shared library for this kind of machine")));
        EXPECT_THAT(error_of([&] { describe_plugin(library); }), HasSubstr("bad-plugin"));
    }
    // A damaged one shadows nothing.
    const Folder first, second;
    std::ofstream(first.install("none", good()), std::ios::binary) << "no library";
    second.install("none", good());
    const Host host(only(first.path.string() + ':' + second.path.string()));
    EXPECT_EQ(host.find(good().id).file.parent_path(), fs::canonical(second.path));
}

// Manifests

TEST(Manifest, GoesRoundThroughJson) {
    const PluginManifest manifest = good();
    EXPECT_EQ(manifest.services, std::vector<std::string>{"test.echo/1"});
    ASSERT_EQ(manifest.options.size(), 3u);
    EXPECT_EQ(manifest.options[1].choices, (std::vector<std::string>{"low", "high"}));
    ASSERT_EQ(manifest.artifacts.size(), 1u);
    EXPECT_TRUE(manifest.artifacts[0].required);
    EXPECT_EQ(manifest.stamp, host_stamp());
    EXPECT_EQ(to_json(plugin_manifest_from_json(to_json(manifest), "x")), to_json(manifest));
    const Folder folder;
    write_plugin_manifest(manifest, folder.path / "echo.json");
    EXPECT_EQ(to_json(read_plugin_manifest(folder.path / "echo.json")), to_json(manifest));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()), 1) << "no temporary file stays";
}

TEST(Manifest, EveryTruncationIsRefused) {
    const std::string text = to_json(good());
    for (size_t length = 0; length + 2 < text.size(); ++length) {  // the last two: a bracket and a newline
        EXPECT_THAT(error_of([&] { plugin_manifest_from_json(text.substr(0, length), "short.json"); }),
                    testing::StartsWith("bad-plugin: short.json"))
            << length;
    }
}

TEST(Manifest, EveryMissingOrMistypedMemberIsNamed) {
    const std::string text = to_json(good());
    for (const char* key : {"format", "id", "name", "version", "licence", "summary", "modality", "services", "options", "artifacts", "abi",
                            "stamp", "choices", "required", "default"}) {
        std::string renamed = text;
        const std::string quoted = '"' + std::string(key) + '"';
        renamed.replace(renamed.find(quoted), quoted.size(), "\"other\"");
        EXPECT_THAT(error_of([&] { plugin_manifest_from_json(renamed, "m.json"); }), AllOf(HasSubstr("bad-plugin: m.json"), HasSubstr(key)))
            << key;
    }
    EXPECT_THAT(error_of([] { plugin_manifest_from_json("[]", "m.json"); }), HasSubstr("expected a JSON object, found an array"));
    std::string other = text;
    other.replace(other.find("plugin/1"), 8, "plugin/2");
    EXPECT_THAT(error_of([&] { plugin_manifest_from_json(other, "m.json"); }),
                HasSubstr("expected 'format' to be 'whynot.plugin/1', found 'whynot.plugin/2'"));
}

TEST(Manifest, ProblemsAreSentences) {
    EXPECT_EQ(problem_of(good()), "");
    const auto problem = [](auto&& change) {
        PluginManifest manifest = good();
        change(manifest);
        return problem_of(manifest);
    };
    EXPECT_THAT(problem([](auto& m) { m.id = "Echo"; }), HasSubstr("the id 'Echo' is not"));
    EXPECT_THAT(problem([](auto& m) { m.id = "../echo"; }), HasSubstr("is not"));
    EXPECT_THAT(problem([](auto& m) { m.licence.clear(); }), HasSubstr("required field 'licence' is missing"));
    EXPECT_THAT(problem([](auto& m) { m.services.clear(); }), HasSubstr("'services' is missing"));
    EXPECT_THAT(problem([](auto& m) { m.services = {"whynot.modality/1"}; }), HasSubstr("'modality' is missing"));
    EXPECT_EQ(problem([](auto& m) { m.modality = "echo"; }), "");  // it serves packs of a modality that another plugin explains
    EXPECT_THAT(problem([](auto& m) { m.options[0].key = "volume"; }), HasSubstr("'volume' stands there twice"));
    EXPECT_THAT(problem([](auto& m) { m.options[0].type = "complex"; }), HasSubstr("has the type 'complex'"));
    EXPECT_THAT(problem([](auto& m) { m.options[0].default_value = "3.5"; }), HasSubstr("'3.5', which is no int"));
    EXPECT_THAT(problem([](auto& m) { m.options[0].max = "2"; }), HasSubstr("outside its own bounds"));
    EXPECT_THAT(problem([](auto& m) { m.options[1].default_value = "loud"; }), HasSubstr("'loud', which is none of its choices"));
    EXPECT_THAT(problem([](auto& m) { m.options[2].min = "zero"; }), HasSubstr("'zero', which is no float"));
    EXPECT_THAT(problem([](auto& m) { m.artifacts[0].key.clear(); }), HasSubstr("an artifact without a key"));
    EXPECT_THAT(problem([](auto& m) { m.summary = "red \x1b[31m"; }), AllOf(HasSubstr("control characters"), Not(HasSubstr("\x1b"))));
    EXPECT_THAT(problem([](auto& m) { m.name = "\xff\xfe"; }), HasSubstr("is not plain UTF-8"));
}

TEST(Manifest, WritingIntoNowhereSaysSo) {
    EXPECT_THAT(error_of([] { write_plugin_manifest(good(), "/not/there/echo.json"); }), HasSubstr("/not/there"));
    PluginManifest empty;
    EXPECT_THAT(error_of([&] { write_plugin_manifest(empty, "/tmp/never.json"); }), HasSubstr("'id' is missing"));
}

TEST(Stamp, TableShowsTheDifferingFieldsOnly) {
    PluginStamp plugin = host_stamp();
    EXPECT_EQ(stamp_difference(host_stamp(), plugin), "");
    plugin["torch"] = "2.6.0";
    plugin["new_field"] = "x";
    const std::string table =
        stamp_difference({{"torch", "1.13.0"}, {"epoch", "1"}}, {{"torch", "2.6.0"}, {"epoch", "1"}, {"new_field", "x"}});
    EXPECT_EQ(table,
              "             whynot  plugin\n"
              "  new_field  -       x\n"
              "  torch      1.13.0  2.6.0");
}

// Refusals, each with its own message

std::string refusal(const std::string& fault) {
    return error_of([&] { describe_plugin(broken(fault)); });
}

TEST(Refusal, NotALibrary) {
    const Folder folder;
    const fs::path text = folder.write("echo.so", "not a library at all\n");
    const fs::path empty = folder.write("empty.so", "");
    EXPECT_THAT(error_of([&] { describe_plugin(text); }), AllOf(HasSubstr("bad-plugin"), HasSubstr("echo.so' is not a shared library")));
    EXPECT_THAT(error_of([&] { describe_plugin(empty); }), HasSubstr("empty.so' is not a shared library"));
    EXPECT_THAT(error_of([&] { describe_plugin(folder.write("cut.so", "\177ELF and no more")); }),
                HasSubstr("cut.so' is not a shared library"));
}

TEST(Refusal, NoSuchFile) {
    EXPECT_EQ(error_of([] { describe_plugin("/not/there.so"); }), "not-found: there is no plugin library '/not/there.so'");
}

TEST(Refusal, RelativePath) {
    EXPECT_THAT(error_of([] { describe_plugin("echo.so"); }), HasSubstr("'echo.so' is named by a relative path"));
}

TEST(Refusal, NoEntry) {
    EXPECT_THAT(refusal("symbol"), AllOf(HasSubstr("exports no whynot_plugin_entry"), HasSubstr("WHYNOT_PLUGIN(...)")));
}

TEST(Refusal, NullDescriptor) { EXPECT_THAT(refusal("null"), HasSubstr("answers with no descriptor (null)")); }

TEST(Refusal, ShortDescriptor) {
    EXPECT_THAT(refusal("short"), HasSubstr("has a descriptor of 24 bytes, expected " + std::to_string(sizeof(whynot_plugin_v1))));
}

TEST(Refusal, OtherAbi) { EXPECT_THAT(refusal("abi"), HasSubstr("was built for plugin ABI 99, this whynot has ABI 1")); }

TEST(Refusal, NoStamp) { EXPECT_THAT(refusal("stamp"), HasSubstr("the required field 'stamp' is missing")); }

TEST(Refusal, OtherTorch) {
    const std::string message = refusal("torch");
    EXPECT_THAT(message, AllOf(HasSubstr("built for another LibTorch"), ContainsRegex("  torch  " + host_stamp()["torch"] + " +0.4.1\n"),
                               HasSubstr("Build it again")));
    EXPECT_THAT(message, Not(HasSubstr("pointer_size"))) << "fields that agree are not listed";
}

TEST(Refusal, MissingField) { EXPECT_THAT(refusal("field"), HasSubstr("the required field 'licence' is missing")); }

TEST(Refusal, OptionOutsideItsBounds) { EXPECT_THAT(refusal("bounds"), HasSubstr("option 'times' has a default outside its own bounds")); }

TEST(Refusal, MissingDependencyIsNamedByTheLoader) {
    const std::string message = refusal("dependency");
    EXPECT_THAT(message, AllOf(HasSubstr("could not be loaded: libgone_on_purpose.so.7: cannot open shared object file"),
                               HasSubstr("Install the library that is named there"), Not(HasSubstr("boost"))));
}

TEST(Refusal, StaleManifestNamesWhatDiffers) {
    const Folder folder;
    PluginManifest stale = good();
    stale.version = "0.9.0";
    stale.options.pop_back();
    folder.install("none", stale);
    const Host host(only(folder.path.string()));
    EXPECT_THAT(error_of([&] { host.load("echo"); }), AllOf(HasSubstr("than its manifest on: version, options."), HasSubstr("stale")));
}

TEST(Refusal, ThrowingInit) {
    const Folder folder;
    const Host host = host_of(folder, "init_throws");
    for (int i = 0; i < 2; ++i) {  // a refused plugin stays refused
        EXPECT_THAT(error_of([&] { host.load("echo_init_throws"); }),
                    AllOf(HasSubstr("bad-plugin"), HasSubstr("failed to initialise itself: the licence of the mountain has expired")));
    }
}

TEST(Refusal, FailingInit) {
    const Folder folder;
    EXPECT_THAT(error_of([&] { host_of(folder, "init_fails").load("echo_init_fails"); }),
                HasSubstr("failed to initialise itself: it gives no reason (code 42)"));
}

TEST(Refusal, AnotherPluginOfARunningId) {
    const Folder folder;
    const Host one = good_host(), two = host_of(folder, "twin");
    one.load("echo");
    one.load("echo");
    EXPECT_THAT(error_of([&] { two.load("echo"); }),
                AllOf(HasSubstr((folder.path / "echo.so").string()), HasSubstr("has the id 'echo', under which this process already runs"),
                      HasSubstr(one.find("echo").file.string())));
}

TEST(Refusal, ServiceThatCannotBeMade) {
    const Folder folder;
    EXPECT_EQ(error_of([&] { host_of(folder, "service_throws").service<Echo>("echo_service_throws"); }),
              "bad-plugin: the plugin 'echo_service_throws' failed to make its service test.echo/1: the echo has no mountain");
}

TEST(Refusal, ServiceThatIsListedButNotGiven) {
    const Folder folder;
    EXPECT_THAT(error_of([&] { host_of(folder, "service_missing").service<Echo>("echo_service_missing"); }),
                HasSubstr("it lists the service but gives none"));
}

struct Unheard {
    static constexpr const char* service_id = "test.unheard/1";
};

TEST(Refusal, ServiceThatIsNotListed) {
    EXPECT_EQ(error_of([&] { good_host().service<Unheard>("echo"); }), "not-found: the plugin 'echo' has no service test.unheard/1");
}

// Calls

class Calls : public testing::Test {
protected:
    std::string say(const std::string& what) {
        return guarded("echo", "say it", [&] { return echo->say(what); });
    }

    Echo* echo = &good_host().service<Echo>("echo");  // lives on without the Host
};

TEST_F(Calls, PassThrough) {
    EXPECT_EQ(say("why not"), "why not!");
    EXPECT_EQ(&good_host().service<Echo>("echo"), echo) << "one service a process";
}

TEST_F(Calls, ForeignExceptionsNamePluginAndOperationWithoutBacktrace) {
    EXPECT_EQ(error_of([&] { say(""); }), "internal: the plugin 'echo' failed to say it: expected words");
    EXPECT_EQ(error_of([&] { say("number"); }),
              "internal: the plugin 'echo' failed to say it: it threw something that is no std::exception");
}

TEST_F(Calls, OurErrorsKeepTheirCode) {
    EXPECT_EQ(error_of([&] { say("ours"); }), "invalid-input: these words cannot be said");
}

TEST_F(Calls, GuardKeepsReferencesAndVoid) {
    int number = 1;
    int& same = guarded("echo", "count", [&]() -> int& { return number; });
    EXPECT_EQ(&same, &number);
    guarded("echo", "count", [&] { ++number; });
    EXPECT_EQ(number, 2);
    EXPECT_THAT(error_of([] { guarded("echo", "grow", [] { throw std::bad_alloc(); }); }),
                HasSubstr("failed to grow: there is not enough memory for it"));
}

TEST(Backtrace, IsCutWhereItBegins) {
    const auto cut = [](const char* what) { return what_without_backtrace(std::runtime_error(what)); };
    EXPECT_EQ(cut("plain"), "plain");
    EXPECT_EQ(cut("words\n  \nException raised from f at a.cpp:1 (most recent call first):\nframe #0: f"), "words");
    EXPECT_EQ(cut("Exception raised from f"), "");
    EXPECT_EQ(cut("words\nframe #0: <unknown function> + 0x4c062 (0x7fb3 in libc10.so)\nframe #1: c10::f()"), "words");
    EXPECT_EQ(cut("[enforce fail at tensor.cpp:7] x > 0. words"), "x > 0. words");
    EXPECT_EQ(
        cut("[enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 17179869184 "
            "bytes. Error code 12 (Cannot allocate memory)\nframe #0: f"),
        "there is not enough memory for it");
    EXPECT_THAT(cut("[json.exception.type_error.302] type must be string, but is number"), Not(HasSubstr("exception")));
    EXPECT_EQ(cut("an Exception raised from nowhere"), "an Exception raised from nowhere");
    EXPECT_EQ(cut(""), "");
}

}  // namespace
