// Two directions in one artifact: taken in as modules beside the forward's, given out as an artifact of their own.
#include "tercet/Artifact.h"
#include "tercet/PlanCheck.h"

namespace tercet {

Result<Artifact> Artifact::backward() const {
  if (backwardModules.empty())
    return Status::make(Code::invalidArgument, "the artifact of '{}' holds no backward", specName);
  Artifact other = *this;
  other.modules = std::move(other.backwardModules);
  other.backwardModules.clear();
  return other;
}

Status Artifact::addBackward(Artifact other) {
  if (other.specDigest != specDigest || other.headDim != headDim || other.valueDim != valueDim || other.dtype != dtype)
    return Status::make(
        Code::invalidArgument,
        "'{}' for head dimensions {} and {} in {} cannot hold the backward of '{}' for {} and {} in {}; "
        "both must be of one spec with the same static parameters",
        specName, headDim, valueDim, dtypeName(dtype), other.specName, other.headDim, other.valueDim,
        dtypeName(other.dtype));
  for (TargetModule &module : other.modules)
    backwardModules.push_back(std::move(module));
  return checkArtifact(*this);
}

} // namespace tercet
