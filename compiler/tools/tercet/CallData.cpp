// Inputs: names first, then files, then the sizes as a whole. No output file is touched here.
#include "CallData.h"

#include "tercet/Spelling.h"
#include "tercet/dialect/reference/Gradients.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace tercet::cli {
namespace {

using compiler::StoredTensor;

bool contains(const std::vector<std::string> &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Splits NAME=FILE and refuses unknown and repeated names.
Result<std::vector<std::pair<std::string, std::string>>> splitAssignments(const char *option, const std::string &spec,
                                                                          const std::vector<std::string> &assignments,
                                                                          const std::vector<std::string> &legal) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string &assignment : assignments) {
    size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == assignment.size())
      return Status::make(Code::invalidArgument, "{} is '{}'; it must be NAME=FILE", option, assignment);
    std::string name = assignment.substr(0, equals);
    if (!contains(legal, name))
      return Status::make(Code::invalidArgument, "{} names '{}'; legal for spec '{}' are {}{}", option, name, spec,
                          fmt::join(legal, ", "), suggestion(name, legal));
    for (const auto &[earlier, file] : pairs)
      if (earlier == name)
        return Status::make(Code::invalidArgument, "{} names '{}' twice", option, name);
    pairs.emplace_back(name, assignment.substr(equals + 1));
  }
  return pairs;
}

bool isComputeDType(DType dtype) { return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16; }

/// q, k and v in the compute dtype that --dtype asks for; without it they keep their own, which must be one.
Status bindTokenDType(StoredTensor &tensor, const std::string &name, const std::string &dtype) {
  DType own = tensor.view.dtype, wanted = own;
  if (!dtype.empty())
    parseDType(dtype, wanted);
  if (own == DType::i8 || own == DType::i32)
    return Status::make(Code::invalidArgument, "'{}' from {} is {}; legal are f32, f16 and bf16", name, tensor.origin,
                        dtypeName(own));
  if (!isComputeDType(wanted))
    return Status::make(Code::invalidArgument,
                        "'{}' from {} is {}; legal are f32, f16 and bf16: convert it, or let --dtype do so", name,
                        tensor.origin, dtypeName(own));
  if (wanted == own)
    return {};
  std::string origin = tensor.origin;
  TERCET_TRY(tensor, compiler::convertTensor(tensor.view, wanted));
  tensor.origin = origin;
  return {};
}

Result<CallData> finish(const LoadedSpec &spec, CallData call, bool withGradient) {
  call.arguments.parameters = spec.runtimeSettings;
  auto check = withGradient ? reference::checkGradientArguments : reference::checkArguments;
  TERCET_TRY(call.sizes, check(spec.info.program, call.arguments));
  return call;
}

/// "dq" for "q": every gradient that the spec has.
std::vector<std::string> gradientNames(const LoadedSpec &spec) {
  std::vector<std::string> names;
  for (const std::string &input : reference::differentiableInputs(spec.info.program))
    names.push_back("d" + input);
  return names;
}

bool isPlainOutput(const std::string &name) { return name == "o" || name == "lse" || name == "classes"; }

/// What an output is stored in.
DType outputDType(const std::string &name, DType computeDType) {
  if (!isPlainOutput(name))
    return reference::gradientDType(name, computeDType);
  return name == "lse" ? DType::f32 : name == "classes" ? DType::i8 : computeDType;
}

} // namespace

Json CallData::shapeJson() const {
  return {{"b", sizes.batch},     {"h", sizes.headsQ},  {"n", sizes.tokensQ},  {"d", sizes.headDim},
          {"hkv", sizes.headsKV}, {"m", sizes.tokensK}, {"dv", sizes.valueDim}};
}

std::vector<std::string> CallData::warnings(const LoadedSpec &spec) const {
  std::vector<std::string> sentences;
  const reference::Program &program = spec.info.program;
  for (const reference::Branch &branch : program.branches) {
    if (!branch.weight.empty() && !arguments.find(branch.weight))
      sentences.push_back(fmt::format("weight '{}' is not given: its projection is the identity", branch.weight));
    if (branch.kind != reference::Branch::Kind::linear || branch.classes == reference::marginalBit ||
        !program.selection)
      continue;
    double drop = program.selection->drop.value;
    for (const auto &[name, value] : arguments.parameters)
      drop = name == program.selection->drop.parameter ? value : drop;
    if (drop > 0)
      sentences.push_back(fmt::format("drop is {}, but the linear branch covers more than the marginal blocks: dropped "
                                      "blocks take part in it",
                                      drop));
  }
  return sentences;
}

