#include "training/steps.h"

#include "base/file.h"
#include "base/json.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/version.h"

namespace whynot::training {

using base::Json;

namespace {

/// What an earlier run left in a file; null where there is none, or one that is damaged.
Json left_in(const std::filesystem::path& file) {
    try {
        return base::parse_own_json(base::read_file(file, uint64_t{1} << 30, ErrorCode::internal));
    } catch (const Error&) {
        return nullptr;
    }
}

}  // namespace

Steps::Steps(std::filesystem::path folder, Json identity, Observer observer)
    : folder_(std::move(folder)), identity_(std::move(identity)), observer_(std::move(observer)) {
    identity_["whynot"] = WHYNOT_VERSION;  // another version may measure otherwise
}

Json Steps::run(const std::string& name, const Json& also, const std::function<Json()>& make) const {
    const std::filesystem::path file = folder_ / (name + ".json");
    const Json identity = identity_of(also);
    const Json found = left_in(file);
    if (found.is_object() && found.contains("result") && found.contains("identity") && found["identity"] == identity) {
        if (observer_.log) observer_.log(name + ": measured by an earlier run");
        return found["result"];
    }
    if (observer_.cancelled && observer_.cancelled())
        throw Error(ErrorCode::cancelled, "stopped before " + name + "; the same command goes on from there");
    const std::string kept = Json{{"identity", identity}, {"result", make()}}.dump() + "\n";
    std::filesystem::create_directories(folder_);
    write_file_atomically(file, kept);
    std::filesystem::remove(folder_ / (name + ".safetensors"));
    return base::parse_own_json(kept)["result"];  // as a later run finds it: JSON has no NaN
}

Checkpoint Steps::checkpoint(const std::string& name, const Json& also) const {
    const std::filesystem::path file = folder_ / (name + ".safetensors");
    std::filesystem::create_directories(folder_);
    Checkpoint checkpoint(file, identity_of(also).dump());
    try {
        checkpoint.load();
    } catch (const Error&) {  // of another run, or damaged
        std::filesystem::remove(file);
    }
    return checkpoint;
}

Json Steps::identity_of(const Json& also) const { return {{"all", identity_}, {"step", also}}; }

}  // namespace whynot::training
