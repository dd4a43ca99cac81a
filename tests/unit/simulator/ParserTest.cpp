// What is not understood is an error that names its line; text that is broken in any way never crashes parser or executor.
#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet;

namespace {

void refuses(const std::string &body, const char *why) {
  auto module = sim::Module::parse(test::kernelText(body));
  INFO(body);
  REQUIRE_FALSE(module.ok());
  CHECK(module.status().code() == Code::invalidArgument);
  INFO(module.status().message());
  CHECK(module.status().message().find(why) != std::string::npos);
}

void refusesModule(const std::string &text, const char *why) {
  auto module = sim::Module::parse(text);
  INFO(text);
  REQUIRE_FALSE(module.ok());
  INFO(module.status().message());
  CHECK(module.status().message().find(why) != std::string::npos);
}

const std::string sample = test::kernelText(
    "{ .reg .pred done; again_0: setp.lt.u32 done, %r4, 3; add.u32 %r4, %r4, 1; @done bra again_0; }\n"
    ".reg .b32 %q; .local .align 8 .b8 depot[64]; mov.u64 %rd5, depot; st.local.v2.u64 [%rd5+16], {%rd0, %rd1};\n"
    "shfl.sync.idx.b32 %r6|%p1, %r0, 0, 31, -1; mov.b64 {%r7, %r8}, %rd0; fma.rn.f32 %f4, %f5, 0f3F800000, %f6;\n"
    "shl.b32 %r12, %r0, 4; mov.u32 %r13, buffer; add.u32 %r12, %r12, %r13; st.shared.v2.u64 [%r12], {%rd0, %rd1}; "
    "setp.eq.u32 %p2, %r0, 0; @%p2 cp.async.ca.shared.global [buffer], [%rd0], 8; cp.async.wait_all; bar.sync 0; "
    "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r9}, "
    "[buffer];\n"
    "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f4, %f5, %f6, %f7}, {%r4, %r5}, {%r6}, {%f4, %f5, %f6, "
    "%f7};\n"
    "atom.global.add.u32 %r10, [%rd1], 1; @!%p1 bra over; st.global.u64 [%rd1+0], %rd2;\nover: cvt.rn.bf16x2.f32 %r11, "
    "%f4, %f5;",
    ".global .align 4 .u32 table[2] = {1, 2};\n.shared .align 16 .b8 buffer[512];\n// comment\n/* and another */",
    ".maxntid 64, 1, 1");

// The instructions of sm_90a, in an order that runs: a bulk copy in, a product, a bulk copy out.
const std::string asynchronousSample = test::kernelText(
    "mov.u32 %r4, buffer; setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared::cta.b64 [%r4], 1; "
    "fence.mbarrier_init.release.cluster;\n"
    "setmaxnreg.dec.sync.aligned.u32 240; mov.u64 %rd3, 0; mul.wide.u32 %rd4, %r0, 8; cvt.u32.u64 %r5, %rd4; add.u32 "
    "%r5, %r5, %r4;\n"
    "st.shared.u64 [%r5+1024], %rd3; fence.proxy.async.shared::cta; bar.sync 0;\n"
    "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], 16;\n"
    "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r4+3072], [%rd0], 16, [%r4];\n"
    "again: mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r4], 0; @!%p1 bra again; elect.sync _|%p2, -1; "
    "mapa.shared::cluster.u32 %r6, %r4, 0;\n"
    "mov.u64 %rd5, 0x4000000000010040; setp.ne.u32 %p3, 0, 0; wgmma.fence.sync.aligned;\n"
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f4, %f5, %f6, %f7}, %rd5, %rd5, %p3, 1, 1, 0, 0;\n"
    "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0; barrier.cluster.arrive.aligned; "
    "barrier.cluster.wait.aligned;\n"
    "@%p0 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [%r4+3072], 16; cp.async.bulk.commit_group; "
    "cp.async.bulk.wait_group 0;",
    ".shared .align 1024 .b8 buffer[4096];");

/// Parses and, where that succeeds, runs; all that matters is that it comes back.
void survives(const std::string &text, uint32_t threads) {
  sim::LaunchConfig config;
  config.block = {threads, 1, 1};
  config.hostThreads = 1;
  config.maxInstructions = 2000;
  auto result = test::run(text, config);
  CHECK((result.status.ok() || !result.status.message().empty()));
}

/// `text` with a few edits: characters, pieces removed, pieces of its own put elsewhere.
std::string mutate(std::string text, std::mt19937 &random) {
  const std::string alphabet = "0123456789abcxrfpd%.,;:[]{}()+-@!|$_ \n<>=\"/*", original = text;
  auto below = [&](size_t limit) { return size_t(random() % limit); };
  for (size_t edits = 1 + below(4); edits; --edits) {
    size_t at = below(text.size()), length = 1 + below(12), from = below(original.size());
    switch (below(4)) {
    case 0:
      text[at] = alphabet[below(alphabet.size())];
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, original.substr(from, length));
      break;
    default:
      text.replace(at, std::min(length, text.size() - at), original.substr(from, length));
    }
  }
  return text;
}

} // namespace

