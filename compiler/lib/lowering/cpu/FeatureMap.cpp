// softmax over features, ELU(x) + 1, relu, and their derivatives (docs/gradients.md#branches).
#include "FeatureMap.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// With padding that phi maps to 0: exp(-inf) for softmax and elu, relu(0).
static Value loadRow(KernelBuilder &k, const Program &program, int64_t featureDim, Value tokens, Value row) {
  bool padded = featureDim != program.headDim;
  Value padding = k.real(program.featureMap == FeatureMap::relu ? 0 : -std::numeric_limits<float>::infinity());
  Value cols = padded ? k.index(program.headDim) : Value();
  return k.load(tokens, row, 1, featureDim, {}, {}, cols, padded ? padding : Value());
}

Value compiler::buildFeatureRow(KernelBuilder &k, const Program &program, int64_t featureDim, Value tokens, Value row) {
  Value x = loadRow(k, program, featureDim, tokens, row);
  Value log2e = k.real(1.4426950408889634), zero = k.real(0), one = k.real(1);
  switch (program.featureMap) {
  case FeatureMap::relu:
    return k.map({x}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value positive = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[0], zero);
      return body.create<arith::SelectOp>(loc, positive, v[0], zero);
    });
  case FeatureMap::elu: // x > 0: x + 1, else exp(x)
    return k.map({x}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value positive = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[0], zero);
      Value low = body.create<arith::SelectOp>(loc, positive, zero, v[0]);
      Value exponential = body.create<math::Exp2Op>(loc, body.create<arith::MulFOp>(loc, low, log2e).getResult());
      Value linear = body.create<arith::AddFOp>(loc, v[0], one);
      return body.create<arith::SelectOp>(loc, positive, linear, exponential);
    });
  case FeatureMap::softmax:
    break;
  }
  Value top = k.reduce(tkern::ReduceKind::Max, x);
  Value exponential = k.map({x, top}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value shifted = body.create<arith::SubFOp>(loc, v[0], v[1]);
    return body.create<math::Exp2Op>(loc, body.create<arith::MulFOp>(loc, shifted, log2e).getResult());
  });
  Value sum = k.reduce(tkern::ReduceKind::Add, exponential);
  Value inverse = k.map({sum}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<arith::DivFOp>(loc, one, v[0]);
  });
  return k.tileProduct(exponential, inverse);
}

Value compiler::buildFeatureGradient(KernelBuilder &k, const Program &program, int64_t featureDim, Value tokens,
                                     Value row, Value features, Value gradient) {
  if (program.featureMap == FeatureMap::softmax) { // f (g - <g, f>)
    Value mean = k.reduce(tkern::ReduceKind::Add, k.tileProduct(features, gradient));
    return k.map({features, gradient, mean}, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
      return body.create<arith::MulFOp>(loc, v[0], body.create<arith::SubFOp>(loc, v[1], v[2]));
    });
  }
  Value x = loadRow(k, program, featureDim, tokens, row), zero = k.real(0);
  return k.map({x, features, gradient}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value positive = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[0], zero), otherwise = zero;
    if (program.featureMap == FeatureMap::elu) // where phi is e^x, so is its derivative
      otherwise = body.create<arith::MulFOp>(loc, v[2], v[1]);
    return body.create<arith::SelectOp>(loc, positive, v[2], otherwise);
  });
}
