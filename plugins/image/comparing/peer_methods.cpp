#include "image/comparing/peer_methods.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "training/optimiser.h"

namespace whynot::image {

namespace {

constexpr int64_t at_once = 32;  ///< pictures: what a core's cache holds of the networks' work

/// A method for a few questions, told how far it is by what it calls with the share of its own work that is done.
using Search = std::function<at::Tensor(const PeerQuestions&, const Watch&)>;

at::Tensor a_few_at_a_time(const PeerQuestions& questions, const Watch& watch, const Search& search) {
    std::vector<at::Tensor> found;
    const auto whole = static_cast<double>(questions.size());
    for (int64_t begin = 0; begin < questions.size(); begin += at_once) {
        const int64_t end = std::min(begin + at_once, questions.size());
        found.push_back(search({questions.images.slice(0, begin, end), questions.foil.slice(0, begin, end)}, [&](double share) {
            watch((static_cast<double>(begin) + share * static_cast<double>(end - begin)) / whole);
        }));
    }
    return at::cat(found);
}

/// A number for each picture, as [n, 1, 1, 1].
at::Tensor each(const at::Tensor& numbers) { return numbers.view({-1, 1, 1, 1}); }

at::Tensor lengths(const at::Tensor& pictures) { return pictures.flatten(1).norm(2, 1); }

/// The best picture so far of each question.
class Best {
public:
    explicit Best(const PeerQuestions& questions)
        : foil_(questions.foil),
          pictures_(questions.images.clone()),
          cost_(at::full({questions.size()}, INFINITY)),
          kept_(at::zeros({questions.size()}, at::kBool)) {}

    /// @param logits of `pictures`, [n, C] @param cost [n]
    void see(const at::Tensor& pictures, const at::Tensor& logits, const at::Tensor& cost) {
        const at::NoGradGuard no_grad;
        const at::Tensor better = logits.argmax(1).eq(foil_).logical_and(cost < cost_).logical_and(kept_.logical_not());
        // Where none was found yet, the last one stands for what the search came to.
        pictures_ = at::where(each(better.logical_or(cost_.isinf())), pictures, pictures_);
        cost_ = at::where(better, cost, cost_);
    }
    /// What was found so far stays.
    void keep() { kept_ = found(); }

