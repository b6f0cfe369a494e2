// The conformance kit: it finds each fault by the check that is there for it, says so in words, and survives what plugins do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "support/process.h"
#include "support/temporary_folder.h"
#include "whynot/conformance.h"
#include "whynot/error.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace fs = std::filesystem;
using namespace whynot;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using whynot::test::Process;

namespace whynot {
void PrintTo(Outcome outcome, std::ostream* out) { *out << to_string(outcome); }
}  // namespace whynot

namespace {

fs::path broken(const std::string& fault) { return fs::path(WHYNOT_TEST_PLUGINS) / "broken" / (fault + ".so"); }

/// A pack that makes the plugin faulty break this promise.
fs::path write_pack(const fs::path& folder, const std::string& fault) {
    const fs::path path = folder / fault;
    PackWriter writer(path);
    writer.add("words.txt", "four");
    PackManifest manifest;
    manifest.id = manifest.modality = manifest.plugin_id = "faulty";
    manifest.version = fault;
    manifest.plugin_version = "1.0.0";
    manifest.classes = {"left", "right", "top"};
    manifest.licence = "MIT";
    writer.finish(manifest);
    return path;
}

class Conformance : public testing::Test {
protected:
    CheckResult check_library(const std::string& name, const fs::path& library) {
        CheckRequest request;
        request.library = library;
        return run_check(name, request);
    }

    CheckResult check(const std::string& name, const std::string& fault, const std::vector<Input>& inputs = {}) {
        CheckRequest request;
        request.library = WHYNOT_FAULTY_PLUGIN;
        request.pack = (fs::exists(folder_.path() / fault) ? folder_.path() / fault : write_pack(folder_.path(), fault)).string();
        request.inputs = inputs;
        return run_check(name, request);
    }

    /// The program on the plugin faulty, or on what comes first in `arguments`.
    Process& run(std::vector<std::string> arguments, const std::string& fault = "") {
        if (!fault.empty())
            arguments.insert(arguments.begin(), {WHYNOT_FAULTY_PLUGIN, "--pack", write_pack(folder_.path(), fault).string()});
        arguments.insert(arguments.begin(), {"plugins", "check"});
        process_ = std::make_unique<Process>(WHYNOT_PROGRAM, arguments, std::vector<std::string>{"OMP_NUM_THREADS=1"});
        process_->finish();
        return *process_;
    }

    static std::map<std::string, CheckResult> results_of(const Process& process) {
        std::map<std::string, CheckResult> results;
        std::istringstream lines(process.out);
        for (std::string line; std::getline(lines, line);) {
            const CheckResult result = check_result_from_json(line);
            results[result.check] = result;
        }
        return results;
    }

