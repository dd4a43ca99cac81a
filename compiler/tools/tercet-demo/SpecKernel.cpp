// The product's public path and nothing else: a spec's text, Session::compile, workspaceBytes, launch.
#include "SpecKernel.h"

#include "tercet/compiler/SpecInfo.h"

#include <algorithm>
#include <chrono>

namespace tercet::demo {

Result<SpecKernel> SpecKernel::compile(Session &session, const std::string &name,
                                       std::map<std::string, std::string> settings) {
  const std::vector<compiler::BuiltinSpecInfo> builtins = compiler::listBuiltinSpecs();
  auto found = std::find_if(builtins.begin(), builtins.end(), [&](const auto &spec) { return spec.name == name; });
  if (found == builtins.end())
    return Status::make(Code::internal, "this build has no built-in spec '{}'", name);
  Spec spec{found->text, name, std::move(settings)};
  SpecKernel compiled;
  TERCET_TRY(compiled.kernel, session.compile(spec, {.headDim = headDim, .valueDim = channels}, &compiled.report));
  return compiled;
}

Status SpecKernel::reserve(size_t bytes) {
  if (bytes <= workspaceSize)
    return {};
  TERCET_TRY(workspace, compiler::StoredTensor::allocate(DType::i8, {static_cast<int64_t>(bytes)}));
  workspaceSize = bytes;
  return {};
}

Result<double> SpecKernel::launch(const PatchTokens &tokens, const LaunchInputs &inputs, const LaunchOutputs &outputs,
                                  LaunchReport *launchReport) {
  const int64_t queries = inputs.queries ? inputs.queries : tokens.count;
  // Tensors are borrowed views without constness; a launch only reads its inputs.
  auto view = [](const float *data, int64_t rows, int64_t columns) {
    return Tensor::contiguous(const_cast<float *>(data), DType::f32, {1, 1, rows, columns});
  };
  Arguments arguments;
  arguments.parameters = inputs.parameters;
  arguments.tensors = {{"q", view(tokens.q.data() + inputs.firstQuery * headDim, queries, headDim)},
                       {"k", view(tokens.k.data(), tokens.count, headDim)},
                       {"v", view(tokens.v.data(), tokens.count, channels)},
                       {"o", view(outputs.values->data() + inputs.firstQuery * channels, queries, channels)}};
  if (inputs.projection) {
    auto &[weight, bias] = *inputs.projection;
    arguments.tensors.emplace_back(
        "w", Tensor::contiguous(const_cast<float *>(weight.data()), DType::f32, {channels, channels}));
    arguments.tensors.emplace_back("b", Tensor::contiguous(const_cast<float *>(bias.data()), DType::f32, {channels}));
  }
  if (outputs.classes) {
    const int64_t rows = queries / blockTokens, columns = tokens.count / blockTokens;
    outputs.classes->resize(static_cast<size_t>(rows * columns));
    arguments.tensors.emplace_back("classes_out",
                                   Tensor::contiguous(outputs.classes->data(), DType::i8, {1, 1, rows, columns}));
  }

  TERCET_TRY(size_t bytes, kernel->workspaceBytes(arguments));
  TERCET_RETURN_IF_ERROR(reserve(bytes));
  auto begin = std::chrono::steady_clock::now();
  TERCET_RETURN_IF_ERROR(kernel->launch(arguments, workspace.view.data, workspaceSize, launchReport));
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace tercet::demo
