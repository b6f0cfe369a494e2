// The program whynot: reads the command line and hands over to a command.
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "bench/bench.h"
#include "commands/attribute/attribute.h"
#include "commands/doctor/doctor.h"
#include "commands/experiment/experiment.h"
#include "commands/explain/explain.h"
#include "commands/load.h"
#include "commands/packs/packs.h"
#include "commands/plugins/check.h"
#include "commands/plugins/plugins.h"
#include "commands/serve/serve.h"
#include "commands/study/study.h"
#include "commands/train/train.h"
#include "console/process.h"
#include "console/terminal.h"
#include "documents/documents.h"
#include "options/common.h"
#include "options/options.h"
#include "serve/asker.h"
#include "whynot/error.h"
#include "whynot/host.h"

namespace {

using namespace whynot::cli;
using whynot::Error;
using whynot::ErrorCode;

int wrong_usage(const std::string& message, const CLI::App& command) {
    complain(message);
    complain("see '" + name_of(command) + " --help'");
    return usage;
}

std::string no_command(const CLI::App& parent, const std::string& name) {
    std::vector<std::string> known;
    for (const CLI::App* command : parent.get_subcommands({}))
        if (!command->get_group().empty()) known.push_back(command->get_name());
    return (name.empty() ? "expected a command" : "there is no command '" + name_of(parent) + ' ' + name + '\'') +
           "; there are: " + whynot::base::joined(known);
}

class Program {
public:
    Program() {
        app_.set_version_flag("--version", "whynot " WHYNOT_VERSION, "Print the version and exit");
        app_.require_subcommand(1, 1);
        app_.footer("'whynot COMMAND --help' says more of each.\n\n" + std::string(exit_codes));
        use_our_help(app_);  // its commands take it over
        add_explain(app_, explain_);
        add_classify(app_, classify_);
        add_attribute(app_, attribute_);
        add_packs(app_, packs_, import_);
        add_plugins(app_, plugins_, check_);
        add_train(app_, train_);
        add_evaluate(app_, evaluate_);
        add_bench(app_, bench_);
        add_experiment(app_, experiment_);
        add_corpus(app_, corpus_);
        add_serve(app_, serve_);
        add_study(app_, study_);
        add_doctor(app_, doctor_);
        add_command(app_, "help", "The same as --help, of the program or of a command")
            .add_option("COMMAND", help_, "Its name, as in 'whynot help packs list'")
            ->type_name("...");
        add_documentation(app_, form_);
    }

