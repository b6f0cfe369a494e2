#pragma once

/// `whynot study`: a user study from a pack, made, planned, served, tried and analysed. It lives in the library of `whynot serve`, whose server it uses.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "commands/common.h"
#include "study/planning/power.h"
#include "study/taking/crowd.h"

namespace whynot::cli {

class Asker;

struct StudyCommand : CommonOptions {
    std::string folder;  ///< of the study

    // new
    std::string preset = "five-arms", pack, out, title, method;
    std::vector<std::string> classes;  ///< two
    std::string inputs;                ///< a folder of pictures, or a file of sentences
    uint64_t seed = 1;

    // serve
    int port = 8742;
    std::vector<std::string> hosts;
    int64_t most_participants = 1000;
    bool end_with_input = false, unfinished = false;

    // delete
    std::string participant;
    bool forget_ids = false;

    // simulate
    study::Crowd crowd;
    std::vector<std::string> effects;  ///< "ARM=P"

    // power
    study::Assumptions assumptions;  ///< items, comparisons, chance and alpha are the design's, where there is one
    std::string preregistration;     ///< a file
    std::string pilot;               ///< the folder of a study that a few have taken part in

    // analyse
    bool published = false;
};

int make_study(const StudyCommand& command, const std::function<std::unique_ptr<Asker>()>& open_asker);
int serve_study(const StudyCommand& command);
int delete_from_study(const StudyCommand& command);
int simulate_study(const StudyCommand& command);
int plan_study(const StudyCommand& command);
int analyse_study(const StudyCommand& command);

}  // namespace whynot::cli
