// The oracle's gradients as the outputs of a target.
#include "GradientOutputs.h"

#include "tercet/dialect/reference/Elements.h"

#include <fmt/ranges.h>

namespace tercet::reference {
namespace {

void write(const Gradient &gradient, const Tensor &to) {
  forEachElement(to, [&](size_t index, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    to.set(gradient.values[index], i0, i1, i2, i3);
  });
}

} // namespace

Result<NamedGradients> bindGradients(const Program &program, const CallSizes &sizes, const Arguments &arguments,
                                     const Arguments &outputs) {
  NamedGradients bound;
  std::vector<std::string> legal;
  for (const std::string &input : differentiableInputs(program)) {
    std::string name = "d" + input;
    legal.push_back(name);
    const Tensor *tensor = outputs.find(name), *of = arguments.find(input);
    if (!tensor || !*tensor)
      continue;
    if (!of || !*of)
      return Status::make(Code::invalidArgument, "{} is asked for, but {} is not given", name, input);
    DType dtype = gradientDType(name, sizes.dtype);
    bool fits = tensor->rank == of->rank && tensor->shape == of->shape &&
                (tensor->dtype == dtype || tensor->dtype == DType::f32 || tensor->dtype == DType::f64);
    if (!fits) {
      Tensor expected = *of;
      expected.dtype = dtype;
      return Status::make(Code::invalidArgument, "{} is {}; expected {}", name, tensor->describe(),
                          expected.describe());
    }
    bound.emplace_back(name, *tensor);
  }
  if (bound.empty())
    return Status::make(Code::invalidArgument, "no gradient is asked for; {} has {}", program.name,
                        fmt::join(legal, ", "));
  return bound;
}

Status runGradients(const Program &program, const Arguments &arguments, const Arguments &outputs,
                    const GradientOptions &options) {
  TERCET_TRY(CallSizes sizes, checkArguments(program, arguments));
  TERCET_TRY(NamedGradients bound, bindGradients(program, sizes, arguments, outputs));
  TERCET_TRY(Gradients gradients, differentiate(program, arguments, options));
  for (const auto &[name, tensor] : bound)
    write(*gradients.find(name), tensor);
  return {};
}

} // namespace tercet::reference