Result<CallData> readInputs(const LoadedSpec &spec, const std::vector<std::string> &in, const std::string &dtype,
                            bool withGradient) {
  std::vector<std::string> legal = spec.info.inputs();
  for (const std::string &name : spec.info.optionalInputs())
    legal.push_back(name);
  if (withGradient)
    legal.push_back("do");
  TERCET_TRY(auto pairs, splitAssignments("--in", spec.info.name, in, legal));
  auto isMissing = [&](std::string_view needed) {
    return std::none_of(pairs.begin(), pairs.end(), [&](const auto &pair) { return pair.first == needed; });
  };
  for (const char *needed : {"q", "k", "v"})
    if (isMissing(needed))
      return Status::make(Code::invalidArgument,
                          "input '{}' is missing: give --in {}=FILE, or --shape for made-up data", needed, needed);
  if (withGradient && isMissing("do"))
    return Status::make(Code::invalidArgument,
                        "input 'do' is missing: --grad starts from the derivative by o; give --in do=FILE");
  CallData call;
  for (const auto &[name, file] : pairs) {
    TERCET_TRY(StoredTensor tensor, compiler::readTensor(file));
    if (name == "q" || name == "k" || name == "v" || name == "do")
      TERCET_RETURN_IF_ERROR(bindTokenDType(tensor, name, dtype));
    call.arguments.tensors.emplace_back(name, tensor.view);
    call.stored.push_back(std::move(tensor));
  }
  return finish(spec, std::move(call), withGradient);
}

Result<CallData> makeInputs(const LoadedSpec &spec, const reference::Shape &given,
                            const reference::DataOptions &options) {
  CallData call;
  reference::Shape shape = given;
  shape.parameters = spec.runtimeSettings;
  call.made = reference::makeData(spec.info.program, shape, options);
  call.arguments = call.made.arguments();
  return finish(spec, std::move(call), options.withGradient);
}

Result<std::vector<OutputFile>> parseOutputs(const LoadedSpec &spec, const std::vector<std::string> &out, DType dtype,
                                             bool withGradient) {
  std::vector<std::string> legal = spec.info.outputs(), gradients = gradientNames(spec);
  if (withGradient)
    legal.insert(legal.end(), gradients.begin(), gradients.end());
  for (const std::string &assignment : out)
    if (std::string name = assignment.substr(0, assignment.find('=')); !withGradient && contains(gradients, name))
      return Status::make(Code::invalidArgument, "--out names '{}', a gradient, which needs --grad", name);
  TERCET_TRY(auto pairs, splitAssignments("--out", spec.info.name, out, legal));
  std::vector<OutputFile> files;
  for (const auto &[name, path] : pairs) {
    TERCET_RETURN_IF_ERROR(compiler::checkWritable(path, outputDType(name, dtype)));
    for (const OutputFile &earlier : files)
      if (earlier.path == path && path.ends_with(".npy"))
        return Status::make(Code::invalidArgument, "--out sends '{}' and '{}' to {}; an .npy file holds one tensor",
                            earlier.name, name, path);
    files.push_back({name, path});
  }
  return files;
}

std::vector<std::string> gradientsOf(const LoadedSpec &spec, const CallData &call) {
  std::vector<std::string> names = gradientNames(spec);
  std::erase_if(names, [&](const std::string &name) { return !call.arguments.find(name.substr(1)); });
  return names;
}

Result<CallOutputs> makeOutputs(const CallData &call, const std::vector<std::string> &names) {
  const reference::CallSizes &sizes = call.sizes;
  CallOutputs outputs;
  for (const std::string &name : names) {
    std::vector<int64_t> shape = {sizes.batch, sizes.headsQ, sizes.tokensQ};
    if (name == "classes")
      shape = {sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK};
    else if (name == "o")
      shape.push_back(sizes.valueDim);
    if (!isPlainOutput(name)) {
      const Tensor *input = call.arguments.find(name.substr(1));
      if (!input)
        return Status::make(Code::invalidArgument, "{} is asked for, but {} is not given", name, name.substr(1));
      shape.assign(input->shape.begin(), input->shape.begin() + input->rank);
    }
    TERCET_TRY(StoredTensor tensor, StoredTensor::allocate(outputDType(name, sizes.dtype), shape));
    outputs.arguments.tensors.emplace_back(name, tensor.view);
    outputs.stored.push_back(std::move(tensor));
  }
  return outputs;
}

Status writeOutputs(const CallOutputs &outputs, const std::vector<OutputFile> &files) {
  std::vector<std::string> written;
  for (const OutputFile &file : files) {
    if (contains(written, file.path))
      continue;
    compiler::NamedTensors tensors;
    for (const OutputFile &other : files)
      if (other.path == file.path)
        tensors.emplace_back(other.name, *outputs.arguments.find(other.name));
    TERCET_RETURN_IF_ERROR(compiler::writeTensors(file.path, tensors));
    written.push_back(file.path);
  }
  return {};
}

} // namespace tercet::cli
