#pragma once

/// `whynot explain`, for a few inputs and for a stream of them, and `whynot classify`.

#include <cstdint>
#include <string>
#include <vector>

#include "commands/common.h"

namespace whynot::cli {

struct ExplainCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;  ///< id or folder; empty: the default for the kind of input
    std::string fact;
    std::string foil;  ///< "all": every class other than the fact
    std::string method = "sqp";
    int64_t starts = 3;  // as in SolverOptions, which this header cannot include
    bool no_guards = false;
    bool strict = false;            ///< refuse what is unlike what the model was made for
    double confidence = 0;          ///< 0: the modality's own
    int64_t answers = 1;            ///< how many different ones
    std::vector<std::string> keep;  ///< words that no answer may change
    std::string decode;
    uint64_t seed = 1;
    double deadline = 0;
    int64_t max_evaluations = 0;
    std::string out;
    std::string html;       ///< a page of all answers, a file; empty: none
    std::string svg;        ///< a figure of the one answer, a file; empty: none
    bool no_times = false;  ///< leave the times out of records

    // A stream of questions on standard input, one answer a line: stream.h.
    bool jsonl = false;          ///< a question a line
    bool lines = false;          ///< a sentence a line
    std::string csv_column;      ///< inputs in a column of a CSV file
    std::string resume;          ///< the file of answers, which is gone on with
    std::string shard;           ///< "I/N": only every Nth question, from the Ith
    bool whole_batches = false;  ///< wait for all questions of a batch, however slowly they come
    double run_deadline = 0;
    int64_t run_evaluations = 0;

    bool is_stream() const { return jsonl || lines || !csv_column.empty(); }
};

struct ClassifyCommand : CommonOptions {
    std::vector<std::string> inputs;
    std::string pack;
};

int explain(const ExplainCommand& command);
int classify(const ClassifyCommand& command);

}  // namespace whynot::cli
