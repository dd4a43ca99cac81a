#include "gpu/EditedBackward.h"

#include "gpu/EditedPlan.h"
#include "gpu/SimulatedGradients.h"

namespace tercet::test {
namespace {

constexpr uint64_t maxInstructions = 4000000;

SimulatedBackend &boundedBackend(const std::string &target, bool adversarial) {
  static std::map<std::pair<std::string, bool>, std::unique_ptr<SimulatedBackend>> backends;
  auto &backend = backends[{target, adversarial}];
  if (!backend)
    backend = std::make_unique<SimulatedBackend>(
        "sim:" + target,
        bounded(adversarial ? rt::adversarialSimulation(3) : rt::SimulationOptions(), maxInstructions));
  return *backend;
}

/// A backward whose inputs a forward saved.
class EditedBackward {
public:
  EditedBackward(const std::string &target, const Artifact &artifact, const Spec &spec, DType dtype,
                 const Arguments &inputs, const Arguments &outputs)
      : target(target), backends{&boundedBackend(target, false), &boundedBackend(target, true)}, artifact(artifact),
        dtype(dtype), program(programOf(spec)), inputs(takenBy(artifact.signature(), inputs)),
        outputs(takenBy(artifact.signature(), outputs)), known(inputs) {
    std::erase_if(known.tensors, [](const auto &named) {
      return named.first == "o" || named.first == "lse" || named.first == "lse_rest";
    });
  }

  /// What is wrong with the gradients where a kernel has this text; empty if nothing. Called on several threads.
  std::string findFault(const std::string &kernel, const std::string &edited) const {
    Result<Artifact> changed = withEditedKernel(artifact, kernel, edited, target);
    if (!changed.ok())
      return changed.status().message();
    for (SimulatedBackend *backend : backends) {
      reference::Data got;
      for (const auto &[name, tensor] : outputs.tensors)
        got.tensors.emplace_back(
            name, reference::OwnedTensor::make(tensor.dtype, {tensor.shape.begin(), tensor.shape.begin() + tensor.rank},
                                               0xff));
      if (Status status = backend->run(*changed, inputs, got.arguments()); !status.ok())
        return status.message();
      reference::CheckOptions options;
      options.probabilities = dtype;
      Result<reference::Verdict> verdict = reference::checkGradients(program, known, got.arguments(), options);
      if (!verdict.ok())
        return verdict.status().message();
      if (!verdict->passed)
        return verdict->reason;
    }
    return "";
  }

private:
  std::string target;
  SimulatedBackend *backends[2]; ///< one of them with any legal order of events
  Artifact artifact;
  DType dtype;
  reference::Program program;
  Arguments inputs, outputs, known; ///< known: to the oracle
};

} // namespace

Case raggedBackward(std::string spec, DType dtype) {
  return {.name = "edited",
          .spec = std::move(spec),
          .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 170, .headDim = 16},
          .dtype = dtype,
          .queryLengths = {150, 80, 130},
          .keyLengths = {170, 100, 20},
          .poison = true};
}

void requireFoundInBackward(const Case &sample, const EditsOfKernels &kernels, const std::string &target) {
  GradientRun run(sample);
  run.withTables();
  SimulatedBackend &plain = boundedBackend(target, false);
  run.run([&](const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs) {
    if (problem.direction == Direction::forward)
      return runTaken(plain, spec, problem, inputs, outputs);
    auto kernel = plain.kernelFor(spec, problem);
    INFO(kernel.status().message());
    REQUIRE(kernel.ok());
    const Artifact &artifact = (*kernel)->artifact();
    EditedBackward backward(target, artifact, spec, sample.dtype, inputs, outputs);
    for (const auto &[name, edits] : kernels) {
      INFO(name);
      BugCount count =
          countBugs(sourceOf(artifact, name), edits, [&, name = std::string(name)](const std::string &edited) {
            return backward.findFault(name, edited);
          });
      CHECK(count.bugs >= 3);
      CHECK(count.found == count.bugs);
    }
  });
}

} // namespace tercet::test
