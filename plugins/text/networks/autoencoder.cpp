#include "text/networks/autoencoder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "text/networks/packed_lstm.h"
#include "training/pack_contents.h"

namespace whynot::text {

namespace {

// Turns the pairs (v_i, v_{i + k/2}) of v [..., k] by the angles `turn` [..., k/2].
at::Tensor turn_pairs(const at::Tensor& v, const at::Tensor& turn) {
    const auto halves = v.chunk(2, -1);
    const at::Tensor cosine = turn.cos(), sine = turn.sin();
    return at::cat({halves[0] * cosine - halves[1] * sine, halves[0] * sine + halves[1] * cosine}, -1);
}

// The weights of one direction of an LSTM, in the order at::lstm takes them.
std::vector<at::Tensor> lstm_weights(const std::function<at::Tensor(at::IntArrayRef)>& make, int64_t inputs, int64_t hidden) {
    return {make({4 * hidden, inputs}), make({4 * hidden, hidden}), make({4 * hidden}), make({4 * hidden})};
}

}  // namespace

Autoencoder::Autoencoder(const at::Tensor& embedding, const AutoencoderSizes& sizes) : sizes_(sizes) {
    const at::NoGradGuard no_grad;
    input_ = embedding / embedding.slice(0, unk_id).std();
    // The classifier's rows of <pad>, <go> and <eos> are zero; here <eos> and <go> must say something. Any fixed vectors do.
    const at::Tensor steps = at::arange(1, embedding.size(1) + 1, at::kFloat);
    input_[go_id] = (steps * 1.7).sin() * std::sqrt(2.0);
    input_[eos_id] = (steps * 2.9 + 1).sin() * std::sqrt(2.0);
    // Angles spread over the circle without a pattern: multiples of the golden angle.
    angles_ = at::remainder(at::arange(1, sizes.latent / 2 + 1, at::kDouble) * 2.39996322972865332, 2 * M_PI).to(at::kFloat);
}

void Autoencoder::shape_weights(const std::function<at::Tensor(at::IntArrayRef)>& make) {
    const int64_t d = input_.size(1), k = sizes_.latent, he = sizes_.encoder, hd = sizes_.decoder, V = input_.size(0);
    write_ = make({d, k});
    read_ = make({k, d});
    encoder_ = lstm_weights(make, d, he);
    for (at::Tensor& weight : lstm_weights(make, d, he)) encoder_.push_back(weight);
    decoder_ = lstm_weights(make, 2 * d, hd);
    code_ = make({k, 2 * he});
    code_bias_ = make({k});
    every_ = make({d, k});
    every_bias_ = make({d});
    state_ = make({2 * hd, k});
    state_bias_ = make({2 * hd});
    feature_ = make({d + sizes_.output_extra, hd});
    feature_bias_ = make({d + sizes_.output_extra});
    extra_ = make({V, sizes_.output_extra});
    bias_ = make({V});
}

void Autoencoder::declare() {
    shape_weights([](at::IntArrayRef sizes) { return training::declared(sizes); });
}

void Autoencoder::initialise(at::Generator generator) {
    const at::NoGradGuard no_grad;
    shape_weights([](at::IntArrayRef sizes) { return at::empty(sizes); });
    const auto uniform = [&](at::Tensor weights, int64_t inputs) {
        const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
        weights.uniform_(-bound, bound, generator);
    };
    write_.normal_(0.0, 0.03 * std::sqrt(256.0 / static_cast<double>(sizes_.latent)), generator);
    read_.copy_(write_.t() * 0.4);  // almost its inverse: what is written can be read from the first step on
    for (const at::Tensor& weights : encoder_) uniform(weights, sizes_.encoder);
    for (const at::Tensor& weights : decoder_) uniform(weights, sizes_.decoder);
    uniform(code_, code_.size(1));
    uniform(every_, every_.size(1));
    uniform(state_, state_.size(1));
    feature_.normal_(0.0, 0.01, generator);
    extra_.normal_(0.0, 0.3, generator);
    for (const at::Tensor* bias : {&code_bias_, &every_bias_, &state_bias_, &feature_bias_, &bias_}) bias->zero_();
    // Never said: large enough for the softmax to forget them, small enough for 16 bits.
    bias_[pad_id] = -1e4;
    bias_[go_id] = -1e4;
}

std::vector<std::pair<std::string, at::Tensor*>> Autoencoder::dense() {
    std::vector<std::pair<std::string, at::Tensor*>> all = {{"write", &write_},     {"read", &read_},
                                                            {"code", &code_},       {"code_bias", &code_bias_},
                                                            {"every", &every_},     {"every_bias", &every_bias_},
                                                            {"state", &state_},     {"state_bias", &state_bias_},
                                                            {"feature", &feature_}, {"feature_bias", &feature_bias_}};
    encoder_.resize(8);
    decoder_.resize(4);
    static const char* const parts[] = {"input", "recurrent", "input_bias", "recurrent_bias"};
    for (size_t i = 0; i < 8; ++i)
        all.emplace_back(std::string(i < 4 ? "encoder_forward_" : "encoder_backward_") + parts[i % 4], &encoder_[i]);
    for (size_t i = 0; i < 4; ++i) all.emplace_back(std::string("decoder_") + parts[i], &decoder_[i]);
    return all;
}

std::vector<std::pair<std::string, at::Tensor*>> Autoencoder::tables() { return {{"extra", &extra_}, {"bias", &bias_}}; }

at::Tensor Autoencoder::rotate(const at::Tensor& v, int64_t first, int64_t step) const {
    const at::Tensor positions = at::arange(first, first + v.size(1) * step, step, angles_.options());
    return turn_pairs(v, at::outer(positions, angles_));
}

at::Tensor Autoencoder::encode(const at::Tensor& words, const at::Tensor& keep) const {
    at::Tensor e = input_.index({words});
    if (keep.defined()) e = e * keep;
    const int64_t batch = words.size(0), he = sizes_.encoder;
    const at::Tensor zero = at::zeros({2, batch, he});
    const auto [out, h, c] = at::lstm(e, {zero, zero}, encoder_, true, 1, 0.0, false, true, true);
    const at::Tensor read = at::linear(at::cat({h[0], h[1]}, 1), code_, code_bias_);
    const at::Tensor all = at::cat({e, input_[eos_id].expand({batch, 1, -1})}, 1);
    return read + rotate(at::matmul(all, write_), 0, 1).sum(1);
}

at::Tensor Autoencoder::encode(const Sentences& sentences) const {
    const at::NoGradGuard no_grad;
    at::Tensor codes = at::zeros({static_cast<int64_t>(sentences.size()), sizes_.latent});
    std::map<size_t, std::vector<int64_t>> by_length;
    for (size_t i = 0; i < sentences.size(); ++i) by_length[sentences[i].size()].push_back(static_cast<int64_t>(i));
    for (const auto& [length, rows] : by_length) {
        at::Tensor words = at::empty({static_cast<int64_t>(rows.size()), static_cast<int64_t>(length)}, at::kLong);
        auto* out = words.data_ptr<int64_t>();
        for (int64_t row : rows) out = std::copy(sentences[row].begin(), sentences[row].end(), out);
        codes.index_copy_(0, at::tensor(rows), encode(words));
    }
    return codes;
}

at::Tensor Autoencoder::features(const at::Tensor& z, const at::Tensor& inputs, const at::Tensor& keep) const {
    at::Tensor e = input_.index({inputs});
    if (keep.defined()) e = e * keep;
    const int64_t batch = inputs.size(0);
    // What the words before each position have written into the code, [B, T, k].
    const at::Tensor said = rotate(at::matmul(e.slice(1, 1), write_), 0, 1).cumsum(1);
    const at::Tensor left = z.unsqueeze(1) - at::cat({at::zeros({batch, 1, sizes_.latent}, z.options().requires_grad(false)), said}, 1);
    const at::Tensor u = at::matmul(rotate(left, 0, -1), read_);
    const at::Tensor x = at::cat({e + at::linear(z, every_, every_bias_).unsqueeze(1), u}, 2);
    const auto state = first_state(z);
    const auto [out, h, c] = at::lstm(x, {state[0].unsqueeze(0), state[1].unsqueeze(0)}, decoder_, true, 1, 0.0, false, false, true);
    return output_features(out, u);
}

GivenWords Autoencoder::given_words(const Sentences& sentences) const {
    const at::NoGradGuard no_grad;
    Ids words, times;
    const at::Tensor nothing = at::zeros({1, sizes_.latent}, input_.options());
    std::vector<at::Tensor> said = {nothing.slice(0, 0, 0)};  // there may be no sentence
    for (const Ids& sentence : sentences) {
        words.push_back(go_id);
        words.insert(words.end(), sentence.begin(), sentence.end());
        for (size_t t = 0; t <= sentence.size(); ++t) times.push_back(static_cast<int64_t>(t));
        const at::Tensor ids = at::tensor(sentence, at::kLong).to(input_.device());
        said.push_back(nothing);
        said.push_back(rotate(at::matmul(input_.index_select(0, ids), write_).unsqueeze(0), 0, 1)[0].cumsum(0));
    }
    const auto there = [&](const Ids& ids) { return at::tensor(ids, at::kLong).to(input_.device()); };
    const at::Tensor weight = decoder_[0].slice(1, 0, input_.size(1));  // the half that the words meet, not what is left of the code
    const at::Tensor always = at::linear(every_bias_, weight, decoder_[2] + decoder_[3]);
    return {at::linear(input_.index_select(0, there(words)), weight, always), at::cat(said), there(times)};
}

at::Tensor Autoencoder::features(const at::Tensor& z, const GivenWords& given, const Packing& packing) const {
    const auto of_position = [&](const at::Tensor& rows) { return rows.index_select(0, packing.rows); };
    const auto of_given = [&](const at::Tensor& all) { return all.index_select(0, packing.positions); };
    const at::Tensor left = of_position(z) - of_given(given.said);
    const at::Tensor u = at::mm(turn_pairs(left, at::outer(of_given(given.times), angles_.neg())), read_);
    const int64_t d = input_.size(1);
    const at::Tensor always = at::linear(at::linear(z, every_), decoder_[0].slice(1, 0, d));
    const at::Tensor gates = of_given(given.gates) + of_position(always) + at::linear(u, decoder_[0].slice(1, d));
    const auto state = first_state(z.index_select(0, packing.rows.slice(0, 0, packing.counts[0])));
    return output_features(packed_lstm(gates, packing.counts, state[0], state[1], decoder_[1]), u);
}

std::vector<at::Tensor> Autoencoder::first_state(const at::Tensor& z) const {
    const auto state = at::linear(z, state_, state_bias_).chunk(2, 1);
    return {state[0].tanh(), state[1].contiguous()};
}

at::Tensor Autoencoder::output_features(const at::Tensor& states, const at::Tensor& u) const {
    return at::linear(states, feature_, feature_bias_) + at::constant_pad_nd(u, {0, sizes_.output_extra});
}

at::Tensor Autoencoder::output_matrix() const { return output_.defined() ? output_ : at::cat({input_, extra_.detach()}, 1); }

Sentences Autoencoder::greedy(const at::Tensor& z, int64_t longest) const {
    const at::NoGradGuard no_grad;
    const int64_t batch = z.size(0);
    const at::Tensor matrix = output_matrix();
    const at::Tensor always = at::linear(z, every_, every_bias_);
    const auto state = first_state(z);
    at::Tensor h = state[0].unsqueeze(0), c = state[1].unsqueeze(0);
    at::Tensor word = at::full({batch}, go_id, at::kLong), left = z.unsqueeze(1);
    Sentences sentences(batch);
    std::vector<bool> ended(batch, false);
    for (int64_t t = 0; t <= longest; ++t) {
        const at::Tensor e = input_.index({word});
        if (t > 0) left = left - rotate(at::matmul(e, write_).unsqueeze(1), t - 1, 1);
        const at::Tensor u = at::matmul(rotate(left, -t, 1), read_);
        at::Tensor out;
        std::tie(out, h, c) = at::lstm(at::cat({(e + always).unsqueeze(1), u}, 2), {h, c}, decoder_, true, 1, 0.0, false, false, true);
        word = at::linear(output_features(out, u).squeeze(1), matrix, bias_).argmax(1);
        bool all_ended = true;
        for (int64_t row = 0; row < batch; ++row) {
            const int64_t id = word[row].item<int64_t>();
            ended[row] = ended[row] || id == eos_id;
            if (!ended[row] && t < longest) sentences[row].push_back(id);
            all_ended = all_ended && ended[row];
        }
        if (all_ended) break;
    }
    return sentences;
}

Autoencoder Autoencoder::on(at::Device device) const {
    Autoencoder copy = *this;
    for (auto& [name, tensor] : copy.dense()) *tensor = tensor->to(device);
    for (auto& [name, tensor] : copy.tables()) *tensor = tensor->to(device);
    for (at::Tensor* tensor : {&copy.input_, &copy.angles_, &copy.output_}) *tensor = tensor->to(device);
    return copy;
}

void Autoencoder::freeze() {
    for (auto& [name, tensor] : dense()) tensor->set_requires_grad(false);
    for (auto& [name, tensor] : tables()) tensor->set_requires_grad(false);
    output_ = at::cat({input_, extra_}, 1).contiguous();
}

}  // namespace whynot::text
