#include "ArtifactFiles.h"

#include "tercet/PlanCheck.h"

namespace tercet::run {

Result<Artifact> loadArtifacts(const std::vector<std::filesystem::path> &files) {
  if (files.empty())
    return Status::make(Code::invalidArgument, "no artifact is given");
  TERCET_TRY(Artifact artifact, Artifact::load(files.front()));
  for (size_t index = 1; index < files.size(); ++index) {
    TERCET_TRY(Artifact other, Artifact::load(files[index]));
    if (other.specDigest != artifact.specDigest || other.headDim != artifact.headDim ||
        other.valueDim != artifact.valueDim || other.dtype != artifact.dtype)
      return Status::make(Code::invalidArgument, "{} and {} are artifacts of different programs",
                          files.front().string(), files[index].string());
    for (TargetModule &module : other.modules)
      artifact.modules.push_back(std::move(module));
    for (TargetModule &module : other.backwardModules)
      artifact.backwardModules.push_back(std::move(module));
  }
  TERCET_RETURN_IF_ERROR(checkArtifact(artifact));
  return artifact;
}

} // namespace tercet::run
