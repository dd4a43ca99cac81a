// BundleCases: what a bundle checks and times.
#pragma once

#include "tercet/Tensor.h"
#include "tercet/dialect/reference/Data.h"

#include <map>
#include <string>
#include <vector>

namespace tercet::bundle {

/// A built-in spec with its static settings, for one head dimension and dtype.
struct Program {
  std::string spec;
  std::map<std::string, std::string> settings;
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::bf16;
};

struct Case {
  std::string name;
  Program program;
  reference::Shape shape;
  double scale = 1; ///< of q and k
  std::vector<std::pair<std::string, double>> parameters, otherParameters;
  std::vector<int32_t> queryLengths, keyLengths;
};

struct Benchmark {
  std::string name;
  Program program;
  reference::Shape shape;
  std::vector<std::pair<std::string, double>> parameters;
};

/// Small shapes that reach every tail, length, group of heads and head dimension. quick: the few that CI runs.
std::vector<Case> cases(bool quick);
/// Shapes of video and image models, and one that fits any GPU. quick: none.
std::vector<Benchmark> benchmarks(bool quick);

} // namespace tercet::bundle
