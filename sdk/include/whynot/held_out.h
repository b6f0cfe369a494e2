#pragma once

/// Inputs of a corpus that were kept from training, to measure with.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "whynot/export.h"
#include "whynot/pack.h"
#include "whynot/question.h"

namespace whynot {

/// The service `whynot.held-out/1`. Frozen once released: a new method is a new id, never an added virtual.
class WHYNOT_API HeldOut {
public:
    static constexpr const char* service_id = "whynot.held-out/1";
    virtual ~HeldOut();

    /// At most `limit` of the inputs that a corpus keeps from training, as `Model::read` takes them. Their order is that of a hash: the same
    /// for everybody, and independent of their classes. Thread-safe.
    /// @param corpora the folder that holds the corpora (WHYNOT_CORPORA)
    /// @param corpus a name in it
    ///
    /// Throws `not_found` for a corpus that is not there, `invalid_argument` for one of other classes or inputs than the pack's.
    virtual std::vector<Input> inputs(const Pack& pack, const std::filesystem::path& corpora, const std::string& corpus, int64_t limit) = 0;
};

}  // namespace whynot
