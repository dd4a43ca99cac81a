#include "Workload.h"

#include "tercet/Jit.h"
#include "tercet/rt/Cores.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace tercet::bench {

std::string Shape::text() const {
  return fmt::format("d={}, {} head{}, {} tokens", headDim, batch * heads, batch * heads == 1 ? "" : "s", tokens);
}

double Shape::denseFlops() const {
  return 4.0 * static_cast<double>(batch * heads) * static_cast<double>(tokens) * static_cast<double>(tokens) *
         static_cast<double>(headDim);
}

/// Tensors of [batch * heads, tokens, headDim] floats, each on a page of its own.
static size_t tensorFloats(const Shape &shape) {
  auto floats = static_cast<size_t>(shape.batch * shape.heads * shape.tokens * shape.headDim);
  return (floats + 1023) / 1024 * 1024;
}

Workload::Workload(Shape shape, Data data, uint64_t seed)
    : shape(shape), stride(tensorFloats(shape)),
      memory(static_cast<float *>(std::aligned_alloc(4096, 4 * stride * sizeof(float))), std::free) {
  if (!memory)
    throw std::bad_alloc();
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  auto d = static_cast<size_t>(shape.headDim);
  size_t floats = static_cast<size_t>(shape.batch * shape.heads * shape.tokens) * d;
  constexpr float stay = 0.98f; // of a token in the next one: correlation over some 50 tokens
  const float renew = std::sqrt(1 - stay * stay);
  for (size_t tensor = 0; tensor < 3; ++tensor)
    for (size_t i = 0; i < floats; ++i) {
      float value = normal(generator);
      bool drifts = data == Data::smooth && tensor < 2 && i / d % static_cast<size_t>(shape.tokens) != 0;
      at(tensor)[i] = drifts ? stay * at(tensor)[i - d] + renew * value : value;
    }
  std::fill_n(o(), floats, 0.0f);
  w.resize(d * d);
  b.resize(d);
  for (float &value : w)
    value = normal(generator) / std::sqrt(static_cast<float>(d));
  for (float &value : b)
    value = normal(generator);
}

Arguments Workload::arguments(bool projection) {
  auto tokens = [&](float *data) {
    return Tensor::contiguous(data, DType::f32, {shape.batch, shape.heads, shape.tokens, shape.headDim});
  };
  Arguments arguments;
  arguments.tensors = {{"q", tokens(q())}, {"k", tokens(k())}, {"v", tokens(v())}, {"o", tokens(o())}};
  if (projection) {
    arguments.tensors.emplace_back("w", Tensor::contiguous(w.data(), DType::f32, {shape.headDim, shape.headDim}));
    arguments.tensors.emplace_back("b", Tensor::contiguous(b.data(), DType::f32, {shape.headDim}));
  }
  return arguments;
}

double Workload::denseError() const {
  auto n = static_cast<size_t>(shape.tokens), d = static_cast<size_t>(shape.headDim);
  double worst = 0, scale = 1 / std::sqrt(static_cast<double>(d));
  std::vector<double> p(n);
  for (size_t head = 0; head < static_cast<size_t>(shape.batch * shape.heads); ++head)
    for (size_t row : {size_t{0}, n / 2, n - 1}) {
      const float *q = at(0) + (head * n + row) * d, *k = at(1) + head * n * d, *v = at(2) + head * n * d,
                  *o = at(3) + (head * n + row) * d;
      double highest = -INFINITY, sum = 0;
      for (size_t j = 0; j < n; ++j) {
        p[j] = 0;
        for (size_t c = 0; c < d; ++c)
          p[j] += double(q[c]) * double(k[j * d + c]);
        p[j] *= scale;
        highest = std::max(highest, p[j]);
      }
      for (double &value : p)
        sum += value = std::exp(value - highest);
      for (size_t c = 0; c < d; ++c) {
        double expected = 0;
        for (size_t j = 0; j < n; ++j)
          expected += p[j] / sum * double(v[j * d + c]);
        worst = std::max(worst, std::abs(expected - double(o[c])));
      }
    }
  return worst;
}

Spec readSpec(const std::string &name) {
  std::string path = std::string(TERCET_SPEC_DIRECTORY) + "/" + name + ".mlir";
  std::ifstream file(path);
  if (!file)
    throw std::runtime_error("cannot read " + path);
  Spec spec;
  spec.text.assign(std::istreambuf_iterator<char>(file), {});
  spec.origin = name;
  return spec;
}

static void orThrow(const Status &status) {
  if (!status.ok())
    throw std::runtime_error(fmt::format("{}: {}", codeName(status.code()), status.message()));
}

Call::Call(Session &session, Workload &workload, const Spec &spec,
           std::vector<std::pair<std::string, double>> parameters) {
  compile(session, spec, workload.shape.headDim, Direction::inference);
  bool projection = false;
  for (const PlanArgument &argument : kernel->module().plan.arguments)
    projection |= argument.role == PlanArgument::Role::weight;
  arguments = workload.arguments(projection);
  arguments.parameters = std::move(parameters);
  makeWorkspace();
}

Call::Call(Session &session, const Spec &spec, int64_t headDim, Direction direction, Arguments given)
    : arguments(std::move(given)) {
  compile(session, spec, headDim, direction);
  makeWorkspace();
}

void Call::compile(Session &session, const Spec &spec, int64_t headDim, Direction direction) {
  Problem problem;
  problem.headDim = problem.valueDim = headDim;
  problem.direction = direction;
  auto compiledKernel = session.compile(spec, problem, &compiled);
  orThrow(compiledKernel.status());
  kernel = *compiledKernel;
}

void Call::makeWorkspace() {
  auto needed = kernel->workspaceBytes(arguments);
  orThrow(needed.status());
  bytes = *needed;
  constexpr size_t alignment = 4096;
  workspace.resize(bytes + alignment);
  aligned = workspace.data();
  size_t room = workspace.size();
  std::align(alignment, bytes, aligned, room);
}

void Call::operator()() {
  lastReport = {};
  orThrow(kernel->launch(arguments, aligned, bytes, &lastReport));
}

std::unique_ptr<Session> makeSession(int threads) {
  SessionOptions options;
  options.threads = threads;
  options.useCache = false;
  std::vector<int> before = rt::threadNumbers();
  auto session = Session::create(std::move(options), makeCompiler());
  orThrow(session.status());
  // The session's threads are those that were not there before: each to a core of its own, as the probe's and the
  // baselines' are. On a busy machine the scheduler may otherwise keep two of them on one core for a whole call.
  size_t core = 0;
  rt::moveToCore(0, core++);
  for (int thread : rt::threadNumbers())
    if (!std::binary_search(before.begin(), before.end(), thread))
      rt::moveToCore(thread, core++);
  return *std::move(session);
}

} // namespace tercet::bench
