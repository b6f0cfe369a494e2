#include "image/measuring/questions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "whynot/asking.h"
#include "whynot/lbfgs.h"
#include "whynot/points.h"

namespace whynot::image {

namespace {

at::Tensor everyone(int64_t n) { return at::arange(n, at::kLong); }

}  // namespace

void Answers::add(Summary summary) {
    forward += summary.forward;
    backward += summary.backward;
    for (Solution& solution : summary.solutions) solutions.push_back(std::move(solution));
}

at::Tensor Answers::z() const {
    std::vector<at::Tensor> rows;
    for (const Solution& solution : solutions) rows.push_back(solution.z);
    return at::stack(rows);
}

double Answers::share(const std::function<bool(const Solution&)>& holds) const {
    return static_cast<double>(std::count_if(solutions.begin(), solutions.end(), holds)) / static_cast<double>(solutions.size());
}

double Answers::work() const { return static_cast<double>(forward + 2 * backward) / static_cast<double>(solutions.size()); }

SolverOptions options_of(const ImageModel& model, int64_t starts, bool guards) {
    SolverOptions options;
    options.typical_distance = model.info().typical_distance;
    options.starts = starts;
    options.guards = guards;
    return options;
}

void solve_into(Answers& answers, const Problem& problem, SolverOptions options, const Watch& watch) {
    options.callback = [&](const IterationReport& report) {
        watch(1 - static_cast<double>(report.rows_active) / static_cast<double>(report.questions));
        return CallbackAnswer::proceed;
    };
    answers.add(solve(problem, options));
}

Sample::Sample(const ImageModel& model, const at::Tensor& images, int64_t batch, uint64_t seed, const Watch& watch, const at::Tensor& codes)
    : model_(model), images_(images), seed_(seed) {
    std::vector<at::Tensor> log_probabilities, residuals;
    for (int64_t begin = 0; begin < size(); begin += batch) {
        watch(static_cast<double>(begin) / static_cast<double>(size()));
        Part& part = parts_.emplace_back();
        part.begin = begin;
        part.end = std::min(begin + batch, size());
        part.images = std::make_unique<ImageBatch>(model, images.slice(0, part.begin, part.end));
        log_probabilities.push_back(part.images->classify());
        part.start = codes.defined() ? part.images->start_at(codes.slice(0, part.begin, part.end))
                                     : part.images->start(log_probabilities.back().argmax(1), seed);
        residuals.push_back(part.images->residual());
    }
    order_ = at::cat(log_probabilities).argsort(1, true);
    residual_ = at::cat(residuals);
}

at::Tensor Sample::start() const {
    std::vector<at::Tensor> rows;
    for (const Part& part : parts_) rows.push_back(part.start);
    return at::cat(rows);
}

Answers Sample::answer(const at::Tensor& foil, int64_t starts, bool guards, const Watch& watch) const {
    return in_parts(watch, [&](const Part& part, const Watch& watch_part, Answers& answers) {
        solve_into(answers, problem(part, foil, starts - 1), options_of(model_, starts, guards), watch_part);
    });
}

Answers Sample::answer_in_pixels(const at::Tensor& foil, const Watch& watch, bool clipped) const {
    return in_parts(watch, [&](const Part& part, const Watch& watch_part, Answers& answers) {
        const at::Tensor images = images_.slice(0, part.begin, part.end);
        Problem pixels = problem(part, foil, 0);
        pixels.start = images.flatten(1);
        pixels.log_likelihood = [&](const at::Tensor& z, const at::Tensor&) {
            const at::Tensor pictures = z.view({z.size(0), images.size(1), images.size(2), images.size(3)});
            return model_.networks().classifier->logits(clipped ? pictures.clamp(0, 1) : pictures);
        };
        solve_into(answers, pixels, SolverOptions(), watch_part);
    });
}

Answers Sample::ask_oracle(const at::Tensor& foil, int64_t count, const Watch& watch) const {
    Answers answers;
    for (const Part& part : parts_) {
        if (part.begin >= count) break;
        Problem some = problem(part, foil, 0);
        for (at::Tensor* tensor : {&some.start, &some.fact, &some.foil}) *tensor = tensor->slice(0, 0, count - part.begin);
        SolverOptions options;
        options.callback = [&](const IterationReport& report) {
            watch(static_cast<double>(part.begin + report.questions - report.rows_active) / static_cast<double>(count));
            return CallbackAnswer::proceed;
        };
        answers.add(solve_by_lbfgs(some, options));
    }
    return answers;
}

at::Tensor third_above(const at::Tensor& said, const at::Tensor& one, const at::Tensor& other) {
    at::Tensor thirds = said.clone();
    thirds.scatter_(1, one.unsqueeze(1), -INFINITY).scatter_(1, other.unsqueeze(1), -INFINITY);
    const auto of = [&](const at::Tensor& y) { return said.gather(1, y.unsqueeze(1)).squeeze(1); };
    return std::get<0>(thirds.max(1)) - at::maximum(of(one), of(other));
}

double Shown::work() const { return static_cast<double>(forward + 2 * backward) / static_cast<double>(boundary.size(0)); }

namespace {

/// The pictures of some renderings, read as a person would give them back; the input itself where there is none.
void read_again(ImageModel& model, const at::Tensor& inputs, const std::vector<std::string>& files, at::Tensor& images, at::Tensor& there) {
    images = inputs.clone();
    there = at::zeros({inputs.size(0)}, at::kBool);
    for (size_t i = 0; i < files.size(); ++i) {
        if (files[i].empty()) continue;
        std::vector<ReadNotes> notes;
        const std::unique_ptr<Batch> again = model.read({{files[i], ""}}, notes);
        if (again->size() == 0) continue;
        images[static_cast<int64_t>(i)].copy_(static_cast<const ImageBatch&>(*again).images()[0]);
        there[static_cast<int64_t>(i)] = true;
    }
}

}  // namespace

Shown Sample::show(const at::Tensor& foil, int64_t starts, double confidence, const Watch& watch, bool guards) const {
    ImageModel reader = model_;
    std::vector<at::Tensor> columns[8];
    Shown shown;
    for (const Part& part : parts_) {
        SolverOptions options = options_of(model_, starts, guards);
        options.callback = [&](const IterationReport&) {
            watch(static_cast<double>(part.begin) / static_cast<double>(size()));
            return CallbackAnswer::proceed;
        };
        const Points points = solve_points(problem(part, foil, starts == 1 ? 0 : starts - 1 + starts_in_reserve), options, confidence);
        std::vector<RenderRequest> requests;
        std::vector<size_t> rows;
        at::Tensor is_edge = at::zeros({part.images->size()}, at::kBool), distance = at::zeros({part.images->size()}, at::kDouble);
        for (size_t i = 0; i < points.answers.size(); ++i) {
            shown.forward += points.forward(i);
            shown.backward += points.backward(i);
            const Solution* reached = points.reached(i);
            if (!reached) continue;
            const auto row = static_cast<int64_t>(i);
            RenderRequest request;
            request.row = row;
            request.fact = fact()[part.begin + row].item<int64_t>();
            request.foil = foil[part.begin + row].item<int64_t>();
            request.boundary = reached->z;
            if (points.answers[i] && points.answers[i]->feasible) request.answer = points.answers[i]->z;
            request.between = points.between[i];
            is_edge[row] = request.between >= 0;
            distance[row] = reached->distance;
            requests.push_back(std::move(request));
            rows.push_back(i);
        }
        const std::vector<Rendering> renderings = part.images->render(requests, seed_);
        std::vector<std::string> boundaries(points.answers.size()), answers(points.answers.size());
        for (size_t r = 0; r < renderings.size(); ++r) {
            boundaries[rows[r]] = renderings[r].boundary_again;
            answers[rows[r]] = renderings[r].answer_again;
        }
        const at::NoGradGuard no_grad;
        at::Tensor images, there;
        for (const bool is_answer : {false, true}) {
            read_again(reader, part.images->images(), is_answer ? answers : boundaries, images, there);
            columns[is_answer].push_back(there);
            columns[2 + is_answer].push_back(images);
            columns[4 + is_answer].push_back(at::log_softmax(model_.logits(images).to(at::kDouble), 1));
        }
        columns[6].push_back(is_edge);
        columns[7].push_back(distance);
    }
    at::Tensor* const all[] = {&shown.boundary_there, &shown.answer_there, &shown.boundary, &shown.answer,
                               &shown.at_boundary,    &shown.at_answer,    &shown.is_edge,  &shown.distance};
    for (size_t c = 0; c < 8; ++c) *all[c] = at::cat(columns[c]);
    return shown;
}

at::Tensor Sample::draw(const at::Tensor& z) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> drawn;
    for (const Part& part : parts_) drawn.push_back(part.images->draw(z.slice(0, part.begin, part.end), everyone(part.images->size())));
    return at::cat(drawn);
}

Problem Sample::problem(const Part& part, const at::Tensor& foil, int64_t further_starts) const {
    const RowQuestions questions{{}, fact().slice(0, part.begin, part.end), foil.slice(0, part.begin, part.end)};
    const AskOptions options{seed_, further_starts, ""};
    Problem problem = to_problem(*part.images, part.start, questions, options);
    problem.extra_starts = extra_starts(*part.images, model_.info(), questions, options);
    return problem;
}

Answers Sample::in_parts(const Watch& watch, const std::function<void(const Part&, const Watch&, Answers&)>& answer_part) const {
    Answers answers;
    for (const Part& part : parts_) {
        const auto watch_part = [&](double share) {
            watch((static_cast<double>(part.begin) + share * static_cast<double>(part.end - part.begin)) / static_cast<double>(size()));
        };
        answer_part(part, watch_part, answers);
    }
    return answers;
}

}  // namespace whynot::image
