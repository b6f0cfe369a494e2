#pragma once

/// The packs that a server answers for. A request names them by their ids: no path that came from a browser is ever opened.

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "whynot/host.h"
#include "whynot/pack.h"

namespace whynot::cli {

struct KnownPack {
    PackManifest manifest;
    std::filesystem::path folder;
    std::vector<std::string> decodings;
    std::string default_decoding;
    std::string sha256;  ///< as Pack::sha256
};

class KnownPacks {
public:
    /// Those that were named, by id or folder, then the defaults for sentences and images, then all others that are found. Reads manifests only. Throws `not_found`, `bad_pack`.
    KnownPacks(const Host& host, const std::vector<std::string>& named);

    const std::vector<KnownPack>& all() const { return packs_; }

    /// Throws `not_found` with the ids that there are.
    const KnownPack& find(const std::string& id) const;
    /// The one for inputs that come without a pack's name. Throws `not_found`.
    const KnownPack& for_kind(bool image) const;

    /// As `GET /api/packs` has them. @param open folders
    base::Json to_json(const std::vector<std::string>& open) const;

private:
    void add(const Host& host, const std::filesystem::path& folder, const PackManifest& manifest);

    std::vector<KnownPack> packs_;
    size_t named_ = 0;  // so many at the front were named
};

}  // namespace whynot::cli
