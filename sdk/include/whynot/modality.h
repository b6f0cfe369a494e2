#pragma once

/// What a modality plugin implements: raw input <-> tensors, encode, decode, classify, render.
///
/// The host opens a pack through `Modality`, which gives a `Model`; the model reads inputs into a `Batch`; the batch answers
/// everything the solver and the report ask. The solver never sees any of these types, only a `Problem` made of them.
///
///     raw inputs --Model::read--> Batch --start, log_likelihood--> Problem --solve--> z_e --Batch::render--> Rendering
///
/// Threads: one call at a time per Model and per Batch; different models may work in different threads.
/// Errors: methods throw `whynot::Error`; the host names the plugin and the operation in whatever else comes out.
/// Nothing here may set process-wide state: thread counts, seeds, default dtype, locale, signal handlers.
/// Time: what may take longer than a tenth of a second calls `check_interruption` (interruption.h) in its loop, so that a deadline, or whoever
/// asked, can end it.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/pack.h"
#include "whynot/picture.h"
#include "whynot/question.h"

namespace whynot {

/// What a model is: fixed once it is open.
struct ModelInfo {
    std::vector<std::string> classes;  ///< names in the order of the columns of every [B, C] tensor
    int64_t latent_size = 0;           ///< k
    /// How far explanations typically lie from their inputs in latent space. The solver scales its step bound with it.
    double typical_distance = 1.0;
    /// Whether `Batch::render` can show a latent point as it is, as a picture. If so, a point beyond the boundary is searched for the answer.
    /// Otherwise the answer is made from the boundary, as a sentence is.
    bool shows_points = false;
    /// The least probability of the foil in an answer, unless somebody asks for another. At .5 it is enough that the foil is the likeliest
    /// class.
    double confidence = 0.5;
    /// Whether answers are made by edits of parts of the input, such as words: `RenderRequest::answers` and `keep` are for these only.
    bool edits = false;
    /// Whether an input may be of several parts with a code each, as a text is of sentences: the latent points of a batch are [B, n k] then, n that of
    /// its row of most parts, and zero where a row has fewer.
    bool parts = false;
};

/// Why an input could not be read, or what a careful reader must know about how it was.
struct ReadNotes {
    std::string refusal;                ///< a sentence; empty when the input was read
    std::vector<std::string> warnings;  ///< unknown words, resized image, ...
};

/// What `Batch::render` is told about one row: the solver's result, and how the caller wants it shown.
struct RenderRequest {
    int64_t row = 0;
    int64_t fact = 0;
    int64_t foil = 0;
    at::Tensor boundary;      ///< z_e, [k]: on the boundary, or on the edge where `between` says that there is none
    std::string decode;       ///< one of the modality's decodings (see its options); empty: its default
    std::string out;          ///< folder for files, existing; empty: write none
    std::string name;         ///< what to call this explanation's files there: no other question has it, and it is fit for a file name
    at::Tensor answer = {};   ///< beyond it, [k], where the foil has `confidence`; undefined: none was searched, or none found
    double confidence = 0.5;  ///< the least probability of the foil in an answer; at .5, that it is the likeliest class
    int64_t between = -1;     ///< on an edge: the class that stands between fact and foil; otherwise -1
    int64_t answers = 1;      ///< how many different ones are wanted at most, the best of which is the answer
    std::vector<std::string> keep = {};  ///< parts of the input, as a person writes them, that no answer may change
    bool frames = false;                 ///< `Rendering::frames` too, where points are shown as they are
};

/// One explanation in the input space.
struct Rendering {
    std::string record;    ///< the modality's part of the explanation record, a JSON object (design of the record: explanation.h)
    std::string distance;  ///< the modality's own distances, a JSON object of numbers: edits, l1, ...
    std::string terminal;  ///< the same for people: lines of UTF-8 without escape codes, marks as `-[...]-` and `+[...]+`
    std::vector<NamedPicture> pictures;  ///< for a preview in a terminal or a host's own window, in the input's own size; without opacity
    std::vector<Frame>
        frames;  ///< the way there, from what the networks were given over the boundary to the answer; empty: it was not asked for, or there is none
    /// What the classifier says of what is shown: class probabilities, [C]. Empty: that is not shown.
    std::vector<double> boundary, answer;
    /// What is shown, as somebody would give it to be asked about: the bytes of the written picture, the written sentence. The host reads it
    /// again, and what the classifier says of it then is what stands in the record. Empty: there is none.
    std::string boundary_again;  ///< empty also where a boundary is nothing that can be given, as for sentences
    std::string answer_again;
    /// The least probability of the foil that the answer was made for, where the way of showing it has its own; 0: that of the request.
    double confidence = 0;
    std::vector<std::string> warnings;
    /// Set where no answer could be made although the boundary was reached; a sentence.
    std::string failure;
};

/// How unlike an input is to what a model was made for.
struct Strangeness {
    /// 1 where one in a hundred of the inputs that it was made for is stranger, by a scale of the modality's own; empty: not known.
    std::optional<double> value;
    std::string reason;  ///< a sentence for whoever is warned, where the value is above 1
};

/// Inputs read by a model, one row each; rows that were refused are not in it.
class WHYNOT_API Batch {
public:
    virtual ~Batch();

