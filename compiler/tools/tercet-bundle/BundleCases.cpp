#include "BundleCases.h"

#include <fmt/format.h>

namespace tercet::bundle {
namespace {

using reference::Shape;
using Parameters = std::vector<std::pair<std::string, double>>;

bool classifies(const std::string &spec) { return spec != "dense"; }

Case makeCase(const std::string &spec, Shape shape, DType dtype, const std::string &remark = "") {
  shape = shape.resolved();
  Case entry;
  entry.program = {spec, {}, shape.headDim, shape.valueDim, dtype};
  entry.shape = shape;
  if (classifies(spec)) {
    entry.parameters = {{"keep", 0.25}};
    entry.otherParameters = {{"keep", 0.75}}; // another number of blocks, of three too
  } else {
    entry.otherParameters = {{"scale", 0.03125}};
  }
  entry.name =
      fmt::format("{} {} b{} h{}/{} n{} m{} d{}{}{}", spec, dtypeName(dtype), shape.batch, shape.heads, shape.headsKV,
                  shape.tokensQ, shape.tokensK, shape.headDim, remark.empty() ? "" : " ", remark);
  return entry;
}

} // namespace

std::vector<Case> cases(bool quick) {
  std::vector<Case> list;
  const Shape small{.heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 64};
  for (const char *spec : {"dense", "sla"})
    list.push_back(makeCase(spec, small, DType::bf16));
  if (quick)
    return list;
  for (const char *spec : {"sparse_topk", "sla_non_critical", "sla_all", "block_mean"})
    list.push_back(makeCase(spec, small, DType::bf16));
  for (const char *spec : {"dense", "sla"}) {
    list.push_back(makeCase(spec, small, DType::f16));
    list.push_back(makeCase(spec, small, DType::f32));
    for (int64_t dim : {72, 80, 96, 128, 160, 192, 256})
      list.push_back(makeCase(spec, {.tokensQ = 130, .tokensK = 200, .headDim = dim}, DType::bf16));
    for (auto [n, m] : {std::pair{1, 65}, {65, 1}, {577, 577}, {63, 129}})
      list.push_back(makeCase(spec, {.tokensQ = n, .tokensK = m, .headDim = 128}, DType::bf16));
    list.push_back(makeCase(spec, {.batch = 2, .heads = 6, .headsKV = 2, .tokensQ = 200, .tokensK = 133, .headDim = 64},
                            DType::bf16, "grouped heads"));
    Case lengths =
        makeCase(spec, {.batch = 3, .heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 64}, DType::bf16, "lengths");
    lengths.queryLengths = {150, 33, 1};
    lengths.keyLengths = {170, 64, 17};
    list.push_back(lengths);
    Case large = makeCase(spec, small, DType::bf16, "scaled by 16");
    large.scale = 16;
    list.push_back(large);
  }
  return list;
}

std::vector<Benchmark> benchmarks(bool quick) {
  std::vector<Benchmark> list;
  if (quick)
    return list;
  auto add = [&](const std::string &name, const std::string &spec, Shape shape, Parameters parameters) {
    shape = shape.resolved();
    list.push_back({name, {spec, {}, shape.headDim, shape.valueDim, DType::bf16}, shape, std::move(parameters)});
  };
  const std::pair<const char *, Shape> shapes[] = {
      {"n4096 d64", {.heads = 16, .tokensQ = 4096, .headDim = 64}},
      {"n4608 d128", {.heads = 24, .tokensQ = 4608, .headDim = 128}},   // an image model's sequence
      {"n32760 d128", {.heads = 12, .tokensQ = 32760, .headDim = 128}}, // Wan 2.1 1.3B, 480p
  };
  for (const auto &[text, shape] : shapes) {
    std::string at = text;
    add("dense " + at, "dense", shape, {});
    for (double keep : {0.05, 0.1}) {
      add(fmt::format("sparse_topk {} keep {}", at, keep), "sparse_topk", shape, {{"keep", keep}});
      add(fmt::format("sla {} keep {}", at, keep), "sla", shape, {{"keep", keep}});
      add(fmt::format("sla_all {} keep {}", at, keep), "sla_all", shape, {{"keep", keep}});
    }
  }
  return list;
}

} // namespace tercet::bundle
