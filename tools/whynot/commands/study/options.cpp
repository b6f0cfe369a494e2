#include "options/options.h"
#include "commands/study/study.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

void add_folder(CLI::App& app, StudyCommand& command) {
    app.add_option("DIR", command.folder, "The folder of the study")->required()->type_name("")->check(not_empty("a folder"));
}

void add_new(CLI::App& study, StudyCommand& command) {
    CLI::App& app =
        add_command(study, "new", "Freeze a study: stimuli, explanations, texts, order and seed, in a folder that can be read and changed");
    app.add_option("--preset", command.preset,
                   "feghahati2020: the dissertation's three arms; five-arms: a fairer one, of pictures; sentences: of texts")
        ->type_name("NAME")
        ->capture_default_str()
        ->check(one_of({"feghahati2020", "five-arms", "sentences"}));
    add_pack(app, command.pack, "The pack whose model is learned about: an id or a folder. Default: kannada, for sentences yelp");
    app.add_option("--out", command.out, "The folder of the study, new or empty")
        ->required()
        ->type_name("DIR")
        ->check(not_empty("a folder"));
    app.add_option("--classes", command.classes, "Two of the pack's classes. Default: those that it takes for one another most often")
        ->type_name("A,B")
        ->delimiter(',');
    app.add_option("--inputs", command.inputs,
                   "What to choose stimuli from: a folder of PNG pictures, or a file of sentences. Default: those that the pack's corpus "
                   "keeps from "
                   "training, in WHYNOT_CORPORA")
        ->type_name("PATH");
    app.add_option("--method", command.method,
                   "Of the maps, one of 'whynot attribute --list'. Default: grad-cam where the model has layers for it")
        ->type_name("NAME");
    app.add_option("--title", command.title, "What participants see above everything")->type_name("TEXT");
    add_seed(app, command.seed, "Seed of what is chosen and of every order");
    add_json(app, command.json, "Print one object on a line");
    add_plugin_path(app, command.plugin_path);
    app.footer(
        "Examples:\n  WHYNOT_CORPORA=~/corpora whynot study new --out pilot\n  whynot study new --preset sentences --inputs sentences.txt "
        "--out words\n\n" +
        std::string(exit_codes));
}

