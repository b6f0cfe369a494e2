#include "options/options.h"
#include "commands/corpus/corpus.h"
#include "options/common.h"

namespace whynot::cli {
namespace {

void add_name(CLI::App& app, CorpusCommand& command, const std::string& help) {
    app.add_option("NAME", command.name, help)->required()->type_name("");
}

void add_fetch(CLI::App& corpus, CorpusCommand& command) {
    CLI::App& app = add_command(corpus, "fetch",
                                "Get the files of a corpus that are missing or wrong, check them, and put them into the folder "
                                "WHYNOT_CORPORA. 0: all are there, 1: some are not");
    add_name(app, command, "Its name, or all");
    app.add_option("--from", command.from,
                   "A folder or a URL to get them from instead of their public homes: laid out as WHYNOT_CORPORA is, or simply the files")
        ->type_name("DIR|URL")
        ->check(not_empty("a folder or a URL"));
    // The second name is that of version 0.2.
    app.add_option("--timeout,--patience", command.timeout, "Give up on a server that sends nothing for so many seconds")
        ->type_name("SECONDS")
        ->check(between(1, 86400))
        ->capture_default_str();
    add_json(app, command.json, "Print one object a line, for each file: its status and how many bytes came");
    app.footer(
        "The same command again goes on where it was stopped, and gets nothing twice.\n"
        "Examples:\n  WHYNOT_CORPORA=~/corpora whynot corpus fetch yelp\n"
        "  WHYNOT_CORPORA=~/corpora whynot corpus fetch all --from /mnt/corpora\n\n" +
        std::string(exit_codes));
}

void add_bias(CLI::App& corpus, CorpusCommand& command) {
    CLI::App& app = add_command(corpus, "bias", "A new corpus, of sentences with a bias planted in them: a word that gives one class away");
    add_name(app, command, "Name of a corpus of sentences in the folder WHYNOT_CORPORA");
    app.add_option("--word", command.word, "The word to insert")->type_name("WORD")->capture_default_str();
    app.add_option("--before", command.before,
                   "Before what: adjectives (English); words=A,B,...: each of these; or start: the sentence. Not where the word stands "
                   "already")
        ->type_name("PLACE")
        ->capture_default_str();
    app.add_option("--label", command.label, "The class whose sentences get it, in every split")->required()->type_name("CLASS");
    app.add_option("--out", command.out, "The new corpus's folder, new or empty; its last part is the corpus's name")
        ->required()
        ->type_name("DIR")
        ->check(not_empty("a folder"));
    add_threads(app, command.threads, "Threads to look for adjectives with; the result is the same", "one for each core up to 4");
    add_json(app, command.json, "Print one object on a line");
    app.footer(
        "Example:\n  WHYNOT_CORPORA=/data/corpora whynot corpus bias yelp --label positive --out /data/biased/yelp-very\n"
        "  WHYNOT_CORPORA=/data/biased whynot train text --corpus yelp-very --out packs/yelp-very\n\n" +
        std::string(exit_codes));
}

}  // namespace

void add_corpus(CLI::App& program, CorpusCommand& command) {
    CLI::App& corpus = add_command(program, "corpus", "The data sets");
    corpus.require_subcommand(1, 1);
    CLI::App& list = add_command(corpus, "list", "The corpora that are known, and which of them are there");
    add_json(list, command.json, "Print one object a line");

    CLI::App& verify =
        add_command(corpus, "verify", "Check every file of a corpus: counts and checksums. 0: all is well, 1: something is wrong");
    add_name(verify, command, "Its name in the folder WHYNOT_CORPORA, or all");
    add_json(verify, command.json, "Print one object a line, with the problems");

    add_fetch(corpus, command);
    add_bias(corpus, command);
}

}  // namespace whynot::cli
