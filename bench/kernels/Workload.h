// Workload and Call: seeded tensors of one shape, and a spec bound to them, ready to be timed.
#pragma once

#include "tercet/Session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tercet::bench {

struct Shape {
  int64_t batch = 1, heads = 4, tokens = 4096, headDim = 64;
  std::string text() const; ///< "d=64, 4 heads, 4096 tokens"
  /// 4 * tokens^2 * headDim per head.
  double denseFlops() const;
};

/// random: independent normal entries; every row's list is its own, the worst case for reuse between rows. smooth:
/// tokens drift along the sequence, so that neighbours score alike, as in images and video.
enum class Data { random, smooth };

/// f32 q, k, v, o [batch, heads, tokens, headDim] and weights w [headDim, headDim], b [headDim]; 64-byte aligned, the
/// same for the same shape, data and seed.
class Workload {
public:
  explicit Workload(Shape shape, Data data = Data::random, uint64_t seed = 1);
  Shape shape;
  /// Inputs and output o by name; with w and b if `projection`.
  Arguments arguments(bool projection);
  float *q() { return at(0); }
  float *k() { return at(1); }
  float *v() { return at(2); }
  float *o() { return at(3); }
  /// Largest difference of o from dense attention in double precision over some rows of every head.
  double denseError() const;

private:
  float *at(size_t tensor) const { return memory.get() + tensor * stride; }
  size_t stride; ///< floats from one of q, k, v, o to the next
  std::unique_ptr<float[], void (*)(void *)> memory;
  std::vector<float> w, b;
};

/// Reads a built-in spec from the source tree. Throws std::runtime_error.
Spec readSpec(const std::string &name);

/// A compiled spec on a workload. The workload outlives it. Calls throw std::runtime_error with the Status's sentence.
class Call {
public:
  Call(Session &session, Workload &workload, const Spec &spec,
       std::vector<std::pair<std::string, double>> parameters = {});
  /// A kernel for a direction on tensors of the caller's, which outlive it.
  Call(Session &session, const Spec &spec, int64_t headDim, Direction direction, Arguments given);
  /// A built-in spec, by name.
  Call(Session &session, Workload &workload, const std::string &spec,
       std::vector<std::pair<std::string, double>> parameters = {})
      : Call(session, workload, readSpec(spec), std::move(parameters)) {}
  Call(Call &&) = default;
  void operator()();
  const LaunchReport &report() const { return lastReport; }
  size_t workspaceBytes() const { return bytes; }
  const CompileReport &compileReport() const { return compiled; }

private:
  void compile(Session &session, const Spec &spec, int64_t headDim, Direction direction);
  void makeWorkspace();
  std::shared_ptr<Kernel> kernel;
  Arguments arguments;
  std::vector<char> workspace; ///< with room to align
  void *aligned = nullptr;
  size_t bytes = 0;
  CompileReport compiled;
  LaunchReport lastReport;
};

/// A session with this many threads and this build's compiler, without the disk cache. Its threads and the caller
/// stay on one core each from here on.
std::unique_ptr<Session> makeSession(int threads);

} // namespace tercet::bench
