// Training: attention layers on the tokens of the demo's photograph (docs/demo.md) learn by the gradients of compiled kernels to do
// what dense attention does.
#include "GradientRun.h"
#include "Layer.h"

#include "PatchTokens.h"

using namespace tercet;
using namespace tercet::test;

/// The tokens of a layer, and the maps that make the demo's q, k and v of them.
struct PhotoTokens {
  Matrices inputs, maps;
};

/// Divides the columns by their root mean square, so that steps of one size suit all of them, and returns the map that undoes it.
static Matrix standardise(Matrix &tokens) {
  Matrix map = Matrix::zeros(tokens.columns, tokens.columns);
  for (int64_t column = 0; column < tokens.columns; ++column) {
    double sum = 0;
    for (int64_t row = 0; row < tokens.rows; ++row)
      sum += std::pow(tokens.row(row)[column], 2);
    float size = static_cast<float>(std::sqrt(sum / static_cast<double>(tokens.rows)));
    map.row(column)[column] = size;
    for (int64_t row = 0; row < tokens.rows; ++row)
      tokens.row(row)[column] /= size;
  }
  return map;
}

/// Of the middle of the photograph, with the demo's noise and bandwidth.
static PhotoTokens photoTokens(int64_t side) {
  constexpr double noise = 0.1, bandwidth = 24 * noise * noise;
  auto image = compiler::readPng("docs/images/cat.png");
  REQUIRE(image.ok());
  auto photo = demo::cropCentre(*image, side);
  REQUIRE(photo.ok());
  demo::PatchTokens tokens = demo::patchTokens(demo::addNoise(*photo, noise, 1), bandwidth);
  PhotoTokens made;
  made.inputs = {{"q", {tokens.count, demo::headDim, tokens.q}},
                 {"k", {tokens.count, demo::headDim, tokens.k}},
                 {"v", {tokens.count, demo::channels, tokens.v}}};
  for (auto &[name, input] : made.inputs)
    made.maps[name] = standardise(input);
  return made;
}

/// A vector where the argument's role asks for one.
static Tensor viewOf(const Matrix &matrix, const PlanArgument &argument) {
  auto *data = const_cast<float *>(matrix.values.data()); // a launch reads its inputs
  using Role = PlanArgument::Role;
  switch (argument.role) {
  case Role::bias:
  case Role::biasGradient:
    return Tensor::contiguous(data, DType::f32, {matrix.columns});
  case Role::weight:
  case Role::weightGradient:
    return Tensor::contiguous(data, DType::f32, {matrix.rows, matrix.columns});
  case Role::lse:
  case Role::lseRest:
  case Role::savedLse:
  case Role::savedLseRest:
    return Tensor::contiguous(data, DType::f32, {1, 1, matrix.rows});
  default:
    return Tensor::contiguous(data, DType::f32, {1, 1, matrix.rows, matrix.columns});
  }
}

/// A spec's two kernels on the CPU, with what the first saves for the second.
class Attention {
public:
  using Parameters = std::vector<std::pair<std::string, double>>;

  Attention(Session &session, const std::string &spec, Parameters parameters) : parameters(std::move(parameters)) {
    for (auto [direction, kernel] : {std::pair{Direction::forward, &forward}, {Direction::backward, &backward}}) {
      Problem problem{.headDim = demo::headDim, .valueDim = demo::channels, .target = "cpu", .direction = direction};
      Result<std::shared_ptr<Kernel>> compiled = session.compile(specNamed(spec), problem);
      INFO(spec << ": " << compiled.status().message());
      REQUIRE(compiled.ok());
      *kernel = *compiled;
    }
  }

  Differentiable functions() {
    return {[this](const Matrices &given) { return run(given); },
            [this](const Matrix &gradient) { return differentiate(gradient); }};
  }

private:
  Matrix run(const Matrices &given) {
    inputs = given;
    const Matrix &q = given.at("q");
    int64_t rows = q.rows, valueDim = given.at("v").columns;
    saved = {{"o", Matrix::zeros(rows, valueDim)},
             {"o_wide", Matrix::zeros(rows, valueDim)},
             {"lse", Matrix::zeros(rows, 1)},
             {"lse_rest", Matrix::zeros(rows, 1)}};
    const PlanSignature &signature = forward->artifact().signature();
    if (signature.blockQ > 0)
      classes = reference::OwnedTensor::make(
          DType::i8, {1, 1, (rows - 1) / signature.blockQ + 1, (rows - 1) / signature.blockK + 1});
    launchOn(*forward, {&inputs, &saved});
    return saved["o"];
  }