    at::Tensor found() const { return cost_.isfinite(); }  ///< [n], bool
    const at::Tensor& pictures() const { return pictures_; }

private:
    at::Tensor foil_, pictures_, cost_, kept_;
};

at::Tensor wrong(const at::Tensor& logits, const at::Tensor& foil) { return at::cross_entropy_loss(logits, foil, {}, at::Reduction::None); }

}  // namespace

at::Tensor search_codes(const ImageModel& model, const PeerQuestions& all, const LatentSearch& options, const Watch& watch_all) {
    return a_few_at_a_time(all, watch_all, [&](const PeerQuestions& questions, const Watch& watch) {
        const at::Tensor z = model.code(questions.images).detach().clone().requires_grad_();
        training::DenseAdam adam({z}, 0);
        Best best(questions);
        for (int64_t step = 0; step < options.steps; ++step) {
            watch(static_cast<double>(step) / static_cast<double>(options.steps));
            const at::Tensor drawn = model.decode(z), logits = model.logits(drawn);
            const at::Tensor loss = wrong(logits, questions.foil) + options.weight * (drawn - questions.images).abs().flatten(1).sum(1);
            best.see(drawn.detach(), logits.detach(), loss.detach());
            loss.sum().backward();
            adam.step(options.rate);
        }
        return best.pictures();
    });
}

at::Tensor search_pixels(const ImageModel& model, const PeerQuestions& all, const Watch& watch_all) {
    constexpr int64_t steps = 100, halvings = 10;
    constexpr double first_weight = 0.1, rate = 0.02;
    return a_few_at_a_time(all, watch_all, [&](const PeerQuestions& questions, const Watch& watch) {
        Best best(questions);
        double weight = first_weight;
        for (int64_t round = 0; round <= halvings && !best.found().all().item<bool>(); ++round, weight /= 2) {
            best.keep();
            const at::Tensor x = questions.images.clone().requires_grad_();
            training::DenseAdam adam({x}, 0);
            for (int64_t step = 0; step < steps; ++step) {
                watch((static_cast<double>(round) + static_cast<double>(step) / steps) / (halvings + 1));
                const at::Tensor shown = x.clamp(0, 1), logits = model.logits(shown);
                const at::Tensor distance = (shown - questions.images).abs().flatten(1).sum(1);
                best.see(shown.detach(), logits.detach(), distance.detach());
                (wrong(logits, questions.foil) + weight * distance).sum().backward();
                adam.step(rate);
            }
        }
        return best.pictures();
    });
}

at::Tensor descend_in_balls(const ImageModel& model, const PeerQuestions& all, const Watch& watch_all) {
    constexpr int64_t steps = 20, doublings = 6, halvings = 4;
    constexpr double first_radius = 0.25, share_of_radius = 0.25;  // of a step
    return a_few_at_a_time(all, watch_all, [&](const PeerQuestions& questions, const Watch& watch) {
        Best best(questions);
        at::Tensor found_in = at::full({questions.size()}, INFINITY), missed_in = at::zeros({questions.size()});
        at::Tensor radius = at::full({questions.size()}, first_radius);
        for (int64_t round = 0; round < doublings + halvings; ++round) {
            watch(static_cast<double>(round) / static_cast<double>(doublings + halvings));
            at::Tensor x = questions.images, is_foil = at::zeros({questions.size()}, at::kBool);
            for (int64_t step = 0; step <= steps; ++step) {
                x = x.detach().requires_grad_();
                const at::Tensor logits = model.logits(x);
                best.see(x.detach(), logits.detach(), lengths(x.detach() - questions.images));
                is_foil = is_foil.logical_or(logits.detach().argmax(1).eq(questions.foil));
                if (step == steps) break;
                wrong(logits, questions.foil).sum().backward();
                const at::NoGradGuard no_grad;
                const at::Tensor way = x.grad() / each(lengths(x.grad()).clamp_min(1e-12));
                const at::Tensor change = x - each(radius * share_of_radius) * way - questions.images;
                const at::Tensor shorter = (radius / lengths(change).clamp_min(1e-12)).clamp_max(1);
                x = (questions.images + each(shorter) * change).clamp(0, 1);
            }
            found_in = at::where(is_foil, at::minimum(found_in, radius), found_in);
            missed_in = at::where(is_foil, missed_in, at::maximum(missed_in, radius));
            radius = at::where(found_in.isinf(), 2 * missed_in, (found_in + missed_in) / 2);
        }
        return best.pictures();
    });
}

at::Tensor follow_gradient(const ImageModel& model, const PeerQuestions& all, const Watch& watch_all) {
    constexpr int64_t multiples = 40;
    constexpr double step = 0.25;
    return a_few_at_a_time(all, watch_all, [&](const PeerQuestions& questions, const Watch& watch) {
        const at::Tensor x = questions.images.detach().clone().requires_grad_();
        const at::Tensor logits = model.logits(x), fact = logits.argmax(1);
        const at::Tensor gain = logits.gather(1, questions.foil.unsqueeze(1)) - logits.gather(1, fact.unsqueeze(1));
        gain.sum().backward();
        const at::Tensor way = x.grad() / each(lengths(x.grad()).clamp_min(1e-12));
        Best best(questions);
        for (int64_t i = 1; i <= multiples && !best.found().all().item<bool>(); ++i) {
            watch(static_cast<double>(i) / static_cast<double>(multiples));
            const at::NoGradGuard no_grad;
            const at::Tensor moved = (questions.images + step * static_cast<double>(i) * way).clamp(0, 1);
            best.see(moved, model.logits(moved), at::full({questions.size()}, static_cast<double>(i)));
        }
        return best.pictures();
    });
}

namespace {

at::Tensor of_class(const TrainingImages& train, int64_t y) { return train.images(train.labels.eq(y).nonzero().squeeze(1)); }

}  // namespace

at::Tensor nearest_of_foil(const PeerQuestions& questions, const TrainingImages& train, const Watch& watch) {
    at::Tensor found = questions.images.clone();
    const auto classes = std::get<0>(at::_unique(questions.foil));
    for (int64_t c = 0; c < classes.size(0); ++c) {
        watch(static_cast<double>(c) / static_cast<double>(classes.size(0)));
        const at::Tensor rows = questions.foil.eq(classes[c]).nonzero().squeeze(1);
        const at::Tensor candidates = of_class(train, classes[c].item<int64_t>());
        const at::Tensor nearest = at::cdist(questions.images.index_select(0, rows).flatten(1), candidates.flatten(1)).argmin(1);
        found.index_copy_(0, rows, candidates.index_select(0, nearest));
    }
    return found;
}

at::Tensor mean_of_foil(const PeerQuestions& questions, const TrainingImages& train) {
    at::Tensor found = questions.images.clone();
    const auto classes = std::get<0>(at::_unique(questions.foil));
    for (int64_t c = 0; c < classes.size(0); ++c) {
        const at::Tensor rows = questions.foil.eq(classes[c]).nonzero().squeeze(1);
        const at::Tensor mean = of_class(train, classes[c].item<int64_t>()).mean(0, true);
        found.index_copy_(0, rows, mean.expand({rows.size(0), mean.size(1), mean.size(2), mean.size(3)}));
    }
    return found;
}

}  // namespace whynot::image
