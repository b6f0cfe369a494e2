// What is read with Torch: vocabularies, counts of words, checkpoints, and whole packs, which are opened, asked and explained with.
#include <ATen/ATen.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/sha256.h"
#include "fuzz/driver.h"
#include "text/language/associations.h"
#include "text/language/ngram.h"
#include "text/language/packed_counts.h"
#include "text/reading/tokenizer.h"
#include "training/checkpoint.h"
#include "whynot/explainer.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace {

using namespace whynot;
using fuzz::content_of;
using fuzz::json_dictionary;
using fuzz::MemoryFile;
namespace fs = std::filesystem;

/// The memory that this process held at most since `reset_peak`, and holds now, in bytes.
int64_t status_field(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.compare(0, name.size(), name) == 0) return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
    return 0;
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// A pack in which one file can be exchanged, its size and SHA-256 put right, as somebody does who wants it to be opened.
class HostilePack {
public:
    HostilePack(const std::string& original, const std::vector<Input>& inputs)
        : original_(original),
          folder_("/dev/shm/whynot-fuzz-" + std::to_string(getpid()) + '-' + fs::path(original).filename().string()),
          inputs_(inputs) {
        PluginSearch search;
        host_ = std::make_unique<Host>(search);
    }
    ~HostilePack() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    void open(const std::string& changed, std::string_view content) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        uintmax_t bytes = 0;
        for (const fs::directory_entry& file : fs::directory_iterator(original_)) {
            const std::string name = file.path().filename();
            if (name == changed)
                std::ofstream(folder_ / name, std::ios::binary) << content;
            else
                fs::copy_file(file.path(), folder_ / name);
            bytes += fs::file_size(folder_ / name);
        }
        if (changed != "pack.json") put_right(changed, content);
        const int64_t before = status_field("VmRSS:");
        reset_peak();
        try {
            use();
        } catch (...) {
            check_peak(before, bytes);
            throw;
        }
        check_peak(before, bytes);
    }

private:
    void put_right(const std::string& changed, std::string_view content) const {
        base::Json manifest = base::parse_own_json(content_of(original_ + "/pack.json"));
        for (base::Json& file : manifest["files"])
            if (file["name"] == changed) {
                file["size"] = content.size();
                file["sha256"] = base::sha256_hex(content);
            }
        std::ofstream(folder_ / "pack.json", std::ios::binary) << manifest.dump(2);
    }

    void use() {
        Explainer explainer(*host_, open_pack(folder_));
        explainer.classify(inputs_);
        ExplainOptions options;
        options.solver.max_evaluations = 6;
        options.solver.deadline_seconds = 3;
        for (const Answer& answer : explainer.explain({{inputs_[0], {}}}, options)) to_json(answer.record);
    }

    /// Memory by what is there: four times the files and 150 MB.
    static void check_peak(int64_t before, uintmax_t bytes) {
#if !defined(__SANITIZE_ADDRESS__)
        const int64_t taken = status_field("VmHWM:") - before, most = 4 * static_cast<int64_t>(bytes) + 150'000'000;
        if (taken > most) {
            std::fprintf(stderr, "FINDING: it took %lld MB of memory for files of %lld MB\n", static_cast<long long>(taken / 1000000),
                         static_cast<long long>(bytes / 1000000));
            std::abort();
        }
#else
        (void)before, (void)bytes;
#endif
    }

    const std::string original_;
    const fs::path folder_;
    const std::vector<Input> inputs_;
    std::unique_ptr<Host> host_;
};

/// A target for one file of a pack.
fuzz::Target target_of(const std::string& name, const std::shared_ptr<HostilePack>& pack, const std::string& original,
                       const std::string& file, std::vector<std::string> dictionary) {
    return {name, {content_of(original + '/' + file)}, std::move(dictionary), [=](std::string_view bytes) { pack->open(file, bytes); }};
}

/// Counts of words as they are before they are deflated, behind their numbers in words: damage to a deflated file goes no further than zlib.
constexpr std::string_view ngram_mark = "whynot n-gram 1\n", associations_mark = "whynot associations 1\n";

