#include "CallSizes.h"

#include <cmath>

namespace tercet::run {

TableSizes sizesOf(const PlanSignature &signature, const Tensor &q, const Tensor &k, const Tensor &v,
                   const std::vector<std::pair<std::string, double>> &parameters) {
  std::optional<TokenOrder> order;
  if (signature.order)
    order = signature.order->sized([&](const std::string &name) {
      double value = 1;
      for (const PlanParameter &parameter : signature.parameters)
        value = parameter.name == name ? parameter.value : value;
      for (const auto &[given, number] : parameters)
        value = given == name ? number : value;
      return std::fmin(std::fmax(value, 1), TokenOrder::largestAxis); // the launch refuses others, and NaN
    });
  TableSizes tokens{q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], v.shape[3]};
  return tokens.inBlocks(signature.blockQ, signature.blockK, order);
}

} // namespace tercet::run
