// A modality that breaks one promise at a time, for the conformance kit to find: the version of the pack says which. "none" breaks none.
//
// An input is two numbers, told apart by their signs: class 0 where x < 0, class 1 where x > 0, class 2 where y is large. The generator is
// the identity.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <clocale>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "whynot/error.h"
#include "whynot/modality.h"
#include "whynot/plugin.h"
#include "whynot/samples.h"

namespace {

using whynot::Error;
using whynot::ErrorCode;

const std::thread::id first_thread = std::this_thread::get_id();
int counter = 0;

class FaultyBatch : public whynot::Batch {
public:
    FaultyBatch(std::string fault, int model, at::Tensor points) : fault_(std::move(fault)), model_(model), points_(std::move(points)) {}

    int64_t size() const override { return points_.size(0); }

    at::Tensor classify() override {
        const at::Tensor scores = scores_of(points_);
        if (fault_ == "classify-gives-logits") return scores;
        if (fault_ == "classify-gives-one-class") return scores.slice(1, 0, 1);
        return scores.log_softmax(1);
    }

    at::Tensor start(const at::Tensor&, uint64_t) override {
        if (fault_ == "start-has-another-shape") return at::cat({points_, points_}, 1);
        if (fault_ == "start-is-elsewhere" || fault_ == "start-is-elsewhere-and-says-so") return points_ * 0.5;
        if (fault_ == "start-ignores-the-seed") return points_ + 1e-5 * ++counter;
        return points_.clone();
    }

    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) override {
        if (fault_ == "gradient-is-half") return scores_of(0.5 * z + 0.5 * z.detach());
        if (fault_ == "gradient-is-none") return scores_of(z.detach());
        if (fault_ == "rows-see-each-other") return scores_of(z - 0.5 * z.mean(0, true));
        if (fault_ == "rows-are-ignored") return scores_of(z + 0.1 * at::arange(rows.size(0)).unsqueeze(1));
        if (fault_ == "models-disagree") return scores_of(z) + model_ * at::tensor({0.f, 0.1f, 0.f});
        if (fault_ == "threads-disagree" && std::this_thread::get_id() != first_thread) return scores_of(z + 0.1);
        if (fault_ == "numbers-are-none") return scores_of(z) * NAN;
        return scores_of(z);
    }

    std::vector<whynot::Rendering> render(const std::vector<whynot::RenderRequest>& requests, uint64_t) override {
        std::vector<whynot::Rendering> renderings;
        for (const whynot::RenderRequest& request : requests) {
            if (request.decode == "no-such-decoding" && fault_ != "any-decoding-will-do") {
                throw Error(ErrorCode::invalid_argument, "there is no such decoding");
            }
            whynot::Rendering& rendering = renderings.emplace_back();
            const at::Tensor answer = points_[request.row] + 1.05 * (request.boundary - points_[request.row]);
            std::ostringstream text;
            text.imbue(std::locale::classic());
            text << answer[0].item<float>() << ' ' << answer[1].item<float>();
            rendering.record = R"({"before": "", "answer": ")" + text.str() + R"("})";
            rendering.distance = "{}";
            rendering.terminal = fault_ == "colours-in-the-text" ? "\x1b[31m" + text.str() : text.str();
            if (fault_ == "record-is-none") rendering.record = "[1, 2]";
            const at::Tensor told = fault_ == "answer-is-the-input" ? points_[request.row] : answer;
            const at::Tensor probabilities = scores_of(told.unsqueeze(0)).softmax(1)[0].to(at::kDouble).contiguous();
            rendering.answer.assign(probabilities.data_ptr<double>(), probabilities.data_ptr<double>() + 3);
            if (fault_ == "answer-is-not-asked-afresh") rendering.answer[request.foil] += 0.3;
            rendering.answer_again = fault_ == "what-is-shown-is-another" ? "5 5" : text.str();
        }
        return renderings;
    }

    std::vector<std::string> warnings(int64_t row) const override {
        if (fault_ == "start-is-elsewhere-and-says-so" && row == 0) return {"the start is elsewhere"};
        return {};
    }

private:
    static at::Tensor scores_of(const at::Tensor& points) {
        const at::Tensor x = points.select(1, 0), y = points.select(1, 1);
        return at::stack({-2 * x, 2 * x, 2 * y - 4}, 1);
    }

    std::string fault_;
    int model_;
    at::Tensor points_;  // [B, 2]
};

