// Artifacts, and kernels made of them.
#include "Failure.h"
#include "Handles.h"

#include <nlohmann/json.hpp>

using namespace tercet;
using namespace tercet::c;

tercet_status tercet_artifact_load(const char *path, tercet_artifact **artifact) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_load", "artifact", artifact));
    *artifact = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_load", "path", path));
    TERCET_TRY(Artifact read, Artifact::load(path));
    *artifact = new tercet_artifact{std::move(read)};
    return {};
  });
}

tercet_status tercet_artifact_read(const void *bytes, size_t size, tercet_artifact **artifact) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_read", "artifact", artifact));
    *artifact = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_read", "bytes", bytes));
    TERCET_TRY(Artifact read, Artifact::parse({static_cast<const uint8_t *>(bytes), size}));
    *artifact = new tercet_artifact{std::move(read)};
    return {};
  });
}

tercet_status tercet_artifact_save(const tercet_artifact *artifact, const char *path) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_save", "artifact", artifact));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_save", "path", path));
    return artifact->artifact.save(path);
  });
}

tercet_status tercet_artifact_describe(const tercet_artifact *handle, char **json) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_describe", "json", json));
    *json = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_artifact_describe", "artifact", handle));
    const Artifact &artifact = handle->artifact;
    auto targets = [](const std::vector<TargetModule> &modules) {
      nlohmann::ordered_json names = nlohmann::ordered_json::array();
      for (const TargetModule &module : modules)
        names.push_back(module.target);
      return names;
    };
    nlohmann::ordered_json object = {{"spec", artifact.specName},
                                     {"digest", artifact.specDigest},
                                     {"compiler", artifact.compiler},
                                     {"head_dim", artifact.headDim},
                                     {"value_dim", artifact.valueDim},
                                     {"dtype", dtypeName(artifact.dtype)},
                                     {"targets", targets(artifact.modules)},
                                     {"backward_targets", targets(artifact.backwardModules)},
                                     {"text", artifact.specText}};
    *json = textFor(object.dump());
    return {};
  });
}

void tercet_artifact_destroy(tercet_artifact *artifact) { delete artifact; }

tercet_status tercet_load(tercet_session *session, const tercet_artifact *handle, const char *target,
                          tercet_direction direction, tercet_kernel **kernel) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_load", "kernel", kernel));
    *kernel = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_load", "session", session));
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_load", "artifact", handle));
    int asked = static_cast<int>(direction);
    if (asked < TERCET_INFERENCE || asked > TERCET_BACKWARD)
      return Status::make(Code::invalidArgument, "tercet_load: direction is {}; legal are 0, 1 and 2", asked);
    std::string name = target ? target : "cpu";
    Artifact artifact = handle->artifact;
    if (direction == TERCET_BACKWARD && !artifact.backwardModules.empty()) {
      TERCET_TRY(artifact, artifact.backward());
    } else if (bool isBackward = artifact.signature().find(PlanArgument::Role::outputGradient);
               isBackward != (direction == TERCET_BACKWARD)) {
      return Status::make(Code::invalidArgument, "tercet_load: the artifact of '{}' holds {}", artifact.specName,
                          isBackward ? "a backward alone" : "no backward");
    }
    TERCET_TRY(std::shared_ptr<Kernel> made, session->session->load(std::move(artifact), name));
    *kernel = kernelHandle(std::move(made), name);
    return {};
  });
}

tercet_status tercet_kernel_artifact(const tercet_kernel *kernel, tercet_artifact **artifact) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_artifact", "artifact", artifact));
    *artifact = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_kernel_artifact", "kernel", kernel));
    *artifact = new tercet_artifact{kernel->kernel->artifact()};
    return {};
  });
}
