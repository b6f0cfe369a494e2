// Checks of what a modality reads and computes.
#include <ATen/ATen.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "conformance/checks/subject.h"
#include "whynot/error.h"
#include "whynot/gradient_check.h"

namespace fs = std::filesystem;

namespace whynot::conformance {
namespace {

/// What batches of different sizes may differ by in a class probability: matrix products in 32 bits add up in another order.
constexpr double rounding = 1e-3;

at::Tensor probabilities_of(const at::Tensor& log_likelihood) { return at::softmax(log_likelihood.detach().to(at::kCPU, at::kDouble), 1); }

at::Tensor every_row(const Asked& asked) { return at::arange(asked.batch->size(), at::kLong); }

at::Tensor log_likelihood(const Subject& subject, Asked& asked, const at::Tensor& z, const at::Tensor& rows) {
    return subject.problem(asked).log_likelihood(z, rows);
}

/// Points about z0 at the distance at which explanations lie, the same each time.
at::Tensor points_about(const Asked& asked, uint64_t seed) {
    const int64_t latent = asked.start.size(1);
    const at::Tensor direction =
        at::randn(asked.start.sizes(), at::make_generator<at::CPUGeneratorImpl>(seed), asked.start.options().device(at::kCPU));
    return asked.start + (direction * (asked.model->info().typical_distance / std::sqrt(latent))).to(asked.start.device());
}

std::string read_bytes(const fs::path& path) { return base::read_file(path, uint64_t{1} << 40, ErrorCode::bad_pack); }

/// The pack with one file changed; no bytes: left out.
Pack pack_with(const Pack& pack, const fs::path& folder, const std::string& name, const std::optional<std::string>& bytes) {
    PackWriter writer(folder);
    writer.add("unrelated.txt", "A pack has one file at least.\n");
    for (const PackFile& file : pack.manifest().files) {
        if (file.name != name) {
            writer.add(file.name, read_bytes(pack.file(file.name)));
        } else if (bytes) {
            writer.add(name, *bytes);
        }
    }
    return writer.finish(pack.manifest());
}

}  // namespace

void opens(Subject& subject) {
    const Pack& pack = subject.pack();
    const auto model = subject.open();
    const ModelInfo& info = model->info();
    expect(info.classes == pack.manifest().classes, "the model has other classes than its pack's manifest");
    expect(info.latent_size > 0, "ModelInfo::latent_size should be 1 or more; it is " + std::to_string(info.latent_size));
    expect(std::isfinite(info.typical_distance) && info.typical_distance > 0,
           "ModelInfo::typical_distance should be above 0; it is " + number(info.typical_distance));
}

void bad_pack(Subject& subject) {
    const Pack& pack = subject.pack();
    const auto refused = [&](const Pack& with, const std::string& device) {
        try {
            subject.open(with, device);
            return false;
        } catch (const Error&) {
            return true;
        }
    };
    expect(refused(pack, "no-such-device"), "the device 'no-such-device' was taken; it is to be refused with an error");
    std::set<std::string> required;
    for (const PluginArtifact& artifact : subject.manifest().artifacts)
        if (artifact.required) required.insert(artifact.key);
    int64_t tried = 0;
    for (const PackFile& file : pack.manifest().files) {
        const std::string bytes = read_bytes(pack.file(file.name));
        const std::pair<const char*, std::optional<std::string>> faults[] = {
            {"missing", std::nullopt}, {"empty", ""}, {"cut short", bytes.substr(0, bytes.size() / 2)}};
        for (const auto& [fault, changed] : faults) {
            const TemporaryFolder folder;
            const bool error = refused(pack_with(pack, folder.path / "pack", file.name, changed), "cpu");
            expect(error || required.count(file.name) == 0,
                   "a pack whose required file '" + file.name + "' is " + fault + " opens without an error");
            ++tried;
        }
    }
    if (tried == 0) skip("an unknown device is refused; the pack has no files that could be damaged");
}

void inputs(Subject& subject) {
    const std::vector<Input>& all = subject.samples().inputs;
    const auto model = subject.open();
    std::vector<ReadNotes> notes;
    const auto batch = subject.call("read the inputs", [&] { return model->read(all, notes); });
    expect(notes.size() == all.size(), "of " + std::to_string(all.size()) + " inputs, " + std::to_string(notes.size()) + " got a note");
    for (size_t i = 0; i < all.size(); ++i)
        expect(notes[i].refusal.empty(), "the input " + name_of(all[i]) + " is refused: " + notes[i].refusal);
    expect(batch && batch->size() == static_cast<int64_t>(all.size()), "a batch of " + std::to_string(all.size()) +
                                                                           " inputs, none of them refused, has " +
                                                                           (batch ? std::to_string(batch->size()) : "no") + " rows");
    if (all.size() < 2) warn("there is one input only; with two or more, batches can be compared with single inputs");
}

void bad_input(Subject& subject) {
    const Input good = subject.samples().inputs.front();
    const std::string no_path, file = "input.bin";
    std::string noise;
    for (uint32_t i = 0, x = 1; i < 4096; ++i, x = x * 1664525 + 1013904223) noise += static_cast<char>(x >> 24);
    const std::vector<Input> bad{
        {"", no_path},
        {"", file},
        {" \n\t", no_path},
        {"\xff\xfe\xc3(", no_path},
        {std::string(3, '\0'), no_path},
        {"\x1b[31m", no_path},
        {std::string(100000, 'a'), no_path},
        {"nan nan", no_path},
        {"-1e999 1e999", no_path},
        {noise, file},
        {good.content.substr(0, good.content.size() / 2), good.path},
        {good.content + noise, good.path},
    };
    std::vector<Input> all;
    for (const Input& input : bad) {
        all.push_back(good);
        all.push_back(input);
    }
    all.push_back(good);

    const auto model = subject.open();
    const auto read = [&](const std::vector<Input>& some, std::vector<ReadNotes>& notes) {
        auto batch = subject.call("read the inputs", [&] { return model->read(some, notes); });
        int64_t rows = 0;
        for (const ReadNotes& note : notes) rows += note.refusal.empty() ? 1 : 0;
        expect(notes.size() == some.size() && batch && batch->size() == rows,
               "of " + std::to_string(some.size()) + " inputs, " + std::to_string(notes.size()) + " got a note and " +
                   std::to_string(rows) + " were not refused; the batch has " + (batch ? std::to_string(batch->size()) : "no") + " rows");
        return batch;
    };
    const auto classify = [&](Batch& batch) { return subject.call("classify", [&] { return batch.classify(); }); };
    std::vector<ReadNotes> notes;
    expect(read({}, notes)->size() == 0, "no inputs make a batch of some rows");
    const at::Tensor alone = classify(*read({good}, notes)).exp();
    const auto batch = read(all, notes);
    const at::Tensor together = classify(*batch).exp();
    int64_t row = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        const std::string& refusal = notes[i].refusal;
        const bool is_good = i % 2 == 0;
        if (!refusal.empty()) {
            expect(!is_good, "beside bad inputs the input " + name_of(good) + " is refused: " + refusal);
            expect(base::is_utf8(refusal) && base::escape_controls(refusal) == refusal,
                   "the refusal of " + name_of(all[i]) + " is no plain sentence: " + base::in_quotes(refusal));
            continue;
        }
        expect(!all[i].content.empty(), "an input of nothing is read; it is to be refused");
        const double difference = largest_difference(together[row], is_good ? alone[0] : together[row]);
        expect(difference <= rounding,
               is_good ? "beside bad inputs the input " + name_of(good) + " has probabilities that differ by " + number(difference)
                       : "the input " + name_of(all[i]) + " was read, and its probabilities are no numbers");
        ++row;
    }
}