    /// Number of rows, B.
    virtual int64_t size() const = 0;

    /// Log-likelihoods of the inputs themselves, [B, C], normalised (each row's exponentials sum to one).
    virtual at::Tensor classify() = 0;

    /// The latent start z0 of each row, [B, k], from the encoder and, where it has one, the modality's refinement.
    /// @param fact [B] class indices @param seed for whatever is drawn; the global generator is never used.
    virtual at::Tensor start(const at::Tensor& fact, uint64_t seed) = 0;

    /// Log-likelihoods [b, C] (up to a constant a row: logits will do) of the rows `rows` ([b], indices into the batch)
    /// at latent points z ([b, k]); differentiable in z, weights frozen, dropout off.
    virtual at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) = 0;

    /// Up to `count` further points to start from for each of q questions, [q, S, k]; undefined when the modality has none. After `start`.
    /// The first of them should be the same however many are asked for: a search begins with some, and tries the others where those fail.
    /// @param rows [q] indices into the batch, one may occur several times @param fact, foil [q] class indices
    virtual at::Tensor extra_starts(const at::Tensor& rows, const at::Tensor& fact, const at::Tensor& foil, int64_t count, uint64_t seed);

    /// Shows solutions in the input space, one rendering a request, in their order. `seed` as in `start`. May be called several times, with
    /// some of the requests each time, so that a deadline can be kept: a rendering may not depend on the requests beside it.
    virtual std::vector<Rendering> render(const std::vector<RenderRequest>& requests, uint64_t seed) = 0;

    /// How strange each row is, [B]; empty: this modality does not know. Before or after `start`.
    virtual std::vector<Strangeness> strangeness() const;

    /// What a careful reader must know of row `row` after `start`: inexact reconstruction, ...
    virtual std::vector<std::string> warnings(int64_t row) const;
};

/// A pack opened: one classifier and one generator, ready to answer.
class WHYNOT_API Model {
public:
    virtual ~Model();
    virtual const ModelInfo& info() const = 0;

    /// Reads inputs into a batch. `notes` gets one entry an input, in order; an input that cannot be read gets its
    /// refusal there and no row in the batch. Throws only for what concerns all of them.
    virtual std::unique_ptr<Batch> read(const std::vector<Input>& inputs, std::vector<ReadNotes>& notes) = 0;
};

/// The service `whynot.modality/1`. Frozen once released: a new method is a new id, never an added virtual.
class WHYNOT_API Modality {
public:
    static constexpr const char* service_id = "whynot.modality/1";
    virtual ~Modality();

    /// Opens a verified pack whose networks compute on a device: "cpu", "cuda" or "cuda:N" (device.h reads that). Thread-safe.
    ///
    /// Only networks and what they need lie there. Tensors that go in and out of a `Batch` are on the processor: points and log-likelihoods
    /// are a few numbers a row, and nobody else needs to know of devices. (`Tensor::to` is differentiable.)
    virtual std::unique_ptr<Model> open(const Pack& pack, const std::string& device) = 0;
};

}  // namespace whynot
