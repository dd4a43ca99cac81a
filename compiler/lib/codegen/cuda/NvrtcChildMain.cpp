// tercet-nvrtc: compiles one CUDA unit that it reads from standard input and writes the result to standard output.
// Started by compileInChild, so that a crash of NVRTC ends this process and not its parent's.
#include "NvrtcWire.h"

#include "tercet/compiler/cuda/Nvrtc.h"

#include <cstdio>

using namespace tercet;
using namespace tercet::compiler;

static std::string readAll(std::FILE *file) {
  std::string bytes;
  char chunk[1 << 16];
  while (size_t count = std::fread(chunk, 1, sizeof chunk, file))
    bytes.append(chunk, count);
  return bytes;
}

static Result<NvrtcOutput> compile(const std::vector<std::string> &request) {
  if (request.empty())
    return Status::make(Code::internal, "tercet-nvrtc reads a request of {} fields from standard input", requestFields);
  TERCET_TRY(std::shared_ptr<const Nvrtc> nvrtc, Nvrtc::get());
  return nvrtc->compile(request[0], request[1], request[2]);
}

int main() {
  Result<NvrtcOutput> output = compile(unpackFields(readAll(stdin), requestFields));
  std::string log;
  for (const auto &[key, value] : output.status().notes())
    if (key == "log" || key == "tried")
      log = value;
  std::string answer =
      output.ok()
          ? packFields({"ok", "", output->ptx, output->cubin, output->log, std::to_string(output->compileMs)})
          : packFields({std::string(codeName(output.status().code())), output.status().message(), "", "", log, "0"});
  bool written = std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() && std::fflush(stdout) == 0;
  return written ? 0 : 1;
}