    int run(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
            std::string line;
            for (int i = 0; i < argc; ++i) line += (i > 0 ? " " : "") + for_shell(argv[i]);
            for (CommonOptions* command : std::initializer_list<CommonOptions*>{&explain_, &evaluate_, &bench_, &experiment_, &study_})
                command->line = line;
            return actions_.at(name_of(chosen()))();
        } catch (const CLI::Success& help) {
            std::ostringstream text;
            app_.exit(help, text, text);
            print(text.str());
            return answered;
        } catch (const CLI::ParseError& error) {
            return wrong_usage(reason(error), chosen());
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
    const CLI::App& chosen() const {
        const CLI::App* command = &app_;
        while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
        return *command;
    }

    std::string reason(const CLI::ParseError& error) const {
        const CLI::App& command = chosen();
        if (command.get_subcommands({}).empty()) return error.what();
        const std::vector<std::string> rest = command.remaining();  // the command itself is missing or unknown
        if (!rest.empty() && rest.front().compare(0, 1, "-") == 0) return "there is no option '" + rest.front() + '\'';
        return no_command(command, rest.empty() ? "" : rest.front());
    }

    int help() {
        const CLI::App* command = &app_;
        std::string parents;
        for (const std::string& name : help_) {
            const auto inner = command->get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
            if (inner.empty()) throw Error(ErrorCode::invalid_argument, no_command(*command, name));
            parents = name_of(*command);
            command = inner.front();
        }
        // The program's own help would be that of the command that was chosen, which is this one.
        print(command == &app_ ? app_.get_formatter()->make_help(&app_, app_.get_name(), CLI::AppFormatMode::Normal)
                               : command->help(parents));
        return answered;
    }

    int check() {
        if (check_.list) return list_checks(check_.json);
        return check_.in_process ? commands().check_in_process(check_) : check_apart(check_);
    }

    CLI::App app_{"Why A and not B? Shows what would have to change in an input for a classifier to change its mind.", "whynot"};
    ExplainCommand explain_;
    ClassifyCommand classify_;
    AttributeCommand attribute_;
    PacksCommand packs_;
    ImportCommand import_;
    PluginsCommand plugins_;
    CheckCommand check_;
    TrainCommand train_;
    EvaluateCommand evaluate_;
    BenchCommand bench_;
    ExperimentCommand experiment_;
    CorpusCommand corpus_;
    ServeCommand serve_;
    StudyCommand study_;
    ServeCommand asked_by_study_;  ///< how models are opened for it
    DoctorCommand doctor_;
    std::vector<std::string> help_;
    std::string form_;

    const std::map<std::string, std::function<int()>> actions_{
        {"whynot explain", [this] { return commands().explain(explain_); }},
        {"whynot classify", [this] { return commands().classify(classify_); }},
        {"whynot attribute", [this] { return commands().attribute(attribute_); }},
        {"whynot packs list", [this] { return list_packs(packs_); }},
        {"whynot packs show", [this] { return show_pack(packs_); }},
        {"whynot packs verify", [this] { return verify_pack(packs_); }},
        {"whynot packs new", [this] { return commands().import_model(import_); }},
        {"whynot plugins list", [this] { return list_plugins(plugins_); }},
        {"whynot plugins inspect", [this] { return inspect_plugin(plugins_); }},
        {"whynot plugins new", [this] { return new_plugin(plugins_); }},
        {"whynot plugins check", [this] { return check(); }},
        {"whynot train", [this] { return commands().train(train_); }},
        {"whynot evaluate", [this] { return commands().evaluate(evaluate_); }},
        {"whynot bench", [this] { return commands().bench(bench_); }},
        {"whynot experiment list", [this] { return commands().list_experiments(experiment_); }},
        {"whynot experiment run", [this] { return commands().run_experiment(experiment_); }},
        {"whynot corpus list", [this] { return corpus_commands().list(corpus_); }},
        {"whynot corpus verify", [this] { return corpus_commands().verify(corpus_); }},
        {"whynot corpus fetch", [this] { return corpus_commands().fetch(corpus_); }},
        {"whynot corpus bias", [this] { return corpus_commands().bias(corpus_); }},
        {"whynot serve", [this] { return serve_commands().serve(serve_, [this] { return commands().open_asker(serve_); }); }},
        {"whynot study new",
         [this] {
             return serve_commands().make_study(study_, [this] {
                 asked_by_study_.plugin_path = study_.plugin_path;
                 return commands().open_asker(asked_by_study_);
             });
         }},
        {"whynot study serve", [this] { return serve_commands().serve_study(study_); }},
        {"whynot study delete", [this] { return serve_commands().delete_from_study(study_); }},
        {"whynot study simulate", [this] { return serve_commands().simulate_study(study_); }},
        {"whynot study power", [this] { return serve_commands().plan_study(study_); }},
        {"whynot study analyse", [this] { return serve_commands().analyse_study(study_); }},
        {"whynot doctor", [this] { return commands().doctor(doctor_); }},
        {"whynot help", [this] { return help(); }},
        {"whynot documentation", [this] { return print(document(app_, form_)), answered; }},
    };
};

}  // namespace

int main(int argc, char** argv) {
    prepare_process();
    std::signal(SIGPIPE, SIG_DFL);  // `whynot ... | head` ends quietly, whatever our parent did with that signal
    try {
        return Program().run(argc, argv);
    } catch (const std::exception& error) {  // standard output is full or gone while it prints help
        complain(error.what());
        return failed;
    }
}
