// CallData: the tensors and launch parameters of one call, from --in files or made for --shape, checked as a whole
// before anything compiles or runs; and the memory and files of its outputs.
#pragma once

#include "ShapeText.h"
#include "SpecSource.h"

#include "tercet/compiler/TensorFile.h"
#include "tercet/dialect/reference/Evaluate.h"

namespace tercet::cli {

/// Inputs of one call. Views in `arguments` are borrowed from `stored` and `made`.
struct CallData {
  reference::CallSizes sizes;
  Arguments arguments;
  std::vector<compiler::StoredTensor> stored;
  reference::Data made;
  Json shapeJson() const;
  /// Legal calls that are likely mistakes, one sentence each.
  std::vector<std::string> warnings(const LoadedSpec &spec) const;
};

/// Reads `--in NAME=FILE[:TENSOR]` tensors. `dtype`, when not empty, is what q, k, v and do are converted to; else q, k and
/// v must have one compute dtype. withGradient: `do` is among them, and must be. invalidArgument with what was given and
/// what is legal.
Result<CallData> readInputs(const LoadedSpec &spec, const std::vector<std::string> &in, const std::string &dtype,
                            bool withGradient);

/// Seeded tensors of a shape (tercet/dialect/reference/Data.h).
Result<CallData> makeInputs(const LoadedSpec &spec, const reference::Shape &shape,
                            const reference::DataOptions &options);

/// One `--out NAME=FILE`.
struct OutputFile {
  std::string name, path;
};

/// Checks the names against the spec and the files against what can be written, before any work. withGradient: gradients
/// are legal, too.
Result<std::vector<OutputFile>> parseOutputs(const LoadedSpec &spec, const std::vector<std::string> &out, DType dtype,
                                             bool withGradient);

/// The gradients of a call: those of the inputs that are given.
std::vector<std::string> gradientsOf(const LoadedSpec &spec, const CallData &call);

/// Zero-filled memory of outputs by name: "o" in the compute dtype, "lse" f32, "classes" i8, gradients as their inputs are
/// (tercet/dialect/reference/Gradients.h). invalidArgument for the gradient of an input that is not given.
struct CallOutputs {
  Arguments arguments;
  std::vector<compiler::StoredTensor> stored;
};
Result<CallOutputs> makeOutputs(const CallData &call, const std::vector<std::string> &names);

/// Writes every file, each whole or not at all; outputs that name one .safetensors file share it.
Status writeOutputs(const CallOutputs &outputs, const std::vector<OutputFile> &files);

} // namespace tercet::cli
