#include "CompiledBody.h"

#include "ObjectCode.h"

#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

namespace tercet::test {

static constexpr const char *head = R"(
tkern.kernel @body(%i0: index, %i1: index, %i2: index, %xs: !tkern.pointer<f32>, %as: !tkern.pointer<f32>,
                   %bs: !tkern.pointer<f32>, %ys: !tkern.pointer<f32>, %row: index, %col: index, %wide: index,
                   %f: !tkern.pointer<f32>, %g: !tkern.pointer<i32>, %s0: index, %s1: index, %d0: index, %d1: index) {
  %zero = arith.constant 0 : index
  %n = arith.index_cast %wide : index to i32
  %xv = tkern.view %xs[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride 64, global>
  %av = tkern.view %as[%zero] : !tkern.pointer<f32> -> !tkern.view<4x1xf32, stride 1, global>
  %bv = tkern.view %bs[%zero] : !tkern.pointer<f32> -> !tkern.view<1x64xf32, stride 64, global>
  %yv = tkern.view %ys[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride 64, global>
  %xt = tkern.load %xv[%zero, %zero] : !tkern.view<4x64xf32, stride 64, global> -> !tkern.tile<4x64>
  %at = tkern.load %av[%zero, %zero] : !tkern.view<4x1xf32, stride 1, global> -> !tkern.tile<4x1>
  %bt = tkern.load %bv[%zero, %zero] : !tkern.view<1x64xf32, stride 64, global> -> !tkern.tile<1x64>
  %yt = tkern.map_pairs %xt at[%row, %col] with %at, %bt : !tkern.tile<4x64>, !tkern.tile<4x1>, !tkern.tile<1x64> {
  ^bb0(%x: f32, %i: i32, %j: i32, %a: f32, %b: f32):
)";
static constexpr const char *tail = R"(
    tkern.yield %y
  }
  tkern.store %yt, %yv[%zero, %zero] : !tkern.tile<4x64>, !tkern.view<4x64xf32, stride 64, global>
  tkern.end
}
)";

CompiledBody::CompiledBody(CpuLevel level, const std::string &body) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<tkern::TkernDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
  auto kernels = mlir::parseSourceString<mlir::ModuleOp>(head + body + tail, &context);
  INFO(body);
  REQUIRE(kernels);
  auto code = codegen::generateObject(*kernels, codegen::cpuTarget(level));
  INFO(code.status().message());
  REQUIRE(code.ok());
  auto shared = codegen::linkSharedObject(code->object);
  INFO(shared.status().message());
  REQUIRE(shared.ok());
  auto loaded = rt::CpuModule::load(*shared);
  REQUIRE(loaded.ok());
  module = *loaded;
  function = module->find("body");
  REQUIRE(function);
  scratchBytes = code->kernels.front().scratchBytes;
}

CompiledBody::Tile CompiledBody::run(const Tile &x, const std::vector<float> &a, const std::vector<float> &b,
                                     int64_t firstRow, int64_t firstCol, int32_t n, const BodyTable &table) const {
  Tile y(rows * cols);
  auto address = [](const void *pointer) { return reinterpret_cast<int64_t>(pointer); };
  const int64_t slots[] = {address(x.data()),
                           address(a.data()),
                           address(b.data()),
                           address(y.data()),
                           firstRow,
                           firstCol,
                           n,
                           address(table.data),
                           address(table.data),
                           table.sizes[0],
                           table.sizes[1],
                           table.strides[0],
                           table.strides[1]};
  std::vector<char> memory(static_cast<size_t>(scratchBytes) + 64);
  char *scratch = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
  function(slots, 0, 0, 0, scratch);
  return y;
}

std::vector<CpuLevel> runnableLevels() {
  std::vector<CpuLevel> levels;
  for (CpuLevel level : {CpuLevel::v4, CpuLevel::v3, CpuLevel::portable})
    if (level <= detectCpuLevel())
      levels.push_back(level);
  return levels;
}

} // namespace tercet::test
