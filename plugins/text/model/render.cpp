// From a boundary point to a rendering: what moved, and what a decoding (decode.h) makes of it.

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "text/model/decode.h"
#include "whynot/error.h"

namespace whynot::text {

namespace {

using base::Json;

constexpr std::array decodings{"edit", "audit", "soft", "nearest"};  // the first is the default

}  // namespace

Rendering TextBatch::render_one(const RenderRequest& request) const {
    const std::string decode = request.decode.empty() ? decodings.front() : request.decode;
    if (std::find(decodings.begin(), decodings.end(), decode) == decodings.end())
        throw Error(ErrorCode::invalid_argument,
                    base::expected("one of the decodings " + base::joined(decodings), "'" + request.decode + "'"));
    const Tokenizer& tokenizer = model_.networks().generator->tokenizer;
    const Reading& reading = readings_[request.row];
    const Ids& ids = reading.pieces.ids;

    // The generator's words on the line from z0 through the boundary, the boundary itself first.
    const at::Tensor z0 = start_[request.row];
    const at::Tensor direction = request.boundary - z0;
    const at::Tensor reach = at::tensor({1.0, 0.5, 1.5, 2.0}, at::kFloat).unsqueeze(1);
    const at::Tensor on_line = relaxation().log_distributions(z0 + reach * direction, request.row);

    Decoding decoding{model_,
                      *relaxation_,
                      reading,
                      request,
                      texts(reading.words),
                      std::get<0>(on_line.max(0)),
                      Contributions(model_.entrance(), ids, reading.read, on_line[0], request.fact, request.foil),
                      Json{{"before", reading.text}},
                      {}};
    if (decode == "soft" && (request.answers > 1 || !request.keep.empty()))
        throw Error(
            ErrorCode::invalid_argument,
            "the decoding 'soft' says the generator's own words: it has one answer and keeps none; expected edit, audit or nearest");
    if (decode == "soft") {
        decode_soft(decoding);
    } else {
        decode_edit(decoding, decode == "audit");
        if (decode == "nearest") decode_nearest(decoding);
    }

    Json& record = decoding.record;
    if (!record.contains("edits")) record["edits"] = Json::array();
    const Contributions& contributions = decoding.contributions;
    const bool by_word = tokenizer.kind() == TokenizerKind::word;
    std::vector<std::string> labels;
    Json list = Json::array();
    for (size_t t = 0; t < ids.size(); ++t) {
        const auto word = by_word ? static_cast<size_t>(reading.pieces.word[t]) : t;
        labels.push_back(by_word ? decoding.words[word] : tokenizer.piece(ids[t]));
        list.push_back(
            {{"position", word}, {"word", labels.back()}, {"before", contributions.before[t]}, {"boundary", contributions.boundary[t]}});
    }
    record["contributions"] = std::move(list);
    if (gives_little_reason(contributions)) record["little_reason"] = true;
    if (by_word) {  // what the model does not know is no evidence
        const std::vector<size_t> unknown = model_.unknown_words(reading.words, reading.read);
        for (size_t t = 0; t < ids.size(); ++t)
            if (std::binary_search(unknown.begin(), unknown.end(), static_cast<size_t>(reading.pieces.word[t]))) labels[t].clear();
    }
    decoding.rendering.terminal += contribution_bars(labels, contributions);
    decoding.rendering.record = record.dump();
    return std::move(decoding.rendering);
}

}  // namespace whynot::text
