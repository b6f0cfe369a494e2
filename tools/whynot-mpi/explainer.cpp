#include "explainer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "whynot/error.h"

namespace whynot::mpi {

Explainer::Explainer(const std::vector<std::string>& arguments) {
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "whynot";
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);

    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw Error(ErrorCode::io, "no more files can be opened in this process");
    process_ = fork();
    if (process_ < 0) throw Error(ErrorCode::io, std::string("no explainer can be started: ") + std::strerror(errno));
    if (process_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execv(program.c_str(), argv.data());
        const std::string message = "whynot-mpi: " + program + " cannot be started: " + std::strerror(errno) + '\n';
        _exit(write(STDERR_FILENO, message.data(), message.size()) < 0 ? 126 : 127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
    fcntl(in_, F_SETFL, O_NONBLOCK);
    fcntl(out_, F_SETFL, O_NONBLOCK);
}

Explainer::~Explainer() {
    if (process_ > 0) kill(process_, SIGKILL);
    finish();
}

void Explainer::pass_on() {
    if (passed_on_ == given_.size()) return;
    const ssize_t count = write(in_, given_.data() + passed_on_, given_.size() - passed_on_);
    if (count > 0) passed_on_ += static_cast<size_t>(count);
    if (passed_on_ == given_.size()) {
        given_.clear();
        passed_on_ = 0;
        reached_ = times_given_;
    }
}

std::string Explainer::take(int timeout) {
    if (!end_.empty()) {
        poll(nullptr, 0, timeout);
        return "";
    }
    pass_on();
    pollfd events[] = {{out_, POLLIN, 0}, {given_.empty() ? -1 : in_, POLLOUT, 0}};
    poll(events, 2, timeout);
    char bytes[1 << 16];
    ssize_t count;
    while ((count = read(out_, bytes, sizeof bytes)) > 0) answers_.append(bytes, static_cast<size_t>(count));
    if (count == 0) note_end();
    const size_t whole = answers_.rfind('\n') + 1;  // npos + 1 is 0
    std::string lines = answers_.substr(0, whole);
    answers_.erase(0, whole);
    return lines;
}

void Explainer::note_end() {
    int unread = 0;
    if (ioctl(in_, FIONREAD, &unread) == 0 && unread > 0) reached_ = std::min(reached_, times_given_ - 1);
    const int code = finish();
    if (end_.empty()) end_ = "exit code " + std::to_string(code);
}

int Explainer::finish() {
    for (int* const descriptor : {&in_, &out_})
        if (*descriptor >= 0) close(std::exchange(*descriptor, -1));
    if (process_ < 0) return -1;
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    end_ = "signal " + std::to_string(WTERMSIG(status));
    return -1;
}

}  // namespace whynot::mpi
