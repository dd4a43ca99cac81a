#include "FiniteDifference.h"

#include "tercet/dialect/reference/Elements.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace tercet::test {
namespace {

constexpr int directions = 3;

/// Differences over steps h and h / 2, extrapolated. Where values are f64, h is small for the sake of kinks and their bound
/// is the rounding of sums; regions round what comes of tables to f32, which a large h makes small.
struct Step {
  double size, bound;
};
Step stepOf(DType dtype) { return dtype == DType::f64 ? Step{0x1p-17, 1e-6} : Step{0x1p-6, 1e-4}; }

/// sum(dO * O) over the rows that are valid.
double objective(const reference::Program &program, const Arguments &arguments, const Tensor *classes) {
  auto evaluation = reference::evaluate(program, arguments, {.classes = classes});
  INFO(evaluation.status().message());
  REQUIRE(evaluation.ok());
  const Tensor &gradient = *arguments.find("do");
  const Tensor *lengths = arguments.find("q_len");
  int64_t valueDim = evaluation->sizes.valueDim;
  double sum = 0;
  for (size_t slot = 0; slot < evaluation->rows.size(); ++slot) {
    const reference::RowIndex &at = evaluation->rows[slot];
    if (lengths && static_cast<double>(at.row) >= lengths->get(at.batch))
      continue;
    for (int64_t c = 0; c < valueDim; ++c)
      sum += gradient.get(at.batch, at.head, at.row, c) * evaluation->result().o[slot * valueDim + c];
  }
  return sum;
}

/// Moves `input` by `distance` along `signs`, from the values `origin`.
void move(const Tensor &input, const std::vector<double> &origin, const std::vector<double> &signs, double distance) {
  reference::forEachElement(input, [&](size_t index, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    input.set(origin[index] + distance * signs[index], i0, i1, i2, i3);
  });
}

double norm(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

Slope slopeOf(const GradientCall &call, const reference::Gradient &gradient, const Tensor *classes, double scale) {
  Arguments arguments = call.arguments();
  const Tensor &input = *arguments.find(gradient.name.substr(1));
  std::vector<double> origin = elementsOf(input);
  REQUIRE(gradient.values.size() == origin.size());
  Step step = stepOf(input.dtype);
  Slope slope{.name = gradient.name, .bound = step.bound, .norm = norm(gradient.values)};
  for (int direction = 0; direction < directions; ++direction) {
    reference::RandomStream random(7, gradient.name + std::to_string(direction));
    std::vector<double> signs;
    double along = 0;
    for (size_t index = 0; index < origin.size(); ++index) {
      signs.push_back(random.uniform(index) < 0.5 ? -1 : 1);
      along += signs.back() * gradient.values[index];
    }
    auto central = [&](double distance) {
      move(input, origin, signs, distance);
      double above = objective(call.program, arguments, classes);
      move(input, origin, signs, -distance);
      return (above - objective(call.program, arguments, classes)) / (2 * distance);
    };
    double difference = (4 * central(step.size / 2) - central(step.size)) / 3;
    double size = slope.norm > 0 ? slope.norm : scale;
    slope.error = std::fmax(slope.error, std::fabs(along - difference) / size);
    slope.scaled = std::fmax(slope.scaled, std::fabs(1.001 * along - difference) / size);
  }
  move(input, origin, origin, 0);
  return slope;
}

} // namespace

GradientCall GradientCall::make(reference::Program program, const reference::Shape &given, uint64_t seed,
                                std::vector<std::pair<std::string, double>> parameters) {
  reference::Shape shape = given.resolved();
  shape.parameters = parameters;
  GradientCall call{std::move(program), {}, std::move(parameters)};
  call.data = reference::makeData(call.program, shape, {.seed = seed, .dtype = DType::f64, .withGradient = true});
  return call;
}

GradientCall &GradientCall::set(const std::string &name, reference::OwnedTensor tensor) {
  std::erase_if(data.tensors, [&](const auto &entry) { return entry.first == name; });
  data.tensors.emplace_back(name, std::move(tensor));
  return *this;
}

GradientCall &GradientCall::lengths(const std::string &name, const std::vector<int32_t> &values) {
  auto tensor = reference::OwnedTensor::make(DType::i32, {static_cast<int64_t>(values.size())});
  for (size_t batch = 0; batch < values.size(); ++batch)
    tensor.view().set(values[batch], static_cast<int64_t>(batch));
  return set(name, std::move(tensor));
}

Arguments GradientCall::arguments() const {
  Arguments arguments = data.arguments();
  arguments.parameters = parameters;
  return arguments;
}

reference::Gradients GradientCall::differentiate() const {
  auto gradients = reference::differentiate(program, arguments());
  INFO(gradients.status().message());
  REQUIRE(gradients.ok());
  return *std::move(gradients);
}

std::vector<Slope> slopesOf(const GradientCall &call, const reference::Gradients &gradients) {
  reference::ClassMap map = gradients.classes;
  Tensor classes = Tensor::contiguous(map.values.data(), DType::i8, {map.batch, map.heads, map.blocksQ, map.blocksK});
  std::vector<double> all = elementsOf(call.data["do"]);
  std::replace_if(
      all.begin(), all.end(), [](double value) { return !std::isfinite(value); }, 0); // beyond the lengths
  std::vector<Slope> slopes;
  for (const reference::Gradient &gradient : gradients.list)
    slopes.push_back(slopeOf(call, gradient, call.program.selection ? &classes : nullptr, norm(all)));
  return slopes;
}

void checkGradients(const GradientCall &call) {
  for (const Slope &slope : slopesOf(call, call.differentiate())) {
    INFO(call.program.name << " " << slope.name << ": error " << slope.error << ", bound " << slope.bound << ", norm "
                           << slope.norm << ", error of a wrong one " << slope.scaled);
    CHECK(slope.passed());
    CHECK(slope.norm > 0);
    CHECK(slope.scaled > slope.bound);
  }
}

std::vector<double> elementsOf(const Tensor &tensor) {
  std::vector<double> values;
  reference::forEachElement(tensor, [&](size_t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    values.push_back(tensor.get(i0, i1, i2, i3));
  });
  return values;
}

const std::vector<double> &valuesOf(const reference::Gradients &gradients, const std::string &name) {
  const reference::Gradient *gradient = gradients.find(name);
  INFO(name);
  REQUIRE(gradient);
  return gradient->values;
}

} // namespace tercet::test
