#include "Emission.h"

#include "tercet/Artifact.h"

namespace tercet::cli {
namespace {

Result<Artifact> artifactOf(const Emission::File &file) {
  return Artifact::parse({reinterpret_cast<const uint8_t *>(file.bytes.data()), file.bytes.size()});
}

Status joinArtifacts(Emission &emission) {
  TERCET_TRY(Artifact artifact, artifactOf(emission.files.front()));
  TERCET_TRY(Artifact backward, artifactOf(emission.files.back()));
  TERCET_RETURN_IF_ERROR(artifact.addBackward(std::move(backward)));
  std::vector<uint8_t> bytes = artifact.serialize();
  emission.files = {{"", {bytes.begin(), bytes.end()}}};
  return {};
}

} // namespace

Result<Emission> emitStage(const Spec &spec, const Problem &of, const std::string &stage, bool grad,
                           const ScheduleRequest &schedules) {
  if (grad && stage == "tercet")
    return Status::make(Code::invalidArgument,
                        "--emit tercet is the spec itself, which has no direction; leave --grad out, or emit tkern, "
                        "llvm, obj, cuda, ptx, cubin or artifact");
  std::vector<std::pair<Direction, const char *>> directions = {{Direction::inference, ""}};
  if (grad)
    directions = {{Direction::forward, "forward"}, {Direction::backward, "backward"}};
  Emission emission;
  for (auto [direction, name] : directions) {
    Problem problem = of;
    problem.direction = direction;
    schedules.applyTo(problem);
    TERCET_TRY(EmitResult emitted, emit(spec, problem, stage));
    emission.files.push_back({name, std::move(emitted.bytes)});
    emission.isText = emitted.isText;
    for (KernelResources &kernel : emitted.kernels)
      emission.kernels.push_back({name, std::move(kernel)});
    emission.compileMs += emitted.compileMs;
    for (std::string &remark : emitted.remarks)
      if (std::find(emission.remarks.begin(), emission.remarks.end(), remark) == emission.remarks.end())
        emission.remarks.push_back(std::move(remark));
  }
  if (grad && stage == "artifact")
    TERCET_RETURN_IF_ERROR(joinArtifacts(emission));
  return emission;
}

} // namespace tercet::cli