TEST_CASE("unknown opcodes, modifiers and operands are errors with their line", "[simulator]") {
  refuses("\nfrobnicate.u32 %r4, %r5;", "line 13: opcode frobnicate.u32 is not known");
  refuses("add.wobble.u32 %r4, %r5, %r6;", "line 12: add.wobble.u32 has the modifier .wobble, which is not known");
  refuses("add.u32 %r4, %r5;", "takes 3 operands, not 2");
  refuses("add.u32 %r4, %r5, %rd6;", "takes 32 bits where it is given %rd6, which has 64");
  refuses("add.u64 %rd4, %r5, %rd6;", "takes 64 bits where it is given %r5, which has 32");
  refuses("mov.u64 %rd4, nowhere;", "names nowhere, which is not known");
  refuses("add.u32 %r64, %r5, %r6;", "names register %r64, which is not declared");
  refuses("add.f32 %f4, %f5, 1;", "has the integer 1 where it takes a .f32");
  refuses("setp.lt.u32 %r4, %r5, %r6;", "a .b32");
  refuses("@%r4 ret;", "not a predicate");
  refuses("bra nowhere;", "there is no label nowhere");
  refuses("here: here: ret;", "label here is there twice");
  refuses("ld.shared.u32 %r4, [in];", "it lies in .param");
  refuses("ld.global.u32 %r4, [%r5];", "as an address");
  refuses("mov.u32 %r4, 0x123456789012345678;", "not an integer of 64 bits");
  refuses("mma.sync.aligned.m16n8k16.row.col.f32.tf32.tf32.f32 {%f4, %f5, %f6, %f7}, {%r4, %r5}, {%r6}, {%f4, %f5, "
          "%f6, %f7};",
          "with k = 16");
  refuses("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4, %r5}, [%r6];", "takes 4 elements in operand 1, not 2");
  refuses("ld.shared.v8.u64 {%rd4, %rd5, %rd6, %rd7, %rd8, %rd9, %rd10, %rd11}, [%r4];", "more than 32 bytes");
  refuses("ld.global.v2.u32 {%rd4, %r5}, [%rd6];", "mixes registers of different sizes");
  refuses("ld.global.v2.u32 {%rd4, _}, [%rd6];", "constants or sinks");
  refuses("st.global.v2.u32 [%rd6], {%rd4, 5};", "constants or sinks");
  refuses("red.global.v8.add.u64 [%rd4], {%rd4, %rd5, %rd6, %rd7, %rd8, %rd9, %rd10, %rd11};", "more than 32 bytes");
  refuses("cp.async.cg.shared.global [%r4], [%rd5], 8;", "does not copy 8 bytes");
  refuses("wait, what", "expected");
  refuses(".reg .b32 %q<99999999999999999999>;", "not an integer of 64 bits");
  refuses(".local .align 4 .b8 huge[999999999];", "local memory takes more than");
  refuses(".shared .align 3 .b8 odd[4];", "not a power of two");
}

TEST_CASE("modules that are broken are errors", "[simulator]") {
  refusesModule("", "no .entry");
  refusesModule(".version 8.7\n.target sm_80\n.bogus 3;", "line 3: '.bogus' is not known");
  refusesModule(".visible .entry k() { ret; ", "ends inside a kernel");
  refusesModule("/* never closed", "not closed");
  refusesModule(".global .u32 x[2] = {1, 2, 3};\n.visible .entry k() { ret; }", "more values than it holds");
  refusesModule(".visible .entry k() { ret; } \x01", "0x01 is not PTX");
  refusesModule(".global .b8 x[99999999999];", "more than 4294967296 bytes");
  refusesModule(".visible .entry k(.param .b8 x[99999]) { ret; }", "at most 32764 bytes");
  std::string nested = ".visible .entry k() ";
  for (int i = 0; i < 5000; ++i)
    nested += "{";
  refusesModule(nested, "nest deeper");
}

TEST_CASE("a register that is declared and not used costs nothing", "[simulator]") {
  auto result =
      test::runBody(".reg .b64 %many<1000000000>; mov.u64 %many999999999, 5; st.global.u64 [%rd1], %many999999999;");
  REQUIRE(result.message() == "ok");
  CHECK(result.out[0] == 5);
}

TEST_CASE("registers are bounded", "[simulator]") {
  std::string body = ".reg .b32 %many<200000>;\n";
  for (int i = 0; i < 140000; ++i)
    body += fmt::format("mov.u32 %many{}, 1;\n", i);
  refuses(body, "more than 131072 registers");
}

TEST_CASE("the sample of the robustness tests is legal", "[simulator]") {
  auto module = sim::Module::parse(sample);
  INFO((module.ok() ? "" : module.status().message()));
  REQUIRE(module.ok());
  CHECK(module->kernel("k")->maxThreads[0] == 64);
  CHECK(module->kernel("k")->parameterBytes == 16);
  CHECK(module->kernel("k")->staticSharedBytes == 512);
  CHECK(module->target() == "sm_90a");
}

TEST_CASE("the samples run", "[simulator]") {
  sim::LaunchConfig config;
  config.block = {128, 1, 1};
  CHECK(test::run(asynchronousSample, config).message() == "ok");
  config.block = {32, 1, 1};
  CHECK(test::run(sample, config).message() == "ok");
}

TEST_CASE("truncated text never crashes", "[simulator]") {
  for (const std::string &text : {sample, asynchronousSample})
    for (size_t length = 0; length <= text.size(); ++length)
      survives(text.substr(0, length), 32);
}

TEST_CASE("mutated text never crashes parser or executor", "[simulator]") {
  std::mt19937 random(20260101);
  for (int round = 0; round < 3000; ++round) {
    survives(mutate(sample, random), 32);
    survives(mutate(asynchronousSample, random), 128);
  }
}
