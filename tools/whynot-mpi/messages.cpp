#include "messages.h"

#include <chrono>
#include <thread>
#include <utility>

namespace whynot::mpi {

Messages::Messages() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
}

void Messages::send(int to, Kind kind, std::string text) {
    Sent& sent = sent_.emplace_back(Sent{std::move(text), MPI_REQUEST_NULL});
    MPI_Isend(sent.text.data(), static_cast<int>(sent.text.size()), MPI_BYTE, to, static_cast<int>(kind), MPI_COMM_WORLD, &sent.request);
}

bool Messages::receive(Message& message) {
    forget_sent();
    int there = 0, size = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
    if (!there) return false;
    MPI_Get_count(&status, MPI_BYTE, &size);
    message = {static_cast<Kind>(status.MPI_TAG), status.MPI_SOURCE, std::string(static_cast<size_t>(size), '\0')};
    MPI_Recv(message.text.data(), size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return true;
}

void Messages::forget_sent() {
    sent_.remove_if([](Sent& sent) {
        int gone = 0;
        MPI_Test(&sent.request, &gone, MPI_STATUS_IGNORE);
        return gone != 0;
    });
}

void Messages::flush() {
    while (forget_sent(), !sent_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace whynot::mpi
