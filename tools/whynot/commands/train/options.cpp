#include "options/options.h"
#include "commands/train/train.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

/// A pack from a corpus, or a generator from data for the classifier of a pack.
void check_train(TrainCommand& command) {
    const bool for_pack = command.opinion_only || command.words_only;  // that is taken as it is
    if (command.opinion_only + command.words_only + command.generator_only > 1)
        throw CLI::ValidationError("--opinion-only, --words-only and --generator-only are different things to train");
    if (command.words_only && command.modality != "text") throw CLI::ValidationError("--words-only is for text");
    if (command.words_only && !(command.classifier + command.generator + command.data).empty())
        throw CLI::ValidationError("--words-only takes --pack, --corpus, --recipe and --out");
    if (command.opinion_only && !(command.classifier + command.generator + command.recipe + command.data).empty())
        throw CLI::ValidationError("--opinion-only takes --pack, --corpus and --out");
    if (!command.generator_only && !(for_pack ? command.data : command.pack + command.data).empty())
        throw CLI::ValidationError("--pack and --data go with --generator-only");
    if (command.generator_only && !command.data.empty() && !command.corpus.empty())
        throw CLI::ValidationError("--generator-only takes --data or --corpus, not both");
    if (command.generator_only && !(command.classifier + command.generator).empty())
        throw CLI::ValidationError("--generator-only goes with neither --classifier nor --generator");
    if (command.print_recipe) return;
    std::vector<std::pair<const char*, const std::string*>> needed{{"--corpus", &command.corpus}};
    if (command.generator_only && command.corpus.empty()) needed = {{"--data", &command.data}};
    if (command.generator_only && command.modality == "image") needed.emplace_back("--pack", &command.pack);
    if (for_pack) needed.emplace_back("--pack", &command.pack);
    needed.emplace_back("--out", &command.out);
    for (const auto& [name, value] : needed)
        if (value->empty()) throw CLI::RequiredError(name);
}

}  // namespace

void add_train(CLI::App& program, TrainCommand& command) {
    CLI::App& app = add_command(program, "train", "Make a pack from a corpus");
    app.add_option("MODALITY", command.modality, "What the corpus holds: text or image")->required()->type_name("");
    app.add_option(
           "--corpus", command.corpus,
           "Name of a corpus in the folder WHYNOT_CORPORA; with --generator-only and --words-only several, whose labels are not looked "
           "at")
        ->type_name("NAME[,NAME...]");
    app.add_option("--out", command.out, "The pack's folder: new, or that of a run that was stopped, which goes on")->type_name("DIR");
    app.add_flag("--generator-only", command.generator_only,
                 "Train a generator and no classifier, on inputs without labels: --data or --corpus");
    app.add_flag(
        "--opinion-only", command.opinion_only,
        "For text: take the pack --pack as it is and add a second opinion, trained on the labels of --corpus. It has a say in which "
        "answer is the best");
    app.add_flag(
        "--words-only", command.words_only,
        "For text: take the pack --pack as it is, which explains with another's generator, and give it a word model of its own for "
        "answers, trained on the sentences of the corpora --corpus");
    add_pack(app, command.pack,
             "With --opinion-only and --words-only: the pack that gets one. With --generator-only: the pack that has the classifier, as "
             "'packs new' makes "
             "it. Without one, for text, a pack is made that "
             "other packs explain with");
    app.add_option("--data", command.data,
                   "With --generator-only: inputs like those to be explained, without labels: a folder of images, or a file of sentences, "
                   "one a line")
        ->type_name("FOLDER|FILE");
    app.add_option("--classifier", command.classifier,
                   "The kind of classifier: embedding-sum, convolution, recurrent or attention for sentences; lenet, vgg or resnet for "
                   "images. Goes "
                   "before the recipe's")
        ->type_name("KIND");
    app.add_option("--generator", command.generator,
                   "The pack whose generator explains the new one, instead of one of its own: only the classifier is trained then")
        ->type_name("ID|DIR");
    app.add_option("--recipe", command.recipe, "A JSON file with what differs from the default recipe")->type_name("FILE");
    app.add_flag("--print-recipe", command.print_recipe, "Print the default recipe and exit");
    add_seed(app, command.seed, "Seed of all random numbers; the same seed gives the same pack");
    add_common(app, command, "one for each core up to 4");
    app.footer("The same command again goes on where it was stopped.\n\n" + std::string(exit_codes));
    app.callback([&command] { check_train(command); });
}

void add_evaluate(CLI::App& program, EvaluateCommand& command) {
    CLI::App& app = add_command(program, "evaluate", "The quality of a pack's explanations, every figure with its N");
    add_pack(app, command.pack, "The pack: its id or its folder")->required();
    app.add_option("--corpus", command.corpus, "Name of a corpus in the folder WHYNOT_CORPORA; for sentences also a file with one a line")
        ->required()
        ->type_name("NAME|FILE");
    app.add_option("--limit", command.limit, "The maximum number of questions")
        ->type_name("N")
        ->check(between<int64_t>(1))
        ->capture_default_str();
    add_confidence(app, command.confidence);
    add_seed(app, command.seed, "Seed of all random numbers, and of the choice of questions");
    add_html(app, command.html);
    add_json(app, command.json, "Print one object on a line");
    add_common(app, command, "one for each core up to 4");
}

}  // namespace whynot::cli
