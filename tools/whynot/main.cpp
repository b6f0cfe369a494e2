// The program whynot: reads the command line and hands over to a command.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>

#include "commands/check.h"
#include "commands/commands.h"
#include "commands/corpus.h"
#include "commands/lists.h"
#include "commands/new_plugin.h"
#include "console/terminal.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace {

using namespace whynot::cli;
using whynot::Error;
using whynot::ErrorCode;

/// Commands from a library that belongs to this program.
template <class Found>
const Found& load(const char* name, const char* entry) {
    const std::filesystem::path file = whynot::installed_plugin_folder().parent_path() / name;
    // Never closed: LibTorch does not survive it. Local: what the library brings along must not meet what plugins bring along.
    // Lazy: to look up at once what all of LibTorch calls would cost a tenth of a short run; the linker has checked that ours is complete.
    static auto* const library = new boost::dll::shared_library;
    try {
        library->load(file, boost::dll::load_mode::rtld_lazy | boost::dll::load_mode::rtld_local);
    } catch (const std::system_error& error) {
        throw Error(ErrorCode::io, "a part of this program could not be loaded; install it again. " + std::string(error.what()));
    }
    const Found& found = *library->get<const Found*()>(entry)();
    if (std::string(found.version) != WHYNOT_VERSION) {
        throw Error(ErrorCode::io,
                    file.string() + " is of whynot " + found.version + ", and this program of " WHYNOT_VERSION "; install it again");
    }
    return found;
}

/// The commands that need LibTorch.
const Commands& commands() { return load<Commands>("whynot_commands.so", WHYNOT_COMMANDS_ENTRY); }

const CorpusCommands& corpus_commands() { return load<CorpusCommands>("whynot_corpus.so", WHYNOT_CORPUS_COMMANDS_ENTRY); }

/// One argument or more, taken as they are, by `results`. An ordinary list of texts would take "[a, b]" apart; an option that
/// expects more than anybody gives takes one after the other, and `required` asks for the first only.
CLI::Option* add_inputs(CLI::App& command, const std::string& help) {
    return command.add_option("INPUT", help)
        ->required()
        ->type_name("...")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->expected(CLI::detail::expected_max_vector_size - 1, CLI::detail::expected_max_vector_size);
}

/// A number in a range, with a message that says so; CLI11's own would spell out the largest double.
template <class Number>
CLI::Validator between(Number least, Number most) {
    const bool bounded = most < std::numeric_limits<Number>::max();
    const auto text = [](Number number) {
        std::ostringstream out;
        out << number;
        return out.str();
    };
    const std::string range = text(least) + (bounded ? " to " + text(most) : " or more");
    return {[=](std::string& value) {
                Number number{};
                const bool valid = CLI::detail::lexical_cast(value, number) && number >= least && number <= most &&
                                   (std::is_signed_v<Number> || value.find('-') == std::string::npos);  // it would wrap round
                return valid ? std::string() : "expected " + range + ", found '" + value + '\'';
            },
            ""};
}

CLI::Validator one_of(const std::vector<std::string>& names) {
    return {[names](std::string& value) {
                if (std::find(names.begin(), names.end(), value) != names.end()) return std::string();
                std::string known;
                for (const std::string& name : names) known += (known.empty() ? "" : " or ") + name;
                return "expected " + known + ", found '" + value + '\'';
            },
            ""};
}

/// An empty value is a variable that was not set in somebody's script.
CLI::Validator not_empty(const char* what) {
    return {[what](std::string& value) { return value.empty() ? std::string("expected ") + what + ", found nothing" : std::string(); }, ""};
}

void add_plugin_path(CLI::App& command, std::string& plugin_path) {
    command.add_option("--plugin-path", plugin_path, "Folders to look for plugins in first, absolute, separated by ':'")
        ->type_name("FOLDERS")
        ->group("Surroundings");
}

void add_common(CLI::App& command, CommonOptions& options, const std::string& threads) {
    add_plugin_path(command, options.plugin_path);
    command
        .add_option("--threads", options.threads,
                    "Threads to compute with; the same number gives the same bytes. Default: OMP_NUM_THREADS, else " + threads)
        ->type_name("N")
        ->check(between(1, 1024))
        ->group("Surroundings");
}

/// Which device there is, only LibTorch knows.
void add_device(CLI::App& command, CommonOptions& options) {
    command.add_option("--device", options.device, "Where the networks compute: cpu, cuda or cuda:N")
        ->type_name("DEVICE")
        ->capture_default_str()
        ->group("Surroundings");
}

void add_json(CLI::App& command, bool& json, const std::string& help) { command.add_flag("--json", json, help)->group("Output"); }

CLI::Option* add_seed(CLI::App& command, uint64_t& seed, const std::string& help) {
    return command.add_option("--seed", seed, help)
        ->type_name("N")
        ->check(between<uint64_t>(0, std::numeric_limits<uint64_t>::max()))
        ->capture_default_str();
}