void add_power(CLI::App& study, StudyCommand& command) {
    CLI::App& app =
        add_command(study, "power", "How many participants it needs, before anybody has seen it; and the text of a preregistration");
    app.add_option("DIR", command.folder, "The folder of the study: its items, comparisons and level")->type_name("");
    app.add_option("--control", command.assumptions.control, "Share of right answers in the one arm")
        ->type_name("P")
        ->check(between(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--treated", command.assumptions.treated, "Share of right answers in the other")
        ->type_name("P")
        ->check(between(0.0, 1.0))
        ->capture_default_str();
    app.add_option(
           "--between", command.assumptions.between,
           "Standard deviation of people's true shares, without the luck of the items; an observed one is larger: take it from --pilot")
        ->type_name("X")
        ->check(between(0.0, 0.5))
        ->capture_default_str();
    app.add_option("--items", command.assumptions.items, "Measured trials a person, where no DIR says it")
        ->type_name("N")
        ->check(between<int64_t>(1, 10000))
        ->capture_default_str();
    app.add_option("--comparisons", command.assumptions.comparisons, "Of how many comparisons this is one, where no DIR says it")
        ->type_name("N")
        ->check(between<int64_t>(1, 1000))
        ->capture_default_str();
    app.add_option("--alpha", command.assumptions.alpha, "Level of all comparisons together, where no DIR says it")
        ->type_name("X")
        ->check(between(1e-6, 0.5))
        ->capture_default_str();
    app.add_option("--power", command.assumptions.power, "The power that is wanted")
        ->type_name("X")
        ->check(between(0.01, 0.9999))
        ->capture_default_str();
    app.add_option("--dropout", command.assumptions.dropout, "Share of those invited who leave or are excluded")
        ->type_name("X")
        ->check(between(0.0, 0.95))
        ->capture_default_str();
    app.add_option("--pilot", command.pilot, "The folder of a study that a few have gone through: what people differ by is taken from it")
        ->type_name("DIR");
    app.add_option("--preregistration", command.preregistration,
                   "Write the text of a preregistration to FILE: when study.json has been changed for the last time")
        ->type_name("FILE");
    add_seed(app, command.seed, "Seed of the simulation");
    add_json(app, command.json, "Print one object on a line");
}

void add_serve_study(CLI::App& study, StudyCommand& command) {
    CLI::App& app = add_command(study, "serve", "The page for participants, on this machine; behind a proxy for others (docs/study.md)");
    add_folder(app, command);
    app.add_option("--port", command.port, "The port on 127.0.0.1; where it is in use the next free one, up to ten further. 0: any")
        ->type_name("N")
        ->check(between(0, 65535))
        ->capture_default_str();
    app.add_option("--host", command.hosts,
                   "A name by which people reach it through a proxy, as study.example.org; may be given several times")
        ->type_name("NAME")
        ->expected(1)
        ->take_all();
    app.add_option("--most", command.most_participants, "Nobody can begin after so many")
        ->type_name("N")
        ->check(between<int64_t>(1))
        ->capture_default_str();
    app.add_flag("--unfinished", command.unfinished, "Serve it although texts have something in [brackets] still: to look at it");
    app.add_flag("--end-with-input", command.end_with_input,
                 "End when standard input ends, as it does with the program that started this one");
    add_json(app, command.json, "Print one object on a line: url, port");
}

void add_delete(CLI::App& study, StudyCommand& command) {
    CLI::App& app = add_command(study, "delete", "Delete what was saved of a participant, or the ids of recruiters once people are paid");
    add_folder(app, command);
    CLI::Option* const who =
        app.add_option("--participant", command.participant, "The number that the participant was told at the end")->type_name("NUMBER");
    CLI::Option* const ids =
        app.add_flag("--ids", command.forget_ids,
                     "The ids of those who sent people, of everybody. Who has not come to the end goes on with the link alone");
    app.callback([who, ids] {
        if (who->count() + ids->count() != 1) throw CLI::ValidationError("expected --participant NUMBER or --ids, one of them");
    });
    app.footer("The data are gone from data/log.jsonl, not from copies and exports. End 'whynot study serve' first.\n\n" +
               std::string(exit_codes));
}

void add_simulate(CLI::App& study, StudyCommand& command) {
    CLI::App& app = add_command(
        study, "simulate", "Participants who are none, through the real server: to try data, analysis and power before anybody is paid");
    add_folder(app, command);
    app.add_option("--out", command.out, "A folder for a copy of the study with their data, not there yet")
        ->required()
        ->type_name("DIR")
        ->check(not_empty("a folder"));
    app.add_option("--participants", command.crowd.participants, "How many")
        ->type_name("N")
        ->check(between<int64_t>(1, 100000))
        ->capture_default_str();
    app.add_option("--at-once", command.crowd.at_once, "Connections at once")
        ->type_name("N")
        ->check(between<int64_t>(1, 200))
        ->capture_default_str();
    app.add_option("--effect", command.effects, "The share of right answers in an arm; may be given several times")
        ->type_name("ARM=P")
        ->expected(1)
        ->take_all();
    app.add_option("--skill", command.crowd.skill, "That of all other arms")
        ->type_name("P")
        ->check(between(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--between", command.crowd.between, "Standard deviation between people")
        ->type_name("X")
        ->check(between(0.0, 0.5))
        ->capture_default_str();
    app.add_option("--leave", command.crowd.leave, "Share of people who leave on the way")
        ->type_name("X")
        ->check(between(0.0, 1.0))
        ->capture_default_str();
    add_seed(app, command.seed, "Seed of who they are and what they answer");
    add_json(app, command.json, "Print one object on a line");
    app.footer("Example:\n  whynot study simulate pilot --participants 200 --effect morph=.7 --effect control=.55 --out tried\n\n" +
               std::string(exit_codes));
}

void add_analyse(CLI::App& study, StudyCommand& command) {
    CLI::App& app = add_command(study, "analyse", "The analysis that the design declares, and no other; also while the study runs");
    CLI::Option* const folder = app.add_option("DIR", command.folder, "The folder of the study")->type_name("");
    app.add_option(
           "--out", command.out,
           "Write it into this folder too: results has tables, figures and a page, psych-ds the data with a codebook and an R script")
        ->type_name("DIR")
        ->check(not_empty("a folder"));
    app.add_flag("--published", command.published, "The dissertation's tables 5.2 and 5.3 from its own figures, with what does not fit");
    add_json(app, command.json, "Print one object, whynot.study-analysis/1; with --published whynot.study-published/1");
    app.callback([&command, folder] {
        if ((folder->count() > 0) == command.published) throw CLI::ValidationError("expected the DIR of a study, or --published");
    });
}

}  // namespace

void add_study(CLI::App& program, StudyCommand& command) {
    CLI::App& study = add_command(program, "study", "A user study: do explanations help people to tell what a model will say?");
    study.require_subcommand(1, 1);
    add_new(study, command);
    add_power(study, command);
    add_serve_study(study, command);
    add_delete(study, command);
    add_simulate(study, command);
    add_analyse(study, command);
}

}  // namespace whynot::cli
