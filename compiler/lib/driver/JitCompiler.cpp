// The Compiler that Session uses: spec text in, artifact out.
#include "CompileCpu.h"
#include "CompileCuda.h"
#include "FindSchedules.h"

#include <link.h>

#include <cstring>

using namespace tercet;
using namespace tercet::compiler;

// The build id that the linker wrote into the program (or library) that holds this function: two builds never share
// one.
static std::string readBuildId() {
  std::string id;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *result) {
        auto self = reinterpret_cast<ElfW(Addr)>(&readBuildId);
        bool isSelf = false;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr) &header = info->dlpi_phdr[i];
          ElfW(Addr) start = info->dlpi_addr + header.p_vaddr;
          isSelf |= header.p_type == PT_LOAD && self >= start && self < start + header.p_memsz;
        }
        if (!isSelf)
          return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr) &header = info->dlpi_phdr[i];
          if (header.p_type != PT_NOTE)
            continue;
          auto *cursor = reinterpret_cast<const char *>(info->dlpi_addr + header.p_vaddr),
               *end = cursor + header.p_memsz;
          while (cursor + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            std::memcpy(&note, cursor, sizeof note);
            const char *name = cursor + sizeof note, *body = name + (note.n_namesz + 3) / 4 * 4;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
              for (unsigned k = 0; k < note.n_descsz; ++k)
                *static_cast<std::string *>(result) += fmt::format("{:02x}", static_cast<unsigned char>(body[k]));
            cursor = body + (note.n_descsz + 3) / 4 * 4;
          }
        }
        return 1;
      },
      &id);
  return id;
}

std::string compiler::compilerIdentity() {
  static const std::string identity = "tercet " TERCET_VERSION " build " + readBuildId();
  return identity;
}

static constexpr std::string_view simulated = "sim:";

bool compiler::isSimulated(const Problem &problem) { return problem.target.starts_with(simulated); }

Problem compiler::forArchitecture(Problem problem) {
  if (isSimulated(problem))
    problem.target.erase(0, simulated.size());
  return problem;
}

namespace {

class JitCompiler final : public Compiler {
public:
  Result<CompileKey> key(const Spec &spec, const Problem &given) override {
    Problem problem = forArchitecture(given);
    auto context = makeContext();
    TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
    TERCET_RETURN_IF_ERROR(checkProblem(problem));
    CompileKey key{.problem = given};
    std::string target = problem.target, text = bound.text();
    std::vector<std::string> &fields = key.fields;
    fields = {text,
              std::to_string(problem.headDim),
              std::to_string(problem.valueDim),
              std::string(dtypeName(problem.dtype)),
              compilerIdentity(),
              std::to_string(static_cast<int>(problem.direction))};
    if (isCudaTarget(problem.target)) {
      TERCET_TRY(std::vector<std::string> more, cudaKeyFields(problem));
      fields.insert(fields.end(), more.begin(), more.end());
      fields.push_back(isSimulated(given) ? "ptx" : "cubin");
    } else {
      TERCET_TRY(codegen::CpuTarget level, parseCpuTarget(problem.target));
      target = level.name;
      fields.push_back(target);
    }
    findSchedules(text, target, key.problem);
    for (const auto &[kernel, schedule] : key.problem.schedules)
      fields.insert(fields.end(), {kernel, schedule});
    return key;
  }

  Result<Artifact> compile(const Spec &spec, const Problem &given) override {
    Problem problem = forArchitecture(given);
    auto context = makeContext();
    TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
    if (isCudaTarget(problem.target))
      return compileCudaArtifact(bound, problem, {.ptxOnly = isSimulated(given)});
    TERCET_TRY(CpuCompilation compilation, compileCpu(*context, bound, problem, CpuStage::artifact));
    return std::move(compilation.artifact);
  }
};
} // namespace

std::shared_ptr<Compiler> tercet::makeCompiler() { return std::make_shared<JitCompiler>(); }