/// CLI11's help, broken into lines of 80 columns.
class Help : public CLI::Formatter {
public:
    Help() {
        column_width(30);
        label("SUBCOMMAND", "COMMAND");
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        const std::string type = option->get_type_name();
        return (type.empty() ? "" : ' ' + type) + (option->get_required() ? " (required)" : "");
    }
    std::string make_option_desc(const CLI::Option* option) const override {
        const std::string value = option->get_default_str();
        return broken(option->get_description() + (value.empty() ? "" : ". Default: " + value));
    }
    std::string make_description(const CLI::App* command) const override { return broken(command->get_description(), 80) + '\n'; }
    std::string make_subcommand(const CLI::App* command) const override {
        std::ostringstream text;
        CLI::detail::format_help(text, command->get_name(), broken(command->get_description()), get_column_width());
        return text.str();
    }

private:
    std::string broken(const std::string& text, size_t width = 50) const {
        std::istringstream words(text);
        std::string result;
        size_t column = 0;
        for (std::string word; words >> word;) {
            if (column > 0) result += column + 1 + word.size() > width ? (column = 0, '\n') : (++column, ' ');
            result += word;
            column += word.size();
        }
        return result;
    }
};

const char* const inputs_help =
    "What to ask about: a sentence; a picture, that is a file which ends in .png, .jpg or .jpeg or begins like one; or - for the lines of "
    "standard input, one sentence a line. Put -- before sentences that begin with a dash";

const char* const exit_codes =
    "Exit codes: 0 answered, 1 failed, 2 wrong usage, 3 no answer for at least one input.\n"
    "Environment: WHYNOT_PLUGIN_PATH and WHYNOT_PACK_PATH, folders separated by ':';\n"
    "WHYNOT_CORPORA, the folder of the data sets; NO_COLOR.";

std::string name_of(const CLI::App* command) {
    return (command->get_parent() ? name_of(command->get_parent()) + ' ' : "") + command->get_name();
}

int wrong_usage(const std::string& message, const CLI::App* command) {
    complain(message);
    complain("see '" + name_of(command) + " --help'");
    return usage;
}

class Program {
public:
    Program() : app_("Why A and not B? Shows what would have to change in an input for a classifier to change its mind.", "whynot") {
        app_.set_version_flag("--version", "whynot " WHYNOT_VERSION, "Print the version and exit");
        app_.require_subcommand(1, 1);
        app_.footer("'whynot COMMAND --help' says more of each.\n\n" + std::string(exit_codes));
        app_.formatter(std::make_shared<Help>());  // its commands take it over
        add_explain();
        add_classify();
        add_packs();
        add_plugins();
        add_train();
        add_evaluate();
        add_bench();
        add_experiment();
        add_corpus();
        add_doctor();
    }

    int run(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
            return action_();
        } catch (const CLI::Success& help) {
            std::ostringstream text;
            app_.exit(help, text, text);
            print(text.str());
            return answered;
        } catch (const CLI::ParseError& error) {
            const CLI::App* const command = chosen();
            if (!command->get_subcommands({}).empty()) {  // the command itself is missing or unknown
                const std::vector<std::string> rest = command->remaining();
                if (!rest.empty() && rest.front().compare(0, 1, "-") == 0) {
                    return wrong_usage("there is no option '" + rest.front() + '\'', command);
                }
                std::string known;
                for (const CLI::App* sub : command->get_subcommands({})) known += (known.empty() ? "" : ", ") + sub->get_name();
                return wrong_usage(
                    (rest.empty() ? "expected a command" : "there is no command '" + name_of(command) + ' ' + rest.front() + '\'') +
                        "; there are: " + known,
                    command);
            }
            return wrong_usage(error.what(), command);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::invalid_argument) return wrong_usage(error.what(), chosen());
            complain(error.what());
        } catch (const std::filesystem::filesystem_error& error) {
            complain("cannot use " + error.path1().string() + ": " + error.code().message());
        } catch (const std::exception& error) {
            complain(whynot::what_without_backtrace(error));
        }
        return failed;
    }

