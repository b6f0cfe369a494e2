#include "training/steps.h"

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "whynot/atomic_file.h"
#include "whynot/error.h"
#include "whynot/version.h"

namespace whynot::training {

using base::Json;

namespace {

std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

Steps::Steps(std::filesystem::path folder, Json identity, Observer observer)
    : folder_(std::move(folder)), identity_(std::move(identity)), observer_(std::move(observer)) {
    identity_["whynot"] = WHYNOT_VERSION;  // another version may measure otherwise
}

Json Steps::run(const std::string& name, const Json& also, const std::function<Json()>& make) const {
    const std::filesystem::path file = folder_ / (name + ".json");
    const Json identity = identity_of(also);
    const Json found = Json::parse(read(file), nullptr, false);
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
    return Json::parse(kept)["result"];  // as a later run finds it: JSON has no NaN
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
