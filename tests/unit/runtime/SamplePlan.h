// SamplePlan: a small artifact with every kind of node and slot, for tests of the format and of the executor.
#pragma once

#include "tercet/Artifact.h"

namespace tercet::test {

/// q [B,H,N,4], k and v [B,HKV,M,4], optional lse; parameters keep, drop (fractions) and depth (integer). One kernel
/// "scale_rows" per query head inside a groups > slices loop; a buffer per pair.
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
  Plan &plan = artifact.plan;
  plan.arguments = {{"q", Role::query, false, false, DType::f32},
                    {"k", Role::key, false, false, DType::f32},
                    {"v", Role::value, false, false, DType::f32},
                    {"q_len", Role::queryLengths, true, false, DType::i32},
                    {"k_len", Role::keyLengths, true, false, DType::i32},
                    {"o", Role::output, false, true, DType::f32},
                    {"lse", Role::lse, true, true, DType::f32}};
  plan.parameters = {{"keep", 0.05, false, 0, 1}, {"drop", 0.1, false, 0, 1}, {"depth", 3, true, 1, 9}};
  plan.buffers = {{"rows", symbol("G") * symbol("R") * 64, "one line per query head of a group"}};
  plan.grouping = {symbol("M") * 16, Expr(4096), Expr(3), symbol("R")};
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
  groups.body = {slices};
  plan.nodes = {groups};
  artifact.modules = {{"cpu:portable", {{"scale_rows", 100, "rows 1"}}, {0x7f, 'E', 'L', 'F', 1, 2, 3}}};
  return artifact;
}

} // namespace tercet::test