class FaultyModel : public whynot::Model {
public:
    explicit FaultyModel(const whynot::Pack& pack) : fault_(pack.manifest().version), model_(counter++) {
        info_.classes = pack.manifest().classes;
        info_.latent_size = 2;
        if (fault_ == "classes-are-others") info_.classes.pop_back();
    }

    const whynot::ModelInfo& info() const override { return info_; }

    std::unique_ptr<whynot::Batch> read(const std::vector<whynot::Input>& inputs, std::vector<whynot::ReadNotes>& notes) override {
        misbehave();
        std::vector<float> numbers;
        notes.clear();
        for (const whynot::Input& input : inputs) {
            std::istringstream text(input.content);
            text.imbue(std::locale::classic());
            float x = 0, y = 0;
            std::string rest;
            const bool read = (text >> x >> y) && !(text >> rest) && std::isfinite(x) && std::isfinite(y);
            if (!read && fault_ == "bad-input-crashes" && input.content.size() > 10000) std::abort();
            if (!read && fault_ == "bad-input-hangs" && input.content.size() > 10000) sleep(1000);
            if (!read && fault_ == "bad-input-ends-the-process") std::_Exit(0);
            if (!read && fault_ == "bad-input-throws") throw std::runtime_error("these are no numbers");
            if (!read && fault_ == "bad-input-moves-its-neighbours" && !numbers.empty()) numbers.back() += 1;
            if (!read && fault_ == "bad-input-gets-no-note") continue;
            whynot::ReadNotes& note = notes.emplace_back();
            if (fault_ == "samples-are-refused" || (!read && fault_ != "anything-is-read")) {
                note.refusal = fault_ == "refusals-are-raw" ? "not two numbers: " + input.content : "expected two numbers";
                continue;
            }
            numbers.insert(numbers.end(), {x, y});
        }
        const auto rows = static_cast<int64_t>(numbers.size() / 2);
        return std::make_unique<FaultyBatch>(fault_, model_, at::tensor(numbers, at::kFloat).reshape({rows, 2}));
    }

private:
    void misbehave() const {
        if (fault_ == "prints") std::puts("hello from the plugin");
        if (fault_ == "complains") std::fputs("the plugin is not happy\n", stderr);
        if (fault_ == "leaves-traces") {
            at::manual_seed(7);
            std::setlocale(LC_ALL, "C.UTF-8");
            std::signal(SIGUSR1, SIG_IGN);
        }
    }

    std::string fault_;
    int model_;
    whynot::ModelInfo info_;
};

class Faulty : public whynot::Modality {
public:
    std::unique_ptr<whynot::Model> open(const whynot::Pack& pack, const std::string& device) override {
        const std::string& fault = pack.manifest().version;
        if (device != "cpu" && fault != "any-device-will-do") throw Error(ErrorCode::invalid_argument, "expected the device cpu");
        if (fault != "any-pack-will-do" && (!pack.has("words.txt") || std::filesystem::file_size(pack.file("words.txt")) != 4))
            throw Error(ErrorCode::bad_pack, "words.txt is missing or of another size");
        if (fault == "open-gives-nothing") return nullptr;
        return std::make_unique<FaultyModel>(pack);
    }
};

class FaultySamples : public whynot::Samples {
public:
    whynot::SampleSet samples(const whynot::Pack& pack) override {
        if (pack.manifest().version == "there-are-no-samples") return {};
        if (pack.manifest().version == "there-is-one-sample") return {{{"1 0.2", ""}}, 1e-4};
        return {{{"1 0.2", ""}, {"-0.4 0", ""}, {"0.6 -1", ""}}, 1e-4};
    }
};

const char* const decodings[] = {"beyond", nullptr};
const whynot_option options[] = {{"decode", "choice", "beyond", nullptr, nullptr, decodings, "A point just beyond the boundary."}, {}};
const whynot_artifact artifacts[] = {{"words.txt", "text", 1, "Four bytes."}, {}};

whynot::PluginInfo describe() {
    whynot::PluginInfo plugin;
    plugin.id = plugin.modality = "faulty";
    plugin.name = "Faulty";
    plugin.version = "1.0.0";
    plugin.licence = "MIT";
    plugin.summary = "Breaks one promise at a time.";
    plugin.options = options;
    plugin.artifacts = artifacts;
    return plugin;
}

}  // namespace

WHYNOT_PLUGIN(describe(), whynot::Service<whynot::Modality, Faulty>, whynot::Service<whynot::Samples, FaultySamples>);
