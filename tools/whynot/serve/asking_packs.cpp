#include "serve/asking_packs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <list>
#include <utility>

#include "asking/asking.h"
#include "asking/models.h"
#include "asking/services.h"
#include "stream/inputs.h"
#include "stream/records.h"
#include "whynot/error.h"
#include "whynot/explainer.h"
#include "whynot/held_out.h"
#include "whynot/interruption.h"
#include "whynot/samples.h"

namespace whynot::cli {
namespace {

/// Memory that this process has now, bytes.
int64_t resident() {
    int64_t pages = 0, held = 0;
    std::ifstream("/proc/self/statm") >> pages >> held;
    return held * sysconf(_SC_PAGESIZE);
}

/// Runs a step in which those who work ask whether to go on.
template <class F>
auto watched(const Asker::Watch& watch, const AskProgress& progress, F&& step) {
    const auto look = [&] {
        if (!watch(progress)) throw Error(ErrorCode::cancelled, "cancelled");
    };
    look();
    const InterruptionScope scope(look);
    return step();
}

class AskingPacks : public Asker {
public:
    explicit AskingPacks(const ServeCommand& command) : command_(command), host_(plugin_search(command)) {}

    AskResult ask(const AskRequest& request, const Watch& watch) override {
        const int64_t count = static_cast<int64_t>(request.inputs.size());
        Explainer& model = opened(request.pack, watch);
        // A few are answered no faster by several threads.
        set_threads(command_.threads, request.inputs.size() <= few ? 1 : 4);
        AskResult result;
        result.pack = model.pack().identity();
        result.task = request.task;
        result.first = request.first;
        const AskProgress working{AskProgress::Stage::search, 0, count};
        switch (request.task) {
            case Task::explain: result.answers = explain(model, request, watch); break;
            case Task::classify: result.classifications = watched(watch, working, [&] { return classify(model, request); }); break;
            case Task::attribute:
                if (request.method.empty())
                    result.methods = model.attribution_methods();
                else
                    result.attributions = watched(watch, working, [&] { return attribute(model, request); });
                break;
            case Task::samples: result.samples = samples(model.pack()); break;
            case Task::held_out: result.samples = held_out(model.pack(), request.limit); break;
        }
        return result;
    }

    std::vector<std::string> open() const override {
        std::vector<std::string> folders;
        for (const Opened& each : opened_) folders.push_back(each.folder);
        return folders;
    }

private:
    static constexpr size_t few = 4;

    struct Opened {
        std::string folder;
        std::unique_ptr<Explainer> model;
        int64_t bytes = 0;  ///< what opening and its first question took
    };

    /// The inputs that can be asked about.
    static std::vector<Ask> asks(const AskRequest& request) {
        std::vector<Ask> all;
        for (size_t i = 0; i < request.inputs.size(); ++i)
            if (request.problems[i].empty()) all.push_back({request.inputs[i], request.questions[i]});
        return all;
    }

    /// What came of those, and of the others why nothing did: in the order of the inputs.
    template <class T, class F>
    static std::vector<T> in_order(const AskRequest& request, std::vector<T> asked, F&& refused) {
        std::vector<T> all;
        auto next = asked.begin();
        for (size_t i = 0; i < request.inputs.size(); ++i) all.push_back(request.problems[i].empty() ? std::move(*next++) : refused(i));
        return all;
    }

    static std::vector<Classification> classify(Explainer& model, const AskRequest& request) {
        std::vector<Input> inputs;
        for (const Ask& ask : asks(request)) inputs.push_back(ask.input);
        return in_order(request, inputs.empty() ? std::vector<Classification>() : model.classify(inputs), [&](size_t i) {
            Classification refused;
            refused.input = request.inputs[i];
            refused.refusal = request.problems[i];
            return refused;
        });
    }

    static std::vector<Attributed> attribute(Explainer& model, const AskRequest& request) {
        AttributionOptions options;
        options.method = request.method;
        options.seed = request.seed;
        const std::vector<Ask> asked = asks(request);
        return in_order(request, asked.empty() ? std::vector<Attributed>() : model.attribute(asked, options), [&](size_t i) {
            Attributed refused;
            refused.question.input = request.inputs[i].path;
            refused.method = request.method;
            refused.reason = request.problems[i];
            return refused;
        });
    }

    std::vector<Answer> explain(Explainer& model, const AskRequest& request, const Watch& watch) const {
        ExplainCommand command;
        command.confidence = request.confidence;
        command.answers = request.answers;
        command.keep = request.keep;
        command.decode = request.decode;
        command.seed = request.seed;
        ExplainOptions options = explain_options(command);
        options.frames = request.frames && request.inputs.size() <= few;
        options.solver.callback = [&](const IterationReport& report) {
            using Stage = IterationReport::Stage;
            AskProgress progress;
            progress.stage = report.stage == Stage::search   ? AskProgress::Stage::search
                             : report.stage == Stage::render ? AskProgress::Stage::render
                                                             : AskProgress::Stage::start;
            progress.of = report.questions;
            progress.done = report.questions - report.rows_active;
            return watch(progress) ? CallbackAnswer::proceed : CallbackAnswer::abort;
        };
        const std::vector<Ask> asked = asks(request);
        return in_order(request, asked.empty() ? std::vector<Answer>() : explain_each(model, asked, options, command), [&](size_t i) {
            Answer answer;
            answer.record = refused(question_of({request.inputs[i], request.questions[i]}), model.pack(), command, request.problems[i]);
            return answer;
        });
    }

    /// What the pack's plugin has to show it with; none where it has nothing.
    std::vector<Input> samples(const Pack& pack) const {
        try {
            const std::string id = host_.find_service(pack.manifest().modality, Samples::service_id).manifest.id;
            return guarded(id, "give samples", [&] { return host_.service<Samples>(id).samples(pack).inputs; });
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
            return {};
        }
    }

    std::vector<Input> held_out(const Pack& pack, int64_t limit) const {
        const char* const corpora = std::getenv("WHYNOT_CORPORA");
        const std::string id = plugin_with(HeldOut::service_id, host_, pack.manifest().modality);
        return guarded(id, "read the inputs held out",
                       [&] { return host_.service<HeldOut>(id).inputs(pack, corpora ? corpora : "", pack.manifest().corpus, limit); });
    }

    /// The one asked last stands last.
    Explainer& opened(const std::string& folder, const Watch& watch) {
        for (auto each = opened_.begin(); each != opened_.end(); ++each) {
            if (each->folder != folder) continue;
            opened_.splice(opened_.end(), opened_, each);
            return *opened_.back().model;
        }
        if (!watch({})) throw Error(ErrorCode::cancelled, "cancelled");
        Pack pack = open_pack(folder);
        const int64_t before = resident();
        auto model = std::make_unique<Explainer>(host_, std::move(pack), command_.device);
        const int64_t bytes = std::max<int64_t>(0, resident() - before);
        int64_t all = bytes;
        for (const Opened& each : opened_) all += each.bytes;
        while (!opened_.empty() && all > command_.memory * 1'000'000) {
            all -= opened_.front().bytes;
            opened_.pop_front();
        }
        opened_.push_back({folder, std::move(model), bytes});
        return *opened_.back().model;
    }

    const ServeCommand& command_;
    Host host_;
    std::list<Opened> opened_;
};

}  // namespace

std::unique_ptr<Asker> open_asker(const ServeCommand& command) { return std::make_unique<AskingPacks>(command); }

}  // namespace whynot::cli