void shapes(Subject& subject) {
    Asked asked = subject.ask();  // which checks those of classify and start
    const int64_t rows = asked.batch->size(), classes = asked.probabilities.size(1), latent = asked.start.size(1);
    const auto expect_finite = [](const at::Tensor& tensor, const char* what) {
        expect(tensor.is_floating_point(), std::string(what) + " gives no floating-point numbers");
        expect(at::isfinite(tensor).all().item<bool>(), std::string(what) + " gives numbers that are not finite");
    };
    const auto expect_shape = [](const at::Tensor& tensor, at::IntArrayRef wanted, const std::string& what) {
        expect(tensor.defined() && tensor.sizes() == wanted,
               what + " should give " + shape_of(at::empty(wanted)) + "; it gives " + shape_of(tensor));
    };
    expect(!at::isnan(asked.probabilities).any().item<bool>(), "classify gives numbers that are none (nan)");
    expect_finite(asked.start, "start");

    const at::Tensor z = asked.start.detach().clone().requires_grad_();
    const at::Tensor all = log_likelihood(subject, asked, z, every_row(asked));
    expect_shape(all, {rows, classes}, "log_likelihood of all rows");
    expect_finite(all, "log_likelihood");
    expect(all.requires_grad(), "log_likelihood is not differentiable: its result does not depend on z for LibTorch");
    const at::Tensor last = at::full({3}, rows - 1, at::kLong);
    expect_shape(log_likelihood(subject, asked, z.index_select(0, last), last), {3, classes}, "log_likelihood of one row, thrice");

    constexpr int64_t count = 3;
    const at::Tensor some = at::tensor({int64_t{0}, rows - 1, int64_t{0}}, at::kLong);
    const at::Tensor extra = subject.call("find extra starts", [&] {
        return asked.batch->extra_starts(some, asked.questions.fact.index_select(0, some), asked.questions.foil.index_select(0, some),
                                         count, subject.request().seed);
    });
    if (!extra.defined()) return;
    expect(extra.dim() == 3 && extra.size(0) == 3 && extra.size(1) <= count && extra.size(2) == latent,
           "extra_starts of 3 questions should give [q, S, k] = [3, up to " + std::to_string(count) + ", " + std::to_string(latent) +
               "]; it gives " + shape_of(extra));
    expect_finite(extra, "extra_starts");
}

