#pragma once

/// Texts between ranks. Nobody waits within MPI, which would take a whole core: what is on its way is asked after now and then.

#include <mpi.h>

#include <list>
#include <string>

namespace whynot::mpi {

enum class Kind {
    questions,  ///< for an explainer: lines
    answers,    ///< of an explainer: lines
    lost,       ///< the explainer of a rank has ended: how many messages of questions had reached it, a blank, and why
    stop,       ///< ends a rank
    stopped,    ///< its answer
};

struct Message {
    Kind kind;
    int from;
    std::string text;
};

class Messages {
public:
    Messages();

    int rank() const { return rank_; }
    int ranks() const { return ranks_; }

    void send(int to, Kind kind, std::string text = {});
    /// False: none is there.
    bool receive(Message& message);
    /// Waits until everything has left.
    void flush();

private:
    struct Sent {
        std::string text;  // must stay until it is gone
        MPI_Request request;
    };
    void forget_sent();

    int rank_ = 0, ranks_ = 1;
    std::list<Sent> sent_;
};

}  // namespace whynot::mpi