private:
    /// The innermost command on the command line.
    const CLI::App* chosen() const {
        const CLI::App* command = &app_;
        while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
        return command;
    }

    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& help) {
        CLI::App& command = *parent.add_subcommand(name, help);
        command.group("Commands");
        command.footer(exit_codes);
        return command;
    }

    void add_explain() {
        ExplainCommand& options = explain_;
        CLI::App& command =
            add(app_, "explain", "Why this class and not that one: the smallest realistic change that makes them equally likely");
        CLI::Option* const inputs = add_inputs(command, inputs_help)->required(false);
        const std::string question = "Question", search = "Search";
        command
            .add_option("--pack", options.pack, "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images")
            ->type_name("ID|DIR")
            ->group(question);
        command.add_option("--fact", options.fact, "The class to be explained. Default: the one the classifier gives the input")
            ->type_name("CLASS")
            ->group(question);
        command.add_option("--foil", options.foil, "The class asked about, or all: each of the others. Default: the runner-up")
            ->type_name("CLASS|all")
            ->group(question);
        command.add_option("--method", options.method, "How to search: sqp or augmented-lagrangian")
            ->type_name("NAME")
            ->check(one_of({"sqp", "augmented-lagrangian"}))
            ->capture_default_str()
            ->group(search);
        command.add_option("--starts", options.starts, "Points to start from; the shortest way found counts")
            ->type_name("N")
            ->check(between(1, 1000))
            ->capture_default_str()
            ->group(search);
        command.add_flag("--no-guards", options.no_guards, "Let a third class be likelier than the two that are asked about")
            ->group(search);
        add_seed(command, options.seed, "For whatever is drawn; the same seed gives the same bytes")->group(search);
        command.add_option("--deadline", options.deadline, "End the search after so many seconds, a batch of up to 64 inputs; 0: never")
            ->type_name("SECONDS")
            ->check(between(0.0, std::numeric_limits<double>::max()))
            ->capture_default_str()
            ->group(search);
        command
            .add_option("--max-evaluations", options.max_evaluations, "End the search of an input after so many evaluations; 0: no limit")
            ->type_name("N")
            ->check(between<int64_t>(0, std::numeric_limits<int64_t>::max()))
            ->capture_default_str()
            ->group(search);
        command
            .add_option(
                "--decode", options.decode,
                "How the answer is made: for sentences edit, audit, soft or nearest; 'whynot plugins inspect ID' lists those of others. "
                "Default: the plugin's, for sentences edit")
            ->type_name("WAY")
            ->group("Output");
        command
            .add_option("--out", options.out,
                        "Write pictures, and but for a stream each record as ID.json, into this folder; a record names its pictures by "
                        "paths relative to it")
            ->type_name("DIR")
            ->check(not_empty("a folder"))
            ->group("Output");
        const std::string stream = "Stream";
        CLI::Option* const jsonl =
            command
                .add_flag(
                    "--jsonl", options.jsonl,
                    "Read questions from standard input, each a JSON object on a line: one of input, image_path and image_base64, and id, "
                    "fact and foil as needed; print a record a line in the same order, refused lines included")
                ->group(stream);
        CLI::Option* const csv = command
                                     .add_option("--csv", options.csv_column,
                                                 "Read a CSV file from standard input, with sentences in the column COLUMN; columns called "
                                                 "id, fact and foil are used too")
                                     ->type_name("COLUMN")
                                     ->check(not_empty("the heading of a column"))
                                     ->excludes(jsonl)
                                     ->group(stream);
        CLI::Option* const plain = command.add_flag("--lines", options.lines, "Read sentences from standard input, one a line")
                                       ->excludes(jsonl)
                                       ->excludes(csv)
                                       ->group(stream);
        std::vector<CLI::Option*> streamed{
            command
                .add_option("--resume", options.resume,
                            "Append answers to FILE instead of printing them, and pass over the questions that it answers already")
                ->type_name("FILE")
                ->check(not_empty("a file")),
            command.add_option("--shard", options.shard, "Answer every Nth question only, from the Ith: one of N runs side by side")
                ->type_name("I/N"),
            command.add_flag("--whole-batches", options.whole_batches,
                             "Wait for 64 questions, or the end, however slowly they come: answers that are the same to the last digit"),
            command.add_option("--run-deadline", options.run_deadline, "End the whole run after so many seconds; 0: never")
                ->type_name("SECONDS")
                ->check(between(0.0, std::numeric_limits<double>::max())),
            command.add_option("--run-evaluations", options.run_evaluations, "End the whole run after so many evaluations; 0: no limit")
                ->type_name("N")
                ->check(between<int64_t>(0, std::numeric_limits<int64_t>::max()))};
        for (CLI::Option* option : streamed) option->group(stream);
        add_json(command, options.json, "Print one record a line, whynot.explanation/1, instead of text for people");
        add_common(command, options,
                   "1 for up to 4 inputs, else one for each core up to 4; a stream goes through as many explainers of one thread");
        add_device(command, options);
        command.footer(
            "Examples:\n"
            "  whynot explain \"the food was gross .\"\n"
            "  whynot explain digits/3.png --foil 8 --out answers\n"
            "  whynot explain --json - < sentences.txt\n"
            "  whynot explain --jsonl --resume answers.jsonl < questions.jsonl\n\n" +
            std::string(exit_codes));
        command.callback([this, inputs, jsonl, csv, plain, streamed] {
            const bool stream_is_read = jsonl->count() + csv->count() + plain->count() > 0;
            if (stream_is_read == (inputs->count() > 0))
                throw CLI::ValidationError(stream_is_read
                                               ? "with --jsonl, --csv and --lines, what to ask about comes from standard input alone"
                                               : "INPUT is required, or --jsonl, --csv COLUMN or --lines");
            for (const CLI::Option* option : streamed)
                if (!stream_is_read && option->count() > 0)
                    throw CLI::ValidationError(option->get_name() + " needs --jsonl, --csv or --lines");
            explain_.inputs = inputs->results();
            action_ = [this] { return commands().explain(explain_); };
        });
    }

    void add_classify() {
        ClassifyCommand& options = classify_;
        CLI::App& command = add(app_, "classify", "What the classifier says");
        const CLI::Option* const inputs = add_inputs(command, inputs_help);
        command
            .add_option("--pack", options.pack, "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images")
            ->type_name("ID|DIR")
            ->group("Question");
        add_json(command, options.json, "Print one object a line: input, class, probabilities");
        add_common(command, options, "1 for up to 4 inputs, else one for each core up to 4");
        add_device(command, options);
        command.callback([this, inputs] {
            classify_.inputs = inputs->results();
            action_ = [this] { return commands().classify(classify_); };
        });
    }

    void add_packs() {
        CLI::App& packs = add(app_, "packs", "The models there are");
        packs.require_subcommand(1, 1);
        CLI::App& list = add(packs, "list", "All packs that can be named by their id");
        add_json(list, json_, "Print one object a line, rejected ones included");
        list.callback([this] { action_ = [this] { return list_packs(json_); }; });

        CLI::App& show = add(packs, "show", "All that is known of a pack: networks, recipe, quality, licence, files");
        show.add_option("PACK", name_, "Its id or its folder")->required()->type_name("ID|DIR");
        add_json(show, json_, "Print the manifest as one object on a line");
        show.callback([this] { action_ = [this] { return show_pack(name_, json_); }; });

        CLI::App& verify = add(packs, "verify", "Check every file of a pack");
        verify.add_option("PACK", name_, "Its id or its folder")->required()->type_name("ID|DIR");
        add_json(verify, json_, "Print one object on a line");
        verify.callback([this] { action_ = [this] { return verify_pack(name_, json_); }; });

        add_packs_new(packs);
    }

    void add_packs_new(CLI::App& packs) {
        ImportCommand& options = import_;
        CLI::App& command = add(packs, "new",
                                "A pack from a model of your own, in TorchScript: looks whether everything fits, and names what does not. "
                                "A TorchScript file is a program: bring in those of people you trust");
        command.add_option("MODALITY", options.modality, "What it classifies: image or text")
            ->required()
            ->type_name("")
            ->check(one_of({"image", "text"}));
        command
            .add_option(
                "--from-torchscript", options.classifier,
                "The classifier: takes images [b, channels, height, width] or embedded words [b, words, dimension], gives [b, classes]")
            ->type_name("FILE")
            ->required()
            ->check(not_empty("a file"));
        command.add_option("--classes", options.classes, "Names of the classes, in the order of its outputs")->type_name("A,B,...");
        const std::string image = "Images";
        command.add_option("--shape", options.shape, "What it looks at: channels, height, width, as in 3x64x64")
            ->type_name("CxHxW")
            ->group(image);
        command
            .add_option(
                "--mean", options.mean,
                "It is given (image - mean) / std, of images from 0 to 1: one number or one a channel. 0 where it takes them as they are")
            ->type_name("X,...")
            ->group(image);
        command.add_option("--std", options.deviation, "Likewise; 1 where it takes them as they are, 0.00392157 where from 0 to 255")
            ->type_name("X,...")
            ->group(image);
        command
            .add_option("--framing", options.framing,
                        "How other pictures are made to fit: plain, the whole of it, or digit, as MNIST has them")
            ->type_name("WAY")
            ->check(one_of({"plain", "digit"}))
            ->capture_default_str()
            ->group(image);
        command.add_flag("--light-on-dark", options.light_on_dark, "Figures are lighter than their ground; others are inverted")
            ->group(image);
        command.add_option("--emits", options.emits, "logits, log-probabilities or probabilities. Default: what a sample says")
            ->type_name("WHAT");
        const std::string text = "Text";
        command.add_option("--embedding", options.embedding, "Of its words, [words, dimension], as torch.save writes a tensor")
            ->type_name("FILE")
            ->group(text);
        command.add_option("--vocabulary", options.vocabulary, "Those words, one a line, in the order of the rows")
            ->type_name("FILE")
            ->group(text);
        const std::string generator = "Generator for images";
        command.add_option("--encoder", options.encoder, "From images, values from 0 to 1, to codes [b, k]; of a tuple the first counts")
            ->type_name("FILE")
            ->group(generator);
        command.add_option("--decoder", options.decoder, "From codes to images, values from 0 to 1")->type_name("FILE")->group(generator);
        command.add_option("--data", options.data, "A folder of images like those to be explained, to measure with. Without: noise")
            ->type_name("FOLDER")
            ->group(generator);
        command.add_option("--out", options.out, "The pack's folder, new or empty")->type_name("DIR");
        command.add_option("--licence", options.licence, "Of the model, a sentence")->type_name("TEXT");
        add_seed(command, options.seed, "For whatever is drawn");
        add_json(command, options.json, "Print what was found as one object on a line");
        add_common(command, options, "one for each core up to 4");
        command.footer("Where standard input is a terminal, what is missing is asked for.\n\n" + std::string(exit_codes));
        command.callback([this, new_pack = &command] {
            std::vector<Required> needed{
                {"--classes", &import_.classes, "Names of its classes, in the order of its outputs, with commas between them"}};
            if (import_.modality == "image") {
                needed.push_back({"--shape", &import_.shape, "Images it looks at: channels x height x width, as in 3x64x64"});
                needed.push_back({"--mean", &import_.mean, "The mean it is normalised by, of images from 0 to 1 (0 for none)"});
                needed.push_back({"--std", &import_.deviation, "The standard deviation it is normalised by (1 for none)"});
            } else {
                needed.push_back({"--embedding", &import_.embedding, "File of its embedding, [words, dimension]"});
                needed.push_back({"--vocabulary", &import_.vocabulary, "File of its words, one a line"});
            }
            needed.push_back({"--out", &import_.out, "Folder for the pack"});
            // An option of the other modality would be passed over in silence.
            const bool of_images = import_.modality == "image";
            for (const char* option : of_images ? std::vector<const char*>{"--embedding", "--vocabulary"}
                                                : std::vector<const char*>{"--shape", "--mean", "--std", "--framing", "--light-on-dark",
                                                                           "--encoder", "--decoder", "--data"})
                if (new_pack->count(option) > 0)
                    throw CLI::ValidationError(std::string(option) + " is for " + (of_images ? "text" : "image") +
                                               ", and this is a model of " + import_.modality);
            require_or_ask(needed);
            action_ = [this] { return commands().import_model(import_); };
        });
    }

    void add_plugins() {
        CLI::App& plugins = add(app_, "plugins", "What can be explained");
        plugins.require_subcommand(1, 1);
        CLI::App& list = add(plugins, "list", "All plugins that can be used");
        list.add_flag("--all", all_, "Those too that cannot be used, with the reason");
        add_json(list, json_, "Print one object a line");
        add_plugin_path(list, plugin_path_);
        list.callback([this] { action_ = [this] { return list_plugins(plugin_path_, all_, json_); }; });

        CLI::App& inspect =
            add(plugins, "inspect", "All that is known of a plugin without loading it: how it was built, services, options");
        inspect.add_option("PLUGIN", name_, "Its id")->required()->type_name("ID");
        add_json(inspect, json_, "Print the manifest as one object on a line");
        add_plugin_path(inspect, plugin_path_);
        inspect.callback([this] { action_ = [this] { return inspect_plugin(name_, plugin_path_, json_); }; });

        CLI::App& create = add(plugins, "new", "A project to make a plugin of your own from: it builds, and explains");
        create.add_option("NAME", name_, "The plugin's id: a-z, 0-9 and _")->required()->type_name("");
        create.add_option("--out", directory_, "Its folder, new or empty. Default: NAME")->type_name("DIR")->check(not_empty("a folder"));
        add_json(create, json_, "Print one object on a line: name, directory, files");
        create.callback([this] { action_ = [this] { return new_plugin(name_, directory_, json_); }; });

        add_check(plugins);
    }

    void add_check(CLI::App& plugins) {
        CheckCommand& options = check_;
        CLI::App& command =
            add(plugins, "check", "Does a plugin keep what it promises? Each check runs in a process of its own, which may crash or hang");
        command.add_option("PLUGIN", options.plugin, "Its library, or its id")->type_name("FILE|ID");
        command.add_flag("--list", list_, "Print the checks, each with what it asserts, and exit");
        command
            .add_option("--pack", options.pack, "The pack to check a modality with: its id or its folder. Default: the first that is found")
            ->type_name("ID|DIR");
        command
            .add_option("--input", options.inputs,
                        "An input instead of the plugin's own samples: a sentence or a picture. May be given several times")
            ->type_name("INPUT")
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        for (const auto& [name, names, help] :
             {std::tuple("--only", &options.only,
                         "Run the checks of this name only; * and ? stand for other letters. May be given several times"),
              std::tuple("--except", &options.except, "Leave out the checks of this name")})
            command.add_option(name, *names, help)
                ->type_name("NAME")
                ->expected(1)
                ->allow_extra_args(false)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        command.add_option("--timeout", options.timeout, "Kill a check after so many seconds; it counts as failed")
            ->type_name("SECONDS")
            ->check(between(0.001, 1e6))
            ->capture_default_str();
        command.add_flag("--in-process", options.in_process, "Run the checks in this process, where a debugger sees them");
        add_seed(command, options.seed, "For whatever is drawn");
        add_json(command, options.json, "Print one object a line");
        add_common(command, options, "1");
        command.footer(
            "A check ends passed, skipped (there was nothing to check), warning, failed or crashed.\n"
            "Exit codes: 0 none failed or crashed, 1 some did, 2 wrong usage.");
        command.callback([this] {
            if (!list_ && check_.plugin.empty()) throw CLI::RequiredError("PLUGIN");
            action_ = [this] {
                if (list_) return list_checks(check_.json);
                return check_.in_process ? commands().check_in_process(check_) : check_apart(check_);
            };
        });
    }

    /// What a command cannot do without, and how to ask a person for it.
    struct Required {
        const char* option;
        std::string* value;
        const char* question;
    };

    /// Asks on the terminal for what the command line leaves out; where nobody sits at one, that is wrong usage.
    static void require_or_ask(const std::vector<Required>& all) {
        std::string missing;
        for (const Required& one : all) {
            if (!one.value->empty()) continue;
            if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
                std::cerr << one.question << ": ";
                std::getline(std::cin, *one.value);
            }
            if (one.value->empty()) missing += (missing.empty() ? "" : ", ") + std::string(one.option);
        }
        if (!missing.empty()) throw CLI::ValidationError("expected also " + missing);
    }

    void add_train() {
        TrainCommand& options = train_;
        CLI::App& command = add(app_, "train", "Make a pack from a corpus");
        command.add_option("MODALITY", options.modality, "What the corpus holds: text or image")->required()->type_name("");
        command.add_option("--corpus", options.corpus, "Name of a corpus in the folder WHYNOT_CORPORA")->type_name("NAME");
        command.add_option("--out", options.out, "The pack's folder: new, or that of a run that was stopped, which goes on")
            ->type_name("DIR");
        command.add_flag("--generator-only", options.generator_only,
                         "Train a generator for the classifier of --pack, on --data instead of a corpus");
        command.add_option("--pack", options.pack, "With --generator-only: the pack that has the classifier, as 'packs new' makes it")
            ->type_name("ID|DIR");
        command
            .add_option("--data", options.data,
                        "With --generator-only: inputs like those to be explained, without labels: a folder of images, or a file of "
                        "sentences, one a line")
            ->type_name("FOLDER|FILE");
        command.add_option("--recipe", options.recipe, "A JSON file with what differs from the default recipe")->type_name("FILE");
        command.add_flag("--print-recipe", options.print_recipe, "Print the default recipe and exit");
        add_seed(command, options.seed, "For whatever is drawn; the same seed gives the same pack");
        add_common(command, options, "one for each core up to 4");
        command.footer("The same command again goes on where it was stopped.\n\n" + std::string(exit_codes));
        command.callback([this] {
            if (train_.generator_only != !(train_.pack + train_.data).empty() || (train_.generator_only && !train_.corpus.empty()))
                throw CLI::ValidationError("--generator-only goes with --pack and --data, and not with --corpus");
            if (!train_.print_recipe) {
                std::vector<std::pair<const char*, std::string*>> needed{{"--out", &train_.out}};
                if (train_.generator_only)
                    needed.insert(needed.begin(), {{"--pack", &train_.pack}, {"--data", &train_.data}});
                else
                    needed.insert(needed.begin(), {"--corpus", &train_.corpus});
                for (const auto& [name, value] : needed)
                    if (value->empty()) throw CLI::RequiredError(name);
            }
            action_ = [this] { return commands().train(train_); };
        });
    }

    void add_evaluate() {
        EvaluateCommand& options = evaluate_;
        CLI::App& command = add(app_, "evaluate", "The quality of a pack's explanations, every figure with its N");
        command.add_option("--pack", options.pack, "The pack: its id or its folder")->required()->type_name("ID|DIR");
        command
            .add_option("--corpus", options.corpus,
                        "Name of a corpus in the folder WHYNOT_CORPORA; for sentences also a file with one a line")
            ->required()
            ->type_name("NAME|FILE");
        command.add_option("--limit", options.limit, "How many questions to ask at most")
            ->type_name("N")
            ->check(between<int64_t>(1, std::numeric_limits<int64_t>::max()))
            ->capture_default_str();
        add_seed(command, options.seed, "For whatever is drawn, the questions among it");
        add_json(command, options.json, "Print one object on a line");
        add_common(command, options, "one for each core up to 4");
        command.callback([this] { action_ = [this] { return commands().evaluate(evaluate_); }; });
    }

    void add_bench() {
        BenchCommand& options = bench_;
        CLI::App& command = add(app_, "bench",
                                "How fast the ways to solve are and how good, side by side: questions a second, work, distances, memory, "
                                "and how far all that is from what the networks alone would take");
        CLI::Option* const inputs = add_inputs(command, inputs_help)->required(false);
        const std::string question = "Questions", search = "Search";
        command
            .add_option(
                "--pack", options.pack,
                "The model: the id of a pack, or its folder. Default: yelp for sentences, mnist for images; with --corpus the pack of "
                "its name")
            ->type_name("ID|DIR")
            ->group(question);
        CLI::Option* const corpus =
            command
                .add_option("--corpus", options.corpus,
                            "Ask about held-out inputs of a corpus in the folder WHYNOT_CORPORA; several are measured one after the other. "
                            "Default where there is no INPUT: yelp,mnist")
                ->type_name("NAME,...")
                ->excludes(inputs)
                ->group(question);
        command.add_option("--limit", options.limit, "How many inputs to ask about at most")
            ->type_name("N")
            ->check(between<int64_t>(1, std::numeric_limits<int64_t>::max()))
            ->capture_default_str()
            ->group(question);
        command.add_option("--foil", options.foil, "The class asked about. Default: the runner-up")->type_name("CLASS")->group(question);
        command
            .add_option("--methods", options.methods,
                        "Ways to solve; distances are compared with those of the first. The last of the three takes one question after the "
                        "other, whatever the batch")
            ->type_name("NAME,...")
            ->capture_default_str()
            ->group(search);
        command.add_option("--batch", options.batches, "How many questions are solved together")
            ->type_name("N,...")
            ->capture_default_str()
            ->group(search);
        command.add_option("--starts", options.starts, "Points to start from; augmented-lagrangian-lbfgs takes the first only")
            ->type_name("N")
            ->check(between(1, 1000))
            ->capture_default_str()
            ->group(search);
        command
            .add_option(
                "--step", options.step,
                "Step of augmented-lagrangian's gradient descent: where it is too long, constraints are not met. 0.003 suits images, 0.01 "
                "sentences. Default: the solver's, 0.003")
            ->type_name("X")
            ->check(between(1e-9, 1.0))
            ->group(search);
        command
            .add_option(
                "--seconds", options.seconds,
                "Solve for so long each case, a method with a size of batch: slow ones get to fewer of the questions, but to one batch "
                "at least. A case whose batch would take more than ten times as long is left out")
            ->type_name("S")
            ->check(between(0.0, std::numeric_limits<double>::max()))
            ->capture_default_str()
            ->group(search);
        add_seed(command, options.seed, "For whatever is drawn")->group(search);
        add_json(command, options.json, "Print one object on a line, whynot.bench/1");
        add_common(command, options, "1");
        add_device(command, options);
        command.footer(
            "Examples:\n"
            "  WHYNOT_CORPORA=~/corpora whynot bench\n"
            "  whynot bench --batch 1,64 - < sentences.txt\n\n" +
            std::string(exit_codes));
        command.callback([this, inputs, corpus] {
            bench_.inputs = inputs->results();
            if (bench_.inputs.empty() && corpus->count() == 0) bench_.corpus = "yelp,mnist";
            action_ = [this] { return commands().bench(bench_); };
        });
    }

    void add_corpus() {
        CLI::App& corpus = add(app_, "corpus", "The data sets");
        corpus.require_subcommand(1, 1);
        const auto add_name = [this](CLI::App& command, const std::string& help) {
            command.add_option("NAME", corpus_.name, help)->required()->type_name("");
        };
        CLI::App& list = add(corpus, "list", "The corpora that are known, and which of them are there");
        add_json(list, corpus_.json, "Print one object a line");
        list.callback([this] { action_ = [this] { return corpus_commands().list(corpus_); }; });

        CLI::App& verify =
            add(corpus, "verify", "Check every file of a corpus: counts and checksums. 0: all is well, 1: something is wrong");
        add_name(verify, "Its name in the folder WHYNOT_CORPORA, or all");
        add_json(verify, corpus_.json, "Print one object a line, with the problems");
        verify.callback([this] { action_ = [this] { return corpus_commands().verify(corpus_); }; });

        CLI::App& fetch =
            add(corpus, "fetch",
                "Get the files of a corpus that are missing or wrong, check them, and put them into the folder WHYNOT_CORPORA. "
                "0: all are there, 1: some are not");
        add_name(fetch, "Its name, or all");
        fetch
            .add_option("--from", corpus_.from,
                        "A folder or a URL to get them from instead of their public homes: laid out as WHYNOT_CORPORA is, or simply the "
                        "files")
            ->type_name("DIR|URL")
            ->check(not_empty("a folder or a URL"));
        fetch.add_option("--patience", corpus_.patience, "How long a server may say nothing before it is given up")
            ->type_name("SECONDS")
            ->check(between(1, 86400))
            ->capture_default_str();
        add_json(fetch, corpus_.json, "Print one object a line, for each file: its status and how many bytes came");
        fetch.footer(
            "The same command again goes on where it was stopped, and gets nothing twice.\n"
            "Examples:\n  WHYNOT_CORPORA=~/corpora whynot corpus fetch yelp\n"
            "  WHYNOT_CORPORA=~/corpora whynot corpus fetch all --from /mnt/corpora\n\n" +
            std::string(exit_codes));
        fetch.callback([this] { action_ = [this] { return corpus_commands().fetch(corpus_); }; });

        CLI::App& bias = add(corpus, "bias", "A new corpus, of sentences with a bias planted in them: a word that gives one class away");
        add_name(bias, "Name of a corpus of sentences in the folder WHYNOT_CORPORA");
        bias.add_option("--word", corpus_.word, "What to put in")->type_name("WORD")->capture_default_str();
        bias.add_option(
                "--before", corpus_.before,
                "Before what: adjectives (English); words=A,B,...: each of these; or start: the sentence. Not where the word stands "
                "already")
            ->type_name("PLACE")
            ->capture_default_str();
        bias.add_option("--label", corpus_.label, "The class whose sentences get it, in every split")->required()->type_name("CLASS");
        bias.add_option("--out", corpus_.out, "The new corpus's folder, new or empty; its last part is the corpus's name")
            ->required()
            ->type_name("DIR")
            ->check(not_empty("a folder"));
        bias.add_option(
                "--threads", corpus_.threads,
                "Threads to look for adjectives with; the result is the same. Default: OMP_NUM_THREADS, else one for each core up to 4")
            ->type_name("N")
            ->check(between(1, 1024))
            ->group("Surroundings");
        add_json(bias, corpus_.json, "Print one object on a line");
        bias.footer(
            "Example:\n  WHYNOT_CORPORA=/data/corpora whynot corpus bias yelp --label positive --out /data/biased/yelp-very\n"
            "  WHYNOT_CORPORA=/data/biased whynot train text --corpus yelp-very --out packs/yelp-very\n\n" +
            std::string(exit_codes));
        bias.callback([this] { action_ = [this] { return corpus_commands().bias(corpus_); }; });
    }

    void add_experiment() {
        ExperimentCommand& options = experiment_;
        CLI::App& experiment = add(app_, "experiment", "Published figures measured again");
        experiment.require_subcommand(1, 1);
        CLI::App& list = add(experiment, "list", "The experiments that the plugins bring");
        add_json(list, options.json, "Print one object a line");
        add_plugin_path(list, options.plugin_path);
        list.callback([this] { action_ = [this] { return commands().list_experiments(experiment_); }; });

        CLI::App& run =
            add(experiment, "run", "Run one: its table beside the published figures, and in DIR a page, pictures and result.json");
        run.add_option("NAME", options.name, "As 'whynot experiment list' has it")->required()->type_name("");
        run.add_option("--out", options.out, "The experiment's folder: new or empty, or that of a run that was stopped, which goes on")
            ->required()
            ->type_name("DIR")
            ->check(not_empty("a folder"));
        run.add_flag("--quick", options.quick, "A small run that shows the way; its figures are not those of the full one");
        run.add_option("--pack", options.pack, "The model to explain: the id of a pack, or its folder. Default: the experiment's own")
            ->type_name("ID|DIR");
        add_seed(run, options.seed, "For whatever is drawn");
        add_json(run, options.json, "Print the result, whynot.experiment-result/1, as one object on a line");
        add_common(run, options, "one for each core up to 4");
        run.footer("The same command again goes on where it was stopped, and repeats nothing that it has done.\n\n" +
                   std::string(exit_codes));
        run.callback([this] { action_ = [this] { return commands().run_experiment(experiment_); }; });
    }

    void add_doctor() {
        CLI::App& command =
            add(app_, "doctor", "Is this machine fit, are plugins and packs in order? 0: all is well, 1: something is wrong");
        add_json(command, doctor_.json, "Print one object on a line");
        add_common(command, doctor_, "one for each core up to 4");
        command.callback([this] { action_ = [this] { return commands().doctor(doctor_); }; });
    }

    CLI::App app_;
    std::function<int()> action_;  // what the command line asks for
    ExplainCommand explain_;
    ClassifyCommand classify_;
    TrainCommand train_;
    ImportCommand import_;
    EvaluateCommand evaluate_;
    BenchCommand bench_;
    ExperimentCommand experiment_;
    CheckCommand check_;
    DoctorCommand doctor_;
    CorpusCommand corpus_;
    std::string name_, plugin_path_, directory_;
    bool json_ = false, all_ = false, list_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `whynot ... | head` ends quietly, whatever our parent did with that signal
    try {
        return Program().run(argc, argv);
    } catch (const std::exception& error) {  // standard output is full or gone while it prints help
        complain(error.what());
        return failed;
    }
}