  Matrices differentiate(const Matrix &gradient) {
    Matrices given = {{"do", gradient}, {"o", saved.at(takes(*forward, "o_wide") ? "o_wide" : "o")}}, made;
    for (const char *name : {"lse", "lse_rest"})
      given[name] = saved.at(name);
    for (const auto &[name, input] : inputs)
      made["d" + name] = Matrix::zeros(input.rows, input.columns);
    launchOn(*backward, {&inputs, &given, &made});
    return made;
  }

  /// Those of the matrices that the kernel takes, by their names.
  void launchOn(const Kernel &kernel, const std::vector<const Matrices *> &lists) const {
    Arguments arguments{{}, parameters};
    for (const PlanArgument &argument : kernel.artifact().signature().arguments) {
      for (const Matrices *list : lists)
        if (auto found = list->find(argument.name); found != list->end())
          arguments.tensors.emplace_back(argument.name, viewOf(found->second, argument));
      if (argument.name == (&kernel == backward.get() ? "classes" : "classes_out"))
        arguments.tensors.emplace_back(argument.name, classes.view());
    }
    launch(kernel, arguments);
  }

  static bool takes(const Kernel &kernel, std::string_view name) {
    const std::vector<PlanArgument> &arguments = kernel.artifact().signature().arguments;
    return std::any_of(arguments.begin(), arguments.end(), [&](const auto &each) { return each.name == name; });
  }

  Parameters parameters;
  std::shared_ptr<Kernel> forward, backward;
  Matrices inputs, saved; ///< of the last run
  reference::OwnedTensor classes;
};

static std::unique_ptr<Session> makeSession() {
  auto session = Session::create({.threads = 1, .useCache = false}, makeCompiler());
  REQUIRE(session.ok());
  return *std::move(session);
}

/// Of q and k, and of what else there is.
static std::map<std::string, double> rates(double ofScores, double ofValues) {
  return {{"q", ofScores}, {"k", ofScores}, {"v", ofValues}, {"w", ofValues}, {"b", ofValues}};
}

TEST_CASE("a dense layer learns its maps back", "[training]") {
  auto session = makeSession();
  auto [tokens, maps] = photoTokens(48);
  Attention dense(*session, "dense", {{"scale", 1}});
  Layer layer(dense.functions(), tokens, maps);
  Matrix target = layer.forward();
  // Scores half as sharp as they should be, and mixed colours.
  for (const char *name : {"q", "k"})
    for (float &value : layer.parameters[name].values)
      value *= 0.7F;
  layer.parameters["v"].values = {0.5F, 0.2F, 0, -0.2F, 0.4F, 0.2F, 0.1F, 0, 0.3F};
  std::vector<double> losses = layer.fit(target, 60, rates(0.003, 0.03));
  INFO(fmt::format("{:.3g}", fmt::join(losses, " ")));
  CHECK(losses.back() < losses.front() / 20);
}

// Scores of a thirtieth of the demo's: most of a row's probability lies outside of the two blocks in 25 that are kept, which is what
// the linear branch is for. Both layers begin with the demo's maps, SLA's projection at 0 as in the paper, so that their first losses
// are equal; both take the same steps, and the sparse one is taken at its best. Errors are 0.036 and 0.049 of the output's norm, from
// 0.246; at other sides, shares and rates SLA's was 0.64 to 0.98 of the other.
TEST_CASE("SLA comes closer to dense attention than the best blocks alone, when both are fitted", "[training]") {
  auto session = makeSession();
  auto [tokens, maps] = photoTokens(40);
  Attention dense(*session, "dense", {{"scale", 0.03}});
  Matrix target = Layer(dense.functions(), tokens, maps).forward();
  constexpr int steps = 150;

  Attention topk(*session, "sparse_topk", {{"scale", 0.03}, {"keep", 0.1}});
  std::vector<double> sparse = Layer(topk.functions(), tokens, maps).fit(target, steps, rates(0.002, 0.02));

  Attention sla(*session, "sla", {{"scale", 0.03}, {"keep", 0.1}, {"drop", 0.1}});
  maps["w"] = Matrix::zeros(demo::channels, demo::channels);
  maps["b"] = Matrix::zeros(1, demo::channels);
  std::vector<double> both = Layer(sla.functions(), tokens, maps).fit(target, steps, rates(0.002, 0.02));

  double best = *std::min_element(sparse.begin(), sparse.end());
  double size = squaredDistance(target, Matrix::zeros(target.rows, target.columns));
  auto error = [&](double loss) { return std::sqrt(loss / size); };
  INFO(fmt::format("relative errors of sparse_topk: {:.4f} to {:.4f}, at best {:.4f}; of sla: {:.4f} to {:.4f}",
                   error(sparse.front()), error(sparse.back()), error(best), error(both.front()), error(both.back())));
  CHECK(both.front() == Approx(sparse.front()).epsilon(1e-4));
  CHECK(both.back() < both.front() / 20);
  CHECK(error(both.back()) < 0.85 * error(best));
}