std::string inflated(std::string_view mark, const std::string& file) {
    std::vector<uint64_t> numbers(3);
    const std::string payload = text::unsealed(mark, file, numbers);
    return std::to_string(numbers[0]) + ' ' + std::to_string(numbers[1]) + ' ' + std::to_string(numbers[2]) + '\n' + payload;
}

std::string deflated(std::string_view mark, std::string_view bytes) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::istringstream words{std::string(bytes.substr(0, end))};
    std::vector<uint64_t> numbers(3);
    for (uint64_t& number : numbers) words >> number;
    return text::sealed(mark, numbers, std::string(bytes.substr(std::min(end + 1, bytes.size()))));
}

}  // namespace

std::vector<whynot::fuzz::Target> whynot::fuzz::targets() {
    const std::string yelp = WHYNOT_BUILT_PACKS "/yelp-sum", mnist = WHYNOT_BUILT_PACKS "/mnist";
    const auto sentences = std::make_shared<HostilePack>(yelp, std::vector<Input>{{"the food was gross .", ""}, {"we loved it", ""}});
    const auto digits = std::make_shared<HostilePack>(mnist, std::vector<Input>{{content_of(WHYNOT_SAMPLES "/four.png"), "four.png"}});
    const std::string ngram = content_of(yelp + "/ngram.bin");
    constexpr int64_t vocabulary = 7705;
    training::NamedTensors weights{{"weights", at::arange(12, at::kFloat).reshape({3, 4})}, {"step", at::arange(2, at::kLong)}};
    const std::string path = "/dev/shm/whynot-fuzz-checkpoint-" + std::to_string(getpid());
    training::Checkpoint(path, "{}").save(weights);
    const std::string checkpoint = content_of(path);
    fs::remove(path);
    return {
        {"vocabulary",
         {content_of(yelp + "/tokenizer.model")},
         {"<unk>", "\xe2\x96\x81"},
         [](std::string_view bytes) {
             const text::Tokenizer tokenizer(text::TokenizerKind::word, std::string(bytes));
             tokenizer.encode({"the", "food", "zorky"});
         }},
        {"ngram",
         {ngram},
         {},
         [](std::string_view bytes) {
             text::NGram::deserialise(bytes, vocabulary).log_probabilities({5, 6, 7});
         }},
        {"associations",
         {content_of(yelp + "/associations.bin")},
         {},
         [](std::string_view bytes) { text::WordAssociations::deserialise(bytes, vocabulary)(5, 6); }},
        {"ngram_counts",
         {inflated(ngram_mark, ngram)},
         {std::string(64, '\0'), std::string(64, '\1'), std::string(64, '\2')},
         [](std::string_view bytes) {
             text::NGram::deserialise(deflated(ngram_mark, bytes), vocabulary).log_probabilities({5, 6, 7});
         }},
        {"associations_counts",
         {inflated(associations_mark, content_of(yelp + "/associations.bin"))},
         {std::string(64, '\0'), std::string(64, '\1')},
         [](std::string_view bytes) { text::WordAssociations::deserialise(deflated(associations_mark, bytes), vocabulary)(5, 6); }},
        {"checkpoint",
         {checkpoint},
         json_dictionary(),
         [](std::string_view bytes) {
             const MemoryFile file(bytes);
             training::Checkpoint(file.path(), "{}").load();
         }},
        target_of("pack_text_json", sentences, yelp, "pack.json", json_dictionary()),
        target_of("pack_text_weights", sentences, yelp, "weights.safetensors", json_dictionary()),
        target_of("pack_text_vocabulary", sentences, yelp, "tokenizer.model", {}),
        target_of("pack_text_ngram", sentences, yelp, "ngram.bin", {}),
        target_of("pack_image_json", digits, mnist, "pack.json", json_dictionary()),
        target_of("pack_image_weights", digits, mnist, "weights.safetensors", json_dictionary()),
    };
}
