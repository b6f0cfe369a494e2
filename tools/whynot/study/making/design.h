#pragma once

/// A study as it lies in its folder: what is asked and shown, to whom, and how it is analysed (docs/study.md). Frozen when it is made: every file that it
/// shows is named in it with its SHA-256.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace whynot::cli::study {

/// What an arm shows with an item that is explained.
struct Arm {
    std::string id;
    std::string explanation;  ///< one of `explanation_kinds`
};

/// "none", "map", "morph", "edit", "grid", "words", "edits"
const std::vector<std::string>& explanation_kinds();

/// One part of a session: a text, questions, trials, or statements to rate.
struct Step {
    std::string id, kind;
    std::vector<std::string> items;  ///< of trials: ids of stimuli
    std::string ask;                 ///< of trials: "class" or "after-edit"
    bool feedback = false, explain = false, confidence = false;
    base::Json json;  ///< as it stands in the file
};

struct Analysis {
    std::string measure;  ///< the step whose right answers are counted
    double chance = 0.5, alpha = 0.05, equivalence = 0.1;
    std::vector<std::pair<std::string, std::string>> comparisons;  ///< arms: the first against the second
};

/// Who is left out of the analysis, declared before anybody took part. 0: this is no reason.
struct Exclusions {
    int64_t failed_catches = 0;        ///< so many or more
    int64_t failed_comprehension = 0;  ///< so many or more questions wrong
    double least_median_seconds = 0;   ///< of the measured trials
    double most_same_answer = 0;       ///< share of the measured trials with the same answer: above this
};

class Design {
public:
    /// Reads and checks `folder`/study.json and every file that it names. Throws `not_found`, `invalid_input` with what is wrong and where.
    explicit Design(const std::filesystem::path& folder);
    /// Checks a design alone, without the files.
    explicit Design(base::Json json);

    const std::filesystem::path& folder() const { return folder_; }
    const base::Json& json() const { return json_; }
    const std::string& sha256() const { return sha256_; }  ///< of study.json: the study that data belong to
    std::string title() const { return json_.at("title").get<std::string>(); }
    uint64_t seed() const { return json_.at("seed").get<uint64_t>(); }
    int64_t block() const { return json_.at("block").get<int64_t>(); }

    const std::vector<std::string>& classes() const { return classes_; }  ///< the two made-up names
    const std::vector<Arm>& arms() const { return arms_; }
    const std::vector<Step>& steps() const { return steps_; }
    const Step& step(const std::string& id) const;
    const base::Json& stimulus(const std::string& id) const;
    const Analysis& analysis() const { return analysis_; }
    const Exclusions& exclusions() const { return exclusions_; }

    /// The right answer to a trial: what the model says of the item, or of it after the edit.
    std::string right(const Step& step, const std::string& item) const;

private:
    void check();
    void check_classes_and_arms();
    void check_stimuli() const;
    void check_steps();
    void check_trials(const Step& step) const;
    void check_explanation(const Step& step, const std::string& item, const Arm& arm) const;
    void check_analysis();
    void check_files() const;

    std::filesystem::path folder_;
    base::Json json_;
    std::string sha256_;
    std::vector<std::string> classes_;
    std::vector<Arm> arms_;
    std::vector<Step> steps_;
    Analysis analysis_;
    Exclusions exclusions_;
};

/// Texts for participants that still have something in [brackets], which whoever runs the study is to write: a sentence each.
std::vector<std::string> unfinished(const Design& design);

/// The file in a study's folder, where it may be read: no path leads out of the folder. Throws `invalid_input`.
std::filesystem::path file_in(const std::filesystem::path& folder, const std::string& name);

}  // namespace whynot::cli::study
