// compileInChild: starts tercet-nvrtc, feeds it a unit, and turns whatever happens to it into a Status.
#include "NvrtcFolders.h"
#include "NvrtcWire.h"

#include "tercet/compiler/cuda/Nvrtc.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace tercet::compiler {

namespace {

// A child with one socket as its standard input and output. A socket, not pipes: send can be told not to raise SIGPIPE
// when the child dies early.
class Child {
public:
  explicit Child(const std::string &program) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    char *arguments[] = {const_cast<char *>(program.c_str()), nullptr};
    started = posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    channel = ends[0];
  }

  ~Child() {
    if (channel >= 0)
      close(channel);
    if (started && !reaped) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

  bool ok() const { return started; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::send(channel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        break; // the child is gone: its exit status tells why
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    shutdown(channel, SHUT_WR);
  }

  /// Everything the child writes until it closes its end; false when the time is up.
  bool receive(std::string &bytes, double seconds) {
    auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    char chunk[1 << 16];
    for (;;) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
      pollfd wait{channel, POLLIN, 0};
      int ready = left > 0 ? poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30))) : 0;
      if (ready < 0 && errno == EINTR)
        continue;
      if (ready <= 0)
        return false;
      ssize_t count = read(channel, chunk, sizeof chunk);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return true;
      bytes.append(chunk, static_cast<size_t>(count));
    }
  }

  /// How it ended: "signal 11", "exit status 1", or empty for success.
  std::string finish() {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
      ;
    reaped = true;
    if (WIFSIGNALED(status))
      return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WEXITSTATUS(status) == 0 ? "" : fmt::format("exit status {}", WEXITSTATUS(status));
  }

private:
  pid_t pid = 0;
  int channel = -1;
  bool started = false, reaped = false;
};

Code codeOf(const std::string &name) {
  for (Code code : {Code::unsupportedTarget, Code::compileFailed, Code::invalidArgument})
    if (codeName(code) == name)
      return code;
  return Code::internal;
}

} // namespace

Result<NvrtcOutput> compileInChild(const std::string &name, const std::string &text, const std::string &arch,
                                   double seconds) {
  std::string program = (folderOfThisBinary() / "tercet-nvrtc").string();
  if (access(program.c_str(), X_OK) != 0)
    return Status::make(Code::unsupportedTarget,
                        "compiling in a child process needs the program {}, which is not there", program);
  Child child(program);
  if (!child.ok())
    return Status::make(Code::compileFailed, "the program {} could not be started", program);
  child.send(packFields({name, text, arch}));
  std::string bytes;
  if (!child.receive(bytes, seconds))
    return Status::make(Code::compileFailed, "NVRTC took longer than {} seconds on kernel {} for {}", seconds, name,
                        arch)
        .note("source", text);
  if (std::string end = child.finish(); !end.empty())
    return Status::make(Code::compileFailed, "NVRTC ended with {} on kernel {} for {}", end, name, arch)
        .note("source", text);
  std::vector<std::string> answer = unpackFields(bytes, answerFields);
  if (answer.empty())
    return Status::make(Code::internal, "the program {} gave an answer that is cut", program);
  if (answer[0] != "ok")
    return Status::make(codeOf(answer[0]), "{}", answer[1]).note("log", answer[4]);
  return NvrtcOutput{std::move(answer[2]), std::move(answer[3]), std::move(answer[4]), std::stod(answer[5])};
}

} // namespace tercet::compiler
