// The smallest host: asks the pack yelp about one sentence.
//
//     $ explain_sentence "the food was gross ."
#include <whynot/explainer.h>
#include <whynot/report.h>

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    try {
        whynot::Host host;  // finds the plugins
        whynot::Explainer explainer(host, whynot::find_pack("yelp", whynot::default_pack_search()));
        const whynot::Answer answer = explainer.explain(argc > 1 ? argv[1] : "the food was gross .");
        std::cout << whynot::to_terminal(answer.record, answer.terminal);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
