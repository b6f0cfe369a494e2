#include "whynot/asking.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "whynot/error.h"

using namespace whynot;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

/// Points in the plane; classes 0, 1, 2 score -2x, 2x, 2y. Notes what it is asked, and does as it is told.
class ToyBatch : public Batch {
public:
    explicit ToyBatch(at::Tensor points) : points_(std::move(points)) {}

    int64_t size() const override { return points_.size(0); }
    at::Tensor classify() override { return odd_ == "classify" ? at::zeros({size(), 2}) : scores(points_).log_softmax(1); }
    at::Tensor start(const at::Tensor& fact, uint64_t seed) override {
        if (odd_ == "throws") throw std::runtime_error("no start today");
        facts_ = fact;
        seed_ = seed;
        return odd_ == "start" ? at::Tensor() : points_.clone();
    }
    at::Tensor log_likelihood(const at::Tensor& z, const at::Tensor& rows) override {
        rows_ = rows;
        return scores(z);
    }
    at::Tensor extra_starts(const at::Tensor& rows, const at::Tensor&, const at::Tensor& foil, int64_t count, uint64_t) override {
        rows_ = rows;
        if (odd_ == "none") return {};
        return weight().index_select(0, foil).unsqueeze(1).repeat({1, count, odd_ == "extra_starts" ? 2 : 1});
    }

    std::vector<Rendering> render(const std::vector<RenderRequest>&, uint64_t) override { return {}; }

    static at::Tensor weight() { return at::tensor({-2.0, 0.0, 2.0, 0.0, 0.0, 2.0}).view({3, 2}); }
    static at::Tensor scores(const at::Tensor& z) { return z.matmul(weight().t()); }

    std::string odd_;          // which answer is to have another shape, or fail
    at::Tensor facts_, rows_;  // last told
    uint64_t seed_ = 0;

private:
    at::Tensor points_;  // [B, 2], double
};

class Asking : public testing::Test {
protected:
    Asking() { info_.classes = {"left", "right", "top"}, info_.latent_size = 2; }

    static std::vector<int64_t> numbers(const at::Tensor& tensor) {
        return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
    }
    static at::Tensor indices(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }
    template <class F>
    static std::string message_of(ErrorCode code, F&& f) {
        try {
            f();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code);
            return error.what();
        }
        ADD_FAILURE() << "should throw";
        return {};
    }

    ModelInfo info_;
    ToyBatch batch_{at::tensor({1.0, 0.5, -1.0, 0.2, 0.1, 2.0}).view({3, 2})};
};

TEST_F(Asking, TheDefaultQuestionIsTheLikeliestClassAndTheRunnerUp) {
    const RowQuestions questions = default_questions(log_probabilities(batch_, info_));
    EXPECT_EQ(numbers(questions.fact), (std::vector<int64_t>{1, 0, 2}));
    EXPECT_EQ(numbers(questions.foil), (std::vector<int64_t>{2, 2, 1}));
    EXPECT_FALSE(questions.rows.defined());
    EXPECT_EQ(numbers(likeliest_other(log_probabilities(batch_, info_), indices({0, 0, 0}))), (std::vector<int64_t>{1, 2, 2}));
}

TEST_F(Asking, MakesAProblemWhoseSolutionIsTheNearestPoint) {
    const Problem problem = ask(batch_, info_);
    EXPECT_EQ(numbers(batch_.facts_), (std::vector<int64_t>{1, 0, 2}));
    const Summary summary = solve(problem);
    ASSERT_EQ(summary.found, 3) << summary.full_report();
    EXPECT_NEAR(summary.solutions[0].distance, 0.5 / std::sqrt(2.0), 1e-2) << "to the line y = x";
    EXPECT_NEAR(summary.solutions[1].distance, 0.8 / std::sqrt(2.0), 1e-2) << "to the line y = -x";
}

TEST_F(Asking, AsksSeveralQuestionsAboutOneRow) {
    AskOptions options;
    options.seed = 7;
    options.extra_starts = 2;
    const RowQuestions questions{indices({2, 0, 2}), indices({2, 1, 2}), indices({1, 2, 0})};
    const Problem problem = ask(batch_, info_, questions, options);
    EXPECT_EQ(numbers(batch_.facts_), (std::vector<int64_t>{1, 0, 2})) << "row by row; nobody asks about row 1";
    EXPECT_EQ(batch_.seed_, 7u);
    EXPECT_EQ(numbers(batch_.rows_), (std::vector<int64_t>{2, 0, 2}));
    EXPECT_EQ(problem.extra_starts.sizes(), (at::IntArrayRef{3, 2, 2}));
    const Summary summary = solve(problem);
    ASSERT_EQ(summary.found, 3) << summary.full_report();
    EXPECT_NEAR(summary.solutions[0].distance, 1.9 / std::sqrt(2.0), 1e-2);
    EXPECT_NEAR(summary.solutions[2].distance, 2.1 / std::sqrt(2.0), 1e-2);
    problem.log_likelihood(problem.start.slice(0, 0, 2), indices({2, 1}));
    EXPECT_EQ(numbers(batch_.rows_), (std::vector<int64_t>{2, 0})) << "rows of the batch, not of the problem";
}

TEST_F(Asking, TakesItThatThereAreNoExtraStarts) {
    AskOptions options;
    options.extra_starts = 2;
    batch_.odd_ = "none";
    EXPECT_FALSE(ask(batch_, info_, options).extra_starts.defined());
}

TEST_F(Asking, NamesWhatHasTheWrongShape) {
    AskOptions options;
    options.extra_starts = 1;
    options.plugin = "toy";
    const auto message = [&](const char* odd) {
        batch_.odd_ = odd;
        return message_of(ErrorCode::internal, [&] { ask(batch_, info_, options); });
    };
    EXPECT_EQ(message("classify"), "plugin 'toy': classify should give [B, C] = [3, 3]; it gives [3, 2]");
    EXPECT_EQ(message("start"), "plugin 'toy': start should give [B, k] = [3, 2]; it gives nothing");
    EXPECT_EQ(message("extra_starts"), "plugin 'toy': extra_starts should give [q, S, k] = [3, 1, 2]; it gives [3, 1, 4]");
    EXPECT_THAT(message("throws"), AllOf(HasSubstr("the plugin 'toy' failed to find the latent start"), HasSubstr("no start today")));
    options.plugin = "";
    EXPECT_THAT(message("start"), Not(HasSubstr("plugin")));
    batch_.odd_ = "throws";
    EXPECT_THROW(ask(batch_, info_), std::runtime_error) << "the caller's own batch, and its own error";
}

TEST_F(Asking, RefusesQuestionsThatDoNotFitTheBatch) {
    const auto message = [&](const RowQuestions& questions) {
        return message_of(ErrorCode::invalid_argument, [&] { ask(batch_, info_, questions); });
    };
    EXPECT_THAT(message({}), HasSubstr("RowQuestions::fact should be [3] int64, one class a question; it is nothing"));
    EXPECT_THAT(message({{}, indices({1, 0, 2}), indices({1})}), HasSubstr("RowQuestions::foil should be [3] int64"));
    EXPECT_THAT(message({{}, at::zeros({3}), indices({1, 0, 2})}), HasSubstr("it is [3] Float"));
    for (const int64_t row : {-1, 3})
        EXPECT_THAT(message({indices({row}), indices({1}), indices({0})}), HasSubstr("indices into a batch of 3 rows"));
}

}  // namespace
