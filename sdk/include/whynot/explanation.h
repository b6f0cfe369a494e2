#pragma once

/// The explanation record, `whynot.explanation/1`: the answer to one question, with everything needed to check and repeat it.
///
/// One line of JSON a record. Writing and reading both validate against the JSON Schema that is compiled into the library and
/// installed as share/whynot/schema/explanation-1.schema.json. Names and order of the keys are a promise: schema, id, question, pack,
/// solver, status, reason, gap, max_third, distance, probabilities, likeness, edge, answer, read_again, the modality's own section under its
/// name, cost, warnings.
///
///     #include <iostream>
///
///     void show(const std::string& line) {
///         const whynot::Explanation explanation = whynot::explanation_from_json(line);
///         std::cout << explanation.question.fact << " -> " << explanation.question.foil << ": " << explanation.status << '\n';
///     }
///
/// Numbers are finite and written with the fewest digits that give the same double back; text is UTF-8. What has no value, as the gap
/// of a refused question, is null in the record and empty here. docs/record.md describes each field for people.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whynot/export.h"

namespace whynot {

/// Class probabilities by name, in the order of the pack's classes.
using ClassProbabilities = std::vector<std::pair<std::string, double>>;

struct Explanation {
    static constexpr const char* schema = "whynot.explanation/1";

    std::string id;  ///< the caller's, or `question_id`

    struct Question {
        std::string modality;
        std::string input;         ///< the text; the path, where the input is a file
        std::string input_sha256;  ///< of the file's bytes; empty: the input is a text
        std::string fact;          ///< empty (null): refused before the classifier was asked
        std::string foil;          ///< likewise
    } question;

    struct Pack {
        std::string id;
        std::string version;
        std::string sha256;  ///< Pack::sha256()
    } pack;

    struct Solver {
        std::string method;          ///< "sqp" or "augmented-lagrangian"
        std::string options = "{}";  ///< JSON text: an object with the options that differ from their defaults
        uint64_t seed = 0;
        int64_t threads = 1;
        std::string device = "cpu";
    } solver;

    std::string status;  ///< "found", "best-effort", "infeasible", "stopped" or "refused": `Status`
    std::string reason;  ///< a sentence; empty (null) only where found

    /// Log-likelihood of the fact minus that of the foil at the boundary, nats. Empty (null), as `max_third` and `distance`: refused, or
    /// ended before the search began.
    std::optional<double> gap;

    struct MaxThird {
        std::string name;   ///< the third class that comes nearest to fact and foil, or passes them; `class` in the record
        double margin = 0;  ///< its log-likelihood minus the mean of theirs, nats; at most zero: the guard holds
    };
    std::optional<MaxThird> max_third;  ///< empty (null) also with two classes

    struct Distance {
        double latent = 0;            ///< |z_e - z0|
        std::string modality = "{}";  ///< JSON text: an object with the modality's own distances: edits, edit_ratio; l1, l2, linf
    };
    std::optional<Distance> distance;

    struct Probabilities {
        ClassProbabilities before;    ///< of the input
        ClassProbabilities boundary;  ///< at z_e; of what is shown of it, where `read_again` says so
        ClassProbabilities answer;    ///< of the answer that is shown, read again; empty: there is none
    } probabilities;

    /// How unlike the input is to what the model was made for.
    struct Likeness {
        double strangeness = 0;  ///< above 1, one in a hundred of its own inputs is that strange; a warning says why
    };
    std::optional<Likeness> likeness;  ///< empty (absent): the modality or the pack does not know

    /// Where no boundary with every third class below was found: the point is the edge (points.h), the nearest at which the foil is as
    /// likely as any other class.
    struct Edge {
        std::string between;  ///< the class that stands between fact and foil, as likely as the foil; `class` in the record
    };
    std::optional<Edge> edge;  ///< empty (absent): the point is the boundary

    /// What lies beyond the boundary.
    struct Beyond {
        double confidence = 0;  ///< the least probability of the foil that was asked for
        std::string status;     ///< found: what is shown has it, read again; best-effort: it has the foil in front; infeasible: none
        std::string reason;     ///< a sentence; empty (null) only where found
        std::optional<double> distance;  ///< |z - z0| of the answer; empty (null): it is not a point of the latent space
    };
    std::optional<Beyond> answer;  ///< empty (absent): none was asked for, or the boundary was not reached

    /// Whether the figures are of what is shown, written and read again; otherwise of the point that the search ended at.
    struct ReadAgain {
        bool boundary = false;  ///< gap, max_third and probabilities.boundary
        bool answer = false;    ///< probabilities.answer
    };
    std::optional<ReadAgain> read_again;  ///< empty (absent): nothing is shown

    /// JSON text: an object, the modality's part of the record (`Rendering::record`), under the modality's name; empty: none.
    /// For text: { before, answer?, nearest?, edits: [{position, from, to}], further?, little_reason?,
    /// contributions: [{position, word, before, boundary}] };
    /// for images: { input, boundary, answer?, difference, sheet, morph }, paths relative to the record.
    std::string rendering;

    struct Seconds {
        double load = 0;    ///< opening the pack: the same for all its questions
        double start = 0;   ///< reading the input and finding z0, the batch's share
        double solve = 0;   ///< the search, likewise
        double render = 0;  ///< making the answer from the boundary point, likewise
    };
    struct Cost {
        int64_t forward = 0;                         ///< evaluations of the networks for this question, as `Solution::forward`
        int64_t backward = 0;                        ///< gradients computed, as `Solution::backward`
        std::optional<Seconds> seconds = Seconds{};  ///< empty (absent): left out, so that the same request gives the same bytes
    } cost;

    std::vector<std::string> warnings;  ///< what a careful reader must know
};

/// The record as one line of JSON, without a newline. Throws `invalid_input` for text that is not UTF-8, `invalid_argument`
/// for numbers that are not finite and whatever else the schema does not allow, naming the place.
WHYNOT_API std::string to_json(const Explanation& explanation);

/// Reads a record. Throws `invalid_input` for what is not JSON or not a record, naming the place.
WHYNOT_API Explanation explanation_from_json(std::string_view json);

/// The id of a question that the caller gave none: 16 hexadecimal digits, the same for the same question to the same pack.
/// @param input the text, or the bytes of the file @param fact, foil as asked, i.e. empty for a default
WHYNOT_API std::string question_id(std::string_view modality, std::string_view input, std::string_view fact, std::string_view foil,
                                   std::string_view pack_sha256);

/// The JSON Schema of the record.
WHYNOT_API std::string_view explanation_schema() noexcept;

}  // namespace whynot
