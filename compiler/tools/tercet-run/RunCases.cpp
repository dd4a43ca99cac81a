// A case: one launch compared with the oracle's rows, a second one for determinism, then graphs.
#include "RunCases.h"

#include "ArtifactFiles.h"
#include "CallSizes.h"

#include "tercet/compiler/TensorFile.h"

#include <cmath>
#include <cstring>

namespace tercet::run {
namespace {

using Role = PlanArgument::Role;

struct CaseTensors {
  std::vector<compiler::StoredTensor> files;
  std::vector<std::vector<char>> outputs;
  std::map<std::string, Tensor> expected, got;
  Arguments arguments;
};

Result<CaseTensors> loadTensors(const CaseEntry &entry, const PlanSignature &signature) {
  CaseTensors tensors;
  auto read = [&](const std::string &name) -> Result<Tensor> {
    TERCET_TRY(compiler::StoredTensor stored, compiler::readTensor(entry.tensors.string() + ":" + name));
    tensors.files.push_back(stored);
    return stored.view;
  };
  for (const std::string &name : entry.inputs) {
    TERCET_TRY(Tensor tensor, read(name));
    tensors.arguments.tensors.emplace_back(name, tensor);
  }
  std::vector<std::string> wanted = {"expected_rows", "expected_o"};
  if (entry.hasLse)
    wanted.push_back("expected_lse");
  if (entry.hasClasses)
    wanted.push_back("expected_classes");
  for (const std::string &name : wanted) {
    TERCET_TRY(tensors.expected[name], read(name));
  }
  const Tensor *q = tensors.arguments.find("q"), *k = tensors.arguments.find("k"), *v = tensors.arguments.find("v");
  if (!q || !k || !v)
    return Status::make(Code::invalidArgument, "case {} lacks q, k or v", entry.name);
  for (const PlanArgument &argument : signature.arguments) {
    bool needed = argument.role == Role::output || (argument.role == Role::lse && entry.hasLse) ||
                  (argument.role == Role::classesOutput && entry.hasClasses);
    if (!argument.isOutput || !needed)
      continue;
    Tensor output =
        makeOutput(argument, sizesOf(signature, *q, *k, *v, entry.parameters), v->shape[3], tensors.outputs);
    tensors.arguments.tensors.emplace_back(argument.name, output);
    tensors.got[argument.role == Role::output ? "o" : argument.role == Role::lse ? "lse" : "classes"] = output;
  }
  tensors.arguments.parameters = entry.parameters;
  return tensors;
}

/// Runs the case on the target beside, with tensors of its own, and compares o.
Result<BesideVerdict> runBeside(const RunTarget &target, const CaseEntry &entry, const std::string &module,
                                const Tensor &o) {
  BesideVerdict verdict;
  verdict.target = target.beside == "sim" ? "sim:" + module : target.beside;
  verdict.bound = entry.o.relativeL2;
  TERCET_TRY(Artifact artifact, loadArtifacts(entry.artifacts));
  TERCET_TRY(CaseTensors tensors, loadTensors(entry, artifact.signature()));
  std::shared_ptr<rt::GpuDevice> device;
  if (!verdict.target.starts_with("cpu")) {
    TERCET_TRY(device, target.session.device(verdict.target));
  }
  TERCET_TRY(std::shared_ptr<Kernel> kernel, target.session.load(std::move(artifact), verdict.target));
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(kernel, device, tensors.arguments));
  TERCET_RETURN_IF_ERROR(bound.launch().takeStatus());
  TERCET_RETURN_IF_ERROR(bound.download());
  const Tensor &other = tensors.got.at("o");
  double squaredError = 0, squaredRight = 0;
  int64_t equal = 0;
  for (int64_t b = 0; b < o.shape[0]; ++b)
    for (int64_t h = 0; h < o.shape[1]; ++h)
      for (int64_t row = 0; row < o.shape[2]; ++row)
        for (int64_t c = 0; c < o.shape[3]; ++c) {
          double here = o.get(b, h, row, c), there = other.get(b, h, row, c);
          equal += here == there;
          squaredError += (here - there) * (here - there);
          squaredRight += there * there;
        }
  verdict.relativeL2 = squaredError == 0 ? 0 : std::sqrt(squaredError / squaredRight);
  verdict.equalShare = static_cast<double>(equal) / static_cast<double>(o.elements());
  return verdict;
}

Status run(const RunTarget &target, const CaseEntry &entry, CaseResult &result) {
  TERCET_TRY(Artifact artifact, loadArtifacts(entry.artifacts));
  PlanSignature signature = artifact.signature();
  Result<std::shared_ptr<Kernel>> kernel = target.session.load(std::move(artifact), target.target);
  if (!kernel.ok() && kernel.status().code() == Code::unsupportedTarget) {
    result.skipped = kernel.status().message();
    return {};
  }
  TERCET_RETURN_IF_ERROR(kernel.takeStatus());
  result.module = (*kernel)->module().target;
  TERCET_TRY(CaseTensors tensors, loadTensors(entry, signature));
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(*kernel, target.device, tensors.arguments));
  if (target.device)
    target.device->resetCounts();
  TERCET_RETURN_IF_ERROR(bound.launch().takeStatus());
  if (target.device)
    result.counts = target.device->counts();
  TERCET_RETURN_IF_ERROR(bound.download());
  result.errors = compareOutputs(entry, signature.blockQ, tensors.expected, tensors.got);
  std::vector<char> first = tensors.outputs.front();
  TERCET_RETURN_IF_ERROR(bound.launch().takeStatus());
  TERCET_RETURN_IF_ERROR(bound.download());
  result.deterministic = first == tensors.outputs.front();
  if (!target.beside.empty()) {
    TERCET_TRY(result.beside, runBeside(target, entry, result.module, tensors.got.at("o")));
  }
  TERCET_TRY(result.graphs,
             checkGraphs(bound, *tensors.arguments.find("v"), tensors.got.at("o"), entry.otherParameters));
  return {};
}

} // namespace

Tensor makeOutput(const PlanArgument &argument, const TableSizes &sizes, int64_t valueDim,
                  std::vector<std::vector<char>> &storage) {
  std::vector<int64_t> shape = {sizes.batch, sizes.headsQ, sizes.tokensQ, valueDim};
  if (argument.role == Role::lse || argument.role == Role::lseRest)
    shape = {sizes.batch, sizes.headsQ, sizes.tokensQ};
  if (argument.role == Role::classesOutput)
    shape = {sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK};
  Tensor tensor = Tensor::contiguous(nullptr, argument.dtype, shape);
  storage.emplace_back(static_cast<size_t>(tensor.elements()) * dtypeSize(argument.dtype));
  tensor.data = storage.back().data();
  return tensor;
}

CaseResult runCase(const RunTarget &target, const CaseEntry &entry) {
  CaseResult result;
  result.name = entry.name;
  result.spec = entry.spec;
  if (Status status = run(target, entry, result); !status.ok())
    result.error = status.message();
  return result;
}

} // namespace tercet::run
