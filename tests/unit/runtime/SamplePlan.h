// SamplePlan: a small artifact with every kind of node and slot, for tests of the format and of the executors.
#pragma once

#include "tercet/Artifact.h"

namespace tercet::test {

/// q [B,H,N,4], k and v [B,HKV,M,4], optional lse; parameters keep, drop (fractions) and depth (integer). One kernel
/// "scale_rows" per query head inside a groups > slices loop, after a memset; a buffer per pair.
inline Artifact samplePlanArtifact() {
  using Role = PlanArgument::Role;
  using Slot = PlanSlot::Kind;
  auto symbol = [](const char *name) { return Expr::symbol(name); };
  Artifact artifact;
  artifact.specName = "sample";
  artifact.specText = "tercet.spec @sample {\n  \"quoted\"\n}\n";
  artifact.specDigest = "00112233445566778899aabbccddeeff";
  artifact.compiler = "tests";
  artifact.headDim = artifact.valueDim = 4;
  artifact.staticParameters = {{"block_q", "64"}};
  artifact.aggregation = "none";
  Plan plan;
  plan.arguments = {{"q", Role::query, false, false, DType::f32},
                    {"k", Role::key, false, false, DType::f32},
                    {"v", Role::value, false, false, DType::f32},
                    {"q_len", Role::queryLengths, true, false, DType::i32},
                    {"k_len", Role::keyLengths, true, false, DType::i32},
                    {"o", Role::output, false, true, DType::f32},
                    {"lse", Role::lse, true, true, DType::f32}};
  plan.parameters = {{"keep", 0.05, false, 0, 1}, {"drop", 0.1, false, 0, 1}, {"depth", 3, true, 1, 9}};
  plan.buffers = {{"rows", symbol("G") * symbol("R") * 64, "one line per query head of a group"}};
  plan.grouping = {
      .unitBytes = symbol("M") * 16, .budgetBytes = Expr(4096), .slices = Expr(3), .itemsPerPair = symbol("R")};
  PlanNode call;
  call.kind = PlanNode::Kind::kernel;
  call.callee = "scale_rows";
  call.stage = "attend";
  call.grid[0] = symbol("G") * symbol("R");
  call.slots = {{Slot::tensor, "q", 0},
                {Slot::tensor, "o", 0},
                {Slot::tensor, "lse", 0},
                {Slot::buffer, "rows", 0},
                {Slot::scalar, "keep", 0},
                {Slot::integer, "", symbol("G0")},
                {Slot::integer, "", symbol("G")},
                {Slot::integer, "", symbol("S0")},
                {Slot::integer, "", symbol("S")},
                {Slot::integer, "", symbol("param.depth")},
                {Slot::integer, "", symbol("q.2")},
                {Slot::integer, "", symbol("lse.present")}};
  call.flops = symbol("G") * symbol("N") * 2;
  PlanNode slices;
  slices.kind = PlanNode::Kind::slices;
  slices.body = {call};
  PlanNode groups;
  groups.kind = PlanNode::Kind::groups;
  PlanNode clear;
  clear.kind = PlanNode::Kind::memset;
  clear.callee = "rows";
  clear.stage = "attend";
  clear.bytes = symbol("G") * 64;
  clear.byte = 7;
  groups.body = {clear, slices};
  plan.nodes = {groups};
  artifact.modules = {{"cpu:portable", plan, {{"scale_rows", 100, "rows 1"}}, {0x7f, 'E', 'L', 'F', 1, 2, 3}}};
  return artifact;
}

/// A backward of the sample, which does nothing and takes what the sample gives.
inline Artifact sampleBackwardArtifact() {
  using Role = PlanArgument::Role;
  Artifact artifact = samplePlanArtifact();
  Plan &plan = artifact.modules[0].plan;
  plan.nodes.clear();
  std::erase_if(plan.arguments, [](const PlanArgument &argument) { return argument.isOutput; });
  for (const PlanArgument &argument : {PlanArgument{"do", Role::outputGradient},
                                       {"o", Role::savedOutput},
                                       {"lse", Role::savedLse},
                                       {"dq", Role::queryGradient, false, true},
                                       {"dk", Role::keyGradient, false, true},
                                       {"dv", Role::valueGradient, false, true}})
    plan.arguments.push_back(argument);
  artifact.modules[0].code = {0x7f, 'E', 'L', 'F', 9};
  return artifact;
}

/// The same with a module for sm_90a, whose kernel also takes a tensor map over q.
inline Artifact sampleGpuArtifact() {
  Artifact artifact = samplePlanArtifact();
  TargetModule module{"sm_90a", artifact.modules[0].plan, {}, {}};
  PlanTensorMap map;
  map.dtype = DType::f32;
  map.offset = Expr::symbol("G0") * 4;
  map.sizes = {4, Expr::symbol("N"), Expr::symbol("B") * Expr::symbol("H")};
  map.strides = {Expr::symbol("q.2"), Expr::symbol("q.1")};
  map.box = {4, 64, 1};
  map.swizzle = PlanTensorMap::Swizzle::bytes128;
  module.plan.nodes[0].body[1].body[0].slots.push_back({PlanSlot::Kind::tensorMap, "q", 0, map});
  GpuKernelInfo gpu;
  gpu.threads = 128;
  gpu.dynamicSharedBytes = 40000;
  gpu.registers = 96;
  gpu.compileMs = 12.5;
  gpu.notes = {"C7519: a note"};
  gpu.cubin = {1, 2, 3, 4, 5};
  gpu.ptx = ".version 8.0\n";
  gpu.source = "// source\n";
  module.kernels = {{"scale_rows", 0, "warps 4", gpu}};
  artifact.modules.push_back(std::move(module));
  return artifact;
}

} // namespace tercet::test
