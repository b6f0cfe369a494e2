#include <unistd.h>

#include <iostream>

#include "commands/packs/packs.h"
#include "options/common.h"
#include "options/options.h"

namespace whynot::cli {
namespace {

/// What a command cannot do without, and how to ask a person for it.
struct Required {
    const char* option;
    std::string* value;
    const char* question;
};

/// Asks on the terminal for what the command line leaves out; where nobody sits at one, that is wrong usage.
void require_or_ask(const std::vector<Required>& all) {
    std::vector<const char*> missing;
    for (const Required& one : all) {
        if (!one.value->empty()) continue;
        if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
            std::cerr << one.question << ": ";
            std::getline(std::cin, *one.value);
        }
        if (one.value->empty()) missing.push_back(one.option);
    }
    if (!missing.empty()) throw CLI::ValidationError("expected also " + base::joined(missing));
}

void add_classifier(CLI::App& app, ImportCommand& command) {
    app.add_option("MODALITY", command.modality, "What it classifies: image or text")
        ->required()
        ->type_name("")
        ->check(one_of({"image", "text"}));
    app.add_option("--from-torchscript", command.classifier,
                   "The classifier: takes images [b, channels, height, width] or embedded words [b, words, dimension], gives [b, classes]")
        ->type_name("FILE")
        ->required()
        ->check(not_empty("a file"));
    app.add_option("--classes", command.classes, "Names of the classes, in the order of its outputs")->type_name("A,B,...");
    app.add_option("--emits", command.emits, "logits, log-probabilities or probabilities. Default: what a sample says")->type_name("WHAT");
}

void add_image_options(CLI::App& app, ImportCommand& command) {
    const std::string group = "Images";
    app.add_option("--shape", command.shape, "What it looks at: channels, height, width, as in 3x64x64")->type_name("CxHxW")->group(group);
    app.add_option(
           "--mean", command.mean,
           "It is given (image - mean) / std, of images from 0 to 1: one number or one a channel. 0 where it takes them as they are")
        ->type_name("X,...")
        ->group(group);
    app.add_option("--std", command.deviation, "Likewise; 1 where it takes them as they are, 0.00392157 where from 0 to 255")
        ->type_name("X,...")
        ->group(group);
    app.add_option("--framing", command.framing, "How other pictures are made to fit: plain, the whole of it, or digit, as MNIST has them")
        ->type_name("MODE")
        ->check(one_of({"plain", "digit"}))
        ->capture_default_str()
        ->group(group);
    app.add_flag("--light-on-dark", command.light_on_dark, "Figures are lighter than their background; others are inverted")->group(group);
}

void add_text_options(CLI::App& app, ImportCommand& command) {
    const std::string group = "Text";
    app.add_option("--embedding", command.embedding, "Of its words, [words, dimension], as torch.save writes a tensor")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--vocabulary", command.vocabulary, "Those words, one a line, in the order of the rows: a model of whole words")
        ->type_name("FILE")
        ->group(group);
    app.add_option(
           "--tokenizer", command.tokenizer,
           "What cuts a text into the pieces of the rows: a '.model' of SentencePiece, a vocab.txt of BERT, a vocab.json with a merges.txt "
           "beside it, a tokenizer.json, or the folder of one")
        ->type_name("FILE|FOLDER")
        ->group(group);
    app.add_option("--case", command.letter_case, "lower or keep, of a vocab.txt. Default: lower where it has no capitals")
        ->type_name("WHAT")
        ->check(one_of({"lower", "keep"}))
        ->group(group);
    app.add_option("--before", command.before, "Special pieces before every text. Default: what the tokenizer says, or [CLS], or <s>")
        ->type_name("PIECE,...")
        ->group(group);
    app.add_option("--after", command.after, "Special pieces after every text. Default: what the tokenizer says, or [SEP], or </s>")
        ->type_name("PIECE,...")
        ->group(group);
    app.add_flag("--nothing-around", command.nothing_around, "No special pieces before and after a text")->group(group);
    app.add_option("--generator", command.generator,
                   "The pack whose generator says the sentences of explanations; none: the new pack classifies only")
        ->type_name("ID|DIR|none")
        ->capture_default_str()
        ->group(group);
    app.add_option("--verify", command.verify,
                   "What the model's own code says of some texts, one {\"text\": ..., \"probabilities\": [...]} a line: compared before "
                   "anything else")
        ->type_name("FILE")
        ->group(group);
}

void add_generator_options(CLI::App& app, ImportCommand& command) {
    const std::string group = "Generator for images";
    app.add_option("--encoder", command.encoder, "From images, values from 0 to 1, to codes [b, k]; of a tuple the first counts")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--decoder", command.decoder, "From codes to images, values from 0 to 1")->type_name("FILE")->group(group);
    app.add_option("--data", command.data, "A folder of images like those to be explained, to measure with. Without: noise")
        ->type_name("FOLDER")
        ->group(group);
}

void check_new(const CLI::App& app, ImportCommand& command) {
    const bool of_images = command.modality == "image";
    std::vector<Required> needed{
        {"--classes", &command.classes, "Names of its classes, in the order of its outputs, with commas between them"}};
    if (of_images) {
        needed.push_back({"--shape", &command.shape, "Images it looks at: channels x height x width, as in 3x64x64"});
        needed.push_back({"--mean", &command.mean, "The mean it is normalised by, of images from 0 to 1 (0 for none)"});
        needed.push_back({"--std", &command.deviation, "The standard deviation it is normalised by (1 for none)"});
    } else {
        needed.push_back({"--embedding", &command.embedding, "File of its embedding, [words, dimension]"});
        if (command.tokenizer.empty()) needed.push_back({"--vocabulary", &command.vocabulary, "File of its words, one a line"});
        if (!command.tokenizer.empty() && !command.vocabulary.empty())
            throw CLI::ValidationError("--tokenizer is for pieces of words and --vocabulary for whole words: expected one of them");
        if (command.nothing_around && !(command.before + command.after).empty())
            throw CLI::ValidationError("--nothing-around goes with neither --before nor --after");
    }
    needed.push_back({"--out", &command.out, "Folder for the pack"});
    // An option of the other modality would be passed over in silence.
    const std::vector<const char*> for_text{"--embedding", "--vocabulary",     "--tokenizer", "--case",  "--before",
                                            "--after",     "--nothing-around", "--generator", "--verify"},
        for_images{"--shape", "--mean", "--std", "--framing", "--light-on-dark", "--encoder", "--decoder", "--data"};
    for (const char* option : of_images ? for_text : for_images)
        if (app.count(option) > 0)
            throw CLI::ValidationError(std::string(option) + " is for " + (of_images ? "text" : "image") + ", and this is a model of " +
                                       command.modality);
    require_or_ask(needed);
}

void add_new(CLI::App& packs, ImportCommand& command) {
    CLI::App& app = add_command(packs, "new",
                                "A pack from a model of your own, in TorchScript: looks whether everything fits, and names what does not. "
                                "A TorchScript file is a program: bring in those of people you trust");
    add_classifier(app, command);
    add_image_options(app, command);
    add_text_options(app, command);
    add_generator_options(app, command);
    app.add_option("--out", command.out, "The pack's folder, new or empty")->type_name("DIR");
    app.add_option("--licence", command.licence, "Of the model, a sentence")->type_name("TEXT");
    add_seed(app, command.seed, "Seed of all random numbers");
    add_json(app, command.json, "Print what was found as one object on a line");
    add_common(app, command, "one for each core up to 4");
    app.footer("Where standard input is a terminal, what is missing is asked for.\n\n" + std::string(exit_codes));
    app.callback([&app, &command] { check_new(app, command); });
}

}  // namespace

void add_packs(CLI::App& program, PacksCommand& command, ImportCommand& import) {
    CLI::App& packs = add_command(program, "packs", "The models there are");
    packs.require_subcommand(1, 1);
    const auto add_name = [&command](CLI::App& app) {
        app.add_option("PACK", command.pack, "Its id or its folder")->required()->type_name("ID|DIR");
    };
    CLI::App& list = add_command(packs, "list", "All packs that can be named by their id");
    add_json(list, command.json, "Print one object a line, rejected ones included");

    CLI::App& show = add_command(packs, "show", "All that is known of a pack: networks, recipe, quality, licence, files");
    add_name(show);
    add_json(show, command.json, "Print the manifest as one object on a line");

    CLI::App& verify = add_command(packs, "verify", "Check every file of a pack");
    add_name(verify);
    add_json(verify, command.json, "Print one object on a line");

    add_new(packs, import);
}

}  // namespace whynot::cli
