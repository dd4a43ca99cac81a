// The public face of the parser.
#include "tercet/sim/Module.h"

#include "syntax/Parser.h"

namespace tercet::sim {

Result<Module> Module::parse(std::string_view ptx) {
  try {
    return Module(parseProgram(ptx));
  } catch (const Failure &failure) {
    return Status::make(Code::invalidArgument, "PTX {}", failure.sentence);
  }
}

const std::vector<KernelInfo> &Module::kernels() const { return decoded->infos; }
const std::string &Module::target() const { return decoded->target; }

const KernelInfo *Module::kernel(std::string_view name) const {
  for (const KernelInfo &info : decoded->infos)
    if (info.name == name)
      return &info;
  return nullptr;
}

} // namespace tercet::sim
