#pragma once

/// How long operations report their progress, and how they are stopped.

#include <cstdint>
#include <functional>
#include <string>

namespace whynot {

/// How far a long operation has come.
struct Progress {
    std::string stage;    ///< what is being done, for people: "autoencoder, epoch 3 of 12"
    double fraction = 0;  ///< of the whole operation, 0 to 1
    std::string detail;   ///< figures worth showing beside the bar: "loss 1.36"
};

/// Who watches a long operation. Both may be empty. They are called on the thread that runs the operation.
struct Observer {
    std::function<void(const Progress&)> progress;  ///< called at most a few times a second
    std::function<void(const std::string&)> log;    ///< a finished line: the figures of an epoch, a file written
    std::function<bool()> cancelled;                ///< polled often; true makes the operation stop cleanly with Error `cancelled`
};

}  // namespace whynot