    TemporaryFolder folder_;
    std::unique_ptr<Process> process_;
};

TEST_F(Conformance, ListsChecksInTheOrderOfTheirNeeds) {
    std::set<std::string> names{""};
    for (const ConformanceCheck& check : conformance_checks()) {
        EXPECT_TRUE(names.count(check.needs)) << check.name;
        EXPECT_TRUE(names.insert(check.name).second) << check.name << " stands there twice";
        EXPECT_EQ(std::string(check.sentence).back(), '.') << check.name;
    }
    EXPECT_THROW(run_check("no-such-check", {}), Error);
    EXPECT_THROW(run_checks_apart({"no-such-check"}, {{"/bin/true"}, 1}), Error);
}

TEST_F(Conformance, APluginWithoutFaultsPassesEveryCheck) {
    for (const ConformanceCheck& one : conformance_checks()) {
        const CheckResult result = check(one.name, "none");
        EXPECT_EQ(result.outcome, Outcome::passed) << one.name << ": " << result.message;
        EXPECT_EQ(result.check, one.name);
    }
}

struct Fault {
    const char* name;
    const char* check;
    const char* message;
    Outcome outcome = Outcome::failed;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Faults : public Conformance, public testing::WithParamInterface<Fault> {};

TEST_P(Faults, AreFound) {
    const Fault& fault = GetParam();
    const CheckResult result = check(fault.check, fault.name);
    EXPECT_EQ(result.outcome, fault.outcome);
    EXPECT_THAT(result.message, HasSubstr(fault.message));
    EXPECT_EQ(result.holds(), fault.outcome == Outcome::warning || fault.outcome == Outcome::skipped);
}

INSTANTIATE_TEST_SUITE_P(
    Conformance, Faults,
    testing::Values(Fault{"open-gives-nothing", "opens", "gave no model and no error"},
                    Fault{"classes-are-others", "opens", "other classes than its pack's manifest"},
                    Fault{"any-pack-will-do", "bad-pack", "'words.txt' is missing opens without an error"},
                    Fault{"any-device-will-do", "bad-pack", "the device 'no-such-device' was taken"},
                    Fault{"samples-are-refused", "inputs", "the input '1 0.2' is refused: expected two numbers"},
                    Fault{"samples-are-refused", "gradients", "see the check 'inputs'", Outcome::skipped},
                    Fault{"there-are-no-samples", "inputs", "gives no inputs for the pack 'faulty'", Outcome::skipped},
                    Fault{"there-is-one-sample", "inputs", "one input only", Outcome::warning},
                    Fault{"there-is-one-sample", "batch-equals-singles", "one input only", Outcome::skipped},
                    Fault{"bad-input-throws", "bad-input", "the plugin 'faulty' failed to read the inputs: these are no numbers"},
                    Fault{"bad-input-gets-no-note", "bad-input", "got a note"},
                    Fault{"bad-input-moves-its-neighbours", "bad-input",
                          "beside bad inputs the input '1 0.2' has probabilities that differ"},
                    Fault{"anything-is-read", "bad-input", "an input of nothing is read"},
                    Fault{"refusals-are-raw", "bad-input", "is no plain sentence: 'not two numbers:"},
                    Fault{"classify-gives-one-class", "shapes", "classify should give [B, C] = [3, 3]; it gives [3, 1]"},
                    Fault{"start-has-another-shape", "shapes", "start should give [B, k] = [3, 2]; it gives [3, 4]"},
                    Fault{"numbers-are-none", "shapes", "log_likelihood gives numbers that are not finite"},
                    Fault{"gradient-is-none", "shapes", "log_likelihood is not differentiable"},
                    Fault{"classify-gives-logits", "probabilities", "sum to 1 off by"},
                    Fault{"rows-see-each-other", "batch-equals-singles", "alone and in a batch of 3 differ by"},
                    Fault{"rows-are-ignored", "batch-equals-singles", "rows in another order"},
                    Fault{"start-ignores-the-seed", "same-seed", "for the same seed two models give different explanations"},
                    Fault{"start-is-elsewhere", "round-trip", "at the latent start of '1 0.2' a class probability is off by"},
                    Fault{"start-is-elsewhere-and-says-so", "round-trip", "at the latent start of '-0.4 0' a class probability is off by"},
                    Fault{"gradient-is-half", "gradients", "The gradients disagree"},
                    Fault{"models-disagree", "solution", "another model finds fact and foil 0."},
                    Fault{"answer-is-the-input", "solution", "is not of the class asked about"},
                    Fault{"what-is-shown-is-another", "shown", "read again, has class probabilities that differ by"},
                    Fault{"answer-is-not-asked-afresh", "solution", "read again has class probabilities that differ by 0.3"},
                    Fault{"colours-in-the-text", "rendering", "control characters or broken UTF-8"},
                    Fault{"any-decoding-will-do", "rendering", "the decoding 'no-such-decoding' was taken"},
                    Fault{"record-is-none", "rendering", "expected a JSON object, found an array"},
                    Fault{"threads-disagree", "two-threads", "in two threads do not say what one says alone"},
                    Fault{"prints", "prints-nothing", "it prints 'hello from the plugin\\n"},
                    Fault{"complains", "prints-nothing", "it prints 'the plugin is not happy\\n"}),
    [](const auto& tested) {
        std::string name = std::string(tested.param.name) + "_" + tested.param.check;
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    });

TEST_F(Conformance, TakesOtherInputsThanTheSamples) {
    EXPECT_EQ(check("inputs", "there-are-no-samples", {{"1 1", ""}, {"2 0", ""}}).outcome, Outcome::passed);
    const CheckResult refused = check("inputs", "none", {{"1 1", ""}, {"up", "a.txt"}});
    EXPECT_EQ(refused.outcome, Outcome::failed);
    EXPECT_EQ(refused.message, "the input 'a.txt' is refused: expected two numbers");
}

TEST_F(Conformance, SkipsWhatHasNothingToWorkOn) {
    const CheckResult no_modality = check_library("opens", broken("none"));
    EXPECT_EQ(no_modality.outcome, Outcome::failed) << "it has no manifest, so that no host can know it";
    CheckRequest request;
    request.library = WHYNOT_FAULTY_PLUGIN;
    const CheckResult no_pack = run_check("opens", request);
    EXPECT_EQ(no_pack.outcome, Outcome::skipped);
    EXPECT_THAT(no_pack.message, HasSubstr("there is no pack of the modality 'faulty' where packs are looked for"));
}

TEST_F(Conformance, TellsBrokenLibrariesApart) {
    const auto expect = [&](const char* fault, const char* check, const std::string& message) {
        SCOPED_TRACE(fault);
        const CheckResult result = check_library(check, broken(fault));
        EXPECT_EQ(result.outcome, Outcome::failed);
        EXPECT_THAT(result.message, HasSubstr(message));
    };
    expect("abi", "loads", "was built for plugin ABI 99, this whynot has ABI 1");
    expect("torch", "loads", "built for another LibTorch");
    expect("symbol", "loads", "exports no whynot_plugin_entry");
    expect("symbol", "exported-symbol", "it exports no whynot_plugin_entry, but some_other_symbol");
    expect("exports", "exported-symbol", "beside whynot_plugin_entry it exports left_over");
    expect("null", "loads", "answers with no descriptor (null)");
    expect("short", "loads", "has a descriptor of 24 bytes");
    expect("stamp", "loads", "the required field 'stamp' is missing");
    expect("dependency", "loads", "libgone_on_purpose.so.7: cannot open shared object file");
    expect("field", "required-fields", "the required field 'licence' is missing");
    expect("bounds", "required-fields", "option 'times' has a default outside its own bounds");
    expect("none", "manifest", "there is no manifest");
    std::ofstream(folder_.path() / "text.so") << "no library at all";
    EXPECT_THAT(check_library("exported-symbol", folder_.path() / "text.so").message, HasSubstr("is not a shared library"));
    EXPECT_EQ(check_library("loads", broken("field")).outcome, Outcome::passed);
}

TEST_F(Conformance, TellsBrokenServicesApart) {
    const auto install = [&](const std::string& fault) {
        const fs::path library = folder_.path() / (fault + ".so");
        fs::copy_file(broken(fault), library);
        write_plugin_manifest(describe_plugin(broken(fault)), folder_.path() / (fault + ".json"));
        return library;
    };
    const auto message = [&](const std::string& fault) {
        const CheckResult result = check_library("services", install(fault));
        EXPECT_EQ(result.outcome, Outcome::failed) << fault;
        return result.message;
    };
    EXPECT_THAT(message("init_throws"), HasSubstr("failed to initialise itself: the licence of the mountain has expired"));
    EXPECT_THAT(message("init_fails"), HasSubstr("it gives no reason (code 42)"));
    EXPECT_THAT(message("service_throws"), testing::EndsWith("gives none: the echo has no mountain"));
    EXPECT_THAT(message("service_missing"), testing::EndsWith("it lists the service test.echo/1 but gives none"));

    const fs::path crashes = install("service_crashes");
    EXPECT_EQ(check_library("manifest", crashes).outcome, Outcome::passed);
    const auto results = results_of(run({crashes.string(), "--json", "--only", "services", "--only", "unique-id"}));
    EXPECT_EQ(results.at("services").outcome, Outcome::crashed);
    EXPECT_EQ(results.at("unique-id").outcome, Outcome::passed);

    PluginManifest stale = describe_plugin(broken("none"));
    stale.version = "0.9.0";
    fs::copy_file(broken("none"), folder_.path() / "echo.so");
    write_plugin_manifest(stale, folder_.path() / "echo.json");
    EXPECT_THAT(check_library("manifest", folder_.path() / "echo.so").message, HasSubstr("say different things on: version"));
    EXPECT_THAT(check_library("listing", folder_.path() / "echo.so").outcome, Outcome::passed);

    const fs::path twin = install("twin");  // beside another one of its id
    write_plugin_manifest(describe_plugin(broken("none")), folder_.path() / "echo.json");
    CheckRequest request;
    request.library = twin;
    request.plugin_path = folder_.path().string();
    const CheckResult same_id = run_check("unique-id", request);
    EXPECT_EQ(same_id.outcome, Outcome::warning);
    EXPECT_THAT(same_id.message, AllOf(HasSubstr("echo.so' has the id 'echo' too"), HasSubstr("whichever they find first")));
}

// The command

TEST_F(Conformance, ListsChecksAtOnce) {
    const Process& people = run({"--list"});
    EXPECT_EQ(people.code, 0);
    EXPECT_THAT(people.out, HasSubstr("gradients             The gradients of the log-likelihoods are those of central differences.\n"));
    EXPECT_THAT(run({"--list", "--json"}).out, HasSubstr(R"({"check":"loads","sentence":)"));
}

TEST_F(Conformance, ACrashEndsItsOwnCheckOnly) {
    const std::vector<std::string> some{"--json", "--only", "inputs", "--only", "bad-input", "--only", "shapes", "--only", "probabilities"};
    const Process& process = run(some, "bad-input-crashes");
    EXPECT_EQ(process.code, 1);
    const auto results = results_of(process);
    ASSERT_EQ(results.size(), 4u);
    EXPECT_EQ(results.at("bad-input").outcome, Outcome::crashed);
    EXPECT_THAT(results.at("bad-input").message, HasSubstr("the process died of SIGABRT (Aborted)"));
    for (const char* other : {"inputs", "shapes", "probabilities"}) EXPECT_EQ(results.at(other).outcome, Outcome::passed);
}

TEST_F(Conformance, AHangEndsItsOwnCheckOnly) {
    const auto results = results_of(run({"--json", "--timeout", "4", "--only", "bad-input", "--only", "shapes"}, "bad-input-hangs"));
    EXPECT_EQ(results.at("bad-input").outcome, Outcome::failed);
    EXPECT_THAT(results.at("bad-input").message, HasSubstr("it had not ended after 4 seconds and was stopped"));
    EXPECT_EQ(results.at("shapes").outcome, Outcome::passed);
}

TEST_F(Conformance, AnExitIsNoAnswer) {
    const auto results = results_of(run({"--json", "--only", "bad-input"}, "bad-input-ends-the-process"));
    EXPECT_EQ(results.at("bad-input").outcome, Outcome::crashed);
    EXPECT_THAT(results.at("bad-input").message, HasSubstr("the process ended with the exit code 0 before the check was done"));
}

TEST_F(Conformance, ALibraryThatCannotBeOpenedCostsOneCheck) {
    const Process& crashes = run({broken("crashes").string()});
    EXPECT_EQ(crashes.code, 1);
    EXPECT_THAT(crashes.err, AllOf(HasSubstr("gdb --args whynot plugins check "), HasSubstr(broken("crashes").string()),
                                   HasSubstr(" --in-process --only loads")));
    EXPECT_THAT(crashes.out, AllOf(HasSubstr("crashed  loads\n         the process died of SIGABRT"),
                                   HasSubstr("skipped  gradients\n         it needs the check 'loads', which crashed\n"),
                                   HasSubstr("1 passed, 23 skipped, 1 crashed\n")));
    const auto hangs = results_of(run({broken("hangs").string(), "--json", "--timeout", "4"}));
    EXPECT_EQ(hangs.size(), conformance_checks().size());
    EXPECT_THAT(hangs.at("loads").message, HasSubstr("it had not ended after 4 seconds"));
    EXPECT_EQ(hangs.at("process-state").message, "it needs the check 'loads', which failed");
}

TEST_F(Conformance, SeesWhatIsLeftOfAPlugin) {
    const auto results = results_of(run({"--json", "--only", "process-state"}, "leaves-traces"));
    EXPECT_EQ(results.at("process-state").outcome, Outcome::failed);
    EXPECT_THAT(results.at("process-state").message,
                AllOf(HasSubstr("the default generator of random numbers"), HasSubstr("the C locale"),
                      HasSubstr("the handler of signal " + std::to_string(SIGUSR1)), Not(HasSubstr("the number of threads"))));
}

TEST_F(Conformance, WhatAPluginPrintsIsNoResult) {
    const Process& process = run({"--json", "--in-process", "--only", "inputs", "--only", "probabilities"}, "prints");
    EXPECT_EQ(process.code, 0);
    EXPECT_EQ(results_of(process).size(), 2u);
    EXPECT_THAT(process.err, HasSubstr("hello from the plugin"));
}

TEST_F(Conformance, RefusesWrongUsage) {
    const auto expect = [&](const std::vector<std::string>& arguments, int code, const char* message) {
        const Process& process = run(arguments);
        EXPECT_EQ(process.code, code) << message;
        EXPECT_EQ(process.out, "");
        EXPECT_THAT(process.err, HasSubstr(message));
    };
    expect({}, 2, "PLUGIN is required");
    expect({"points", "--only", "speed"}, 2, "there is no check 'speed'");
    expect({"points", "--except", "*"}, 2, "leave no check");
    expect({"points", "--timeout", "0"}, 2, "--timeout");
    expect({"/not/there.so"}, 1, "there is no plugin library '/not/there.so'; expected the .so file that whynot_add_plugin built");
    expect({"nowhere"}, 1, "there is no plugin 'nowhere'");
}

TEST_F(Conformance, FindsAPluginByItsId) {
    const Process& process =
        run({"points", "--plugin-path", WHYNOT_TEST_PLUGINS, "--json", "--except", "[a-hj-z]*", "--input", "1 0", "--input", "-1 0.5"});
    EXPECT_EQ(process.code, 0) << process.out;
    EXPECT_EQ(results_of(process).at("inputs").outcome, Outcome::skipped) << "there is no pack of points";
}

TEST(CheckResult, GoesRoundThroughJson) {
    const CheckResult result{"gradients", Outcome::warning, "two\nlines \"quoted\"", 0.25};
    const CheckResult again = check_result_from_json(to_json(result));
    EXPECT_EQ(again.check, result.check);
    EXPECT_EQ(again.outcome, result.outcome);
    EXPECT_EQ(again.message, result.message);
    EXPECT_EQ(again.seconds, result.seconds);
    EXPECT_EQ(check_result_from_json(to_json(CheckResult{"a", Outcome::passed, "", 0})).message, "");
    for (const char* bad : {"", "[]", "{}", R"({"check":"a","outcome":"fine","message":null,"seconds":0})"})
        EXPECT_THROW(check_result_from_json(bad), Error) << bad;
}

}  // namespace