void probabilities(Subject& subject) {
    const Asked asked = subject.ask();
    const at::Tensor sums = asked.probabilities.sum(1);
    const double worst = largest_difference(sums, at::ones_like(sums));
    expect(worst <= rounding, "the probabilities of an input sum to 1 off by " + number(worst) +
                                  "; classify gives log-probabilities (log_softmax), not logits or probabilities");
}

void batch_equals_singles(Subject& subject) {
    const std::vector<Input>& all = subject.samples().inputs;
    if (all.size() < 2) skip("there is one input only");
    Asked together = subject.ask();
    const at::Tensor z = points_about(together, subject.request().seed);
    const at::Tensor rows = every_row(together);
    const at::Tensor at_z = probabilities_of(log_likelihood(subject, together, z, rows));

    const at::Tensor backwards = rows.flip(0).repeat({2});
    const double disorder = largest_difference(probabilities_of(log_likelihood(subject, together, z.index_select(0, backwards), backwards)),
                                               at_z.index_select(0, backwards));
    expect(disorder <= rounding, "rows in another order have log-likelihoods whose probabilities differ by " + number(disorder) +
                                     "; each row may depend on its own z and input only");

    for (size_t i = 0; i < all.size(); ++i) {
        const auto row = static_cast<int64_t>(i);
        const auto differs = [&](const char* what, double by) {
            fail(std::string(what) + " of " + name_of(all[i]) + " alone and in a batch of " + std::to_string(all.size()) + " differ by " +
                 number(by));
        };
        Asked alone = subject.ask({all[i]});
        const double classified = largest_difference(alone.probabilities[0], together.probabilities[row]);
        if (classified > rounding) differs("the probabilities", classified);
        // Where the start comes from a search, rounding goes through many steps; it is compared with what moves the solver.
        const double moved = largest_difference(alone.start[0], together.start[row]) / alone.model->info().typical_distance;
        if (moved > 0.05) differs("the latent start, in typical distances,", moved);
        const double found = largest_difference(
            probabilities_of(log_likelihood(subject, alone, z.slice(0, row, row + 1), at::zeros({1}, at::kLong)))[0], at_z[row]);
        if (found > 10 * rounding) differs("the probabilities at a point of latent space", found);
    }
}

void round_trip(Subject& subject) {
    Asked asked = subject.ask();
    const double bound = subject.samples().round_trip;
    const at::Tensor at_start = probabilities_of(log_likelihood(subject, asked, asked.start, every_row(asked)));
    int64_t let_off = 0;
    for (int64_t row = 0; row < asked.batch->size(); ++row) {
        const double difference = largest_difference(at_start[row], asked.probabilities[row]);
        if (difference <= bound) continue;
        const bool warned = !subject.call("warn", [&] { return asked.batch->warnings(row); }).empty();
        expect(warned, "at the latent start of " + name_of(subject.samples().inputs[row]) + " a class probability is off by " +
                           number(difference) + ", more than the " + number(bound) + " that the plugin declares, and no warning says so");
        ++let_off;
    }
    if (let_off == asked.batch->size()) warn("every input comes out inexact, as the model's warnings say; nothing holds within the bound");
}

void gradients(Subject& subject) {
    Asked asked = subject.ask();
    const Problem problem = subject.problem(asked);
    GradientCheckOptions options;
    options.max_coordinates = 8;
    options.tolerance = 0.1;  // networks have kinks, which a difference steps over; a wrong gradient is wrong by more
    for (const at::Tensor& z : {asked.start, points_about(asked, subject.request().seed)}) {
        const GradientCheck check = check_gradients(problem, options, z);
        expect(check.ok, check.log.substr(0, check.log.find_last_not_of('\n') + 1));
    }
}

}  // namespace whynot::conformance
