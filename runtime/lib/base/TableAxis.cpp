#include "tercet/TableAxis.h"

#include <fmt/ranges.h>

namespace tercet {

static constexpr std::pair<TableAxis, std::string_view> axisNames[] = {
    {TableAxis::batch, "batch"},        {TableAxis::head, "head"}, {TableAxis::kvHead, "kv_head"},
    {TableAxis::query, "query"},        {TableAxis::key, "key"},   {TableAxis::queryBlock, "query_block"},
    {TableAxis::keyBlock, "key_block"}, {TableAxis::any, "any"},   {TableAxis::feature, "feature"},
};

std::string tableAxisText(int64_t axis) {
  for (auto [value, name] : axisNames)
    if (static_cast<int64_t>(value) == axis)
      return std::string(name);
  return std::to_string(axis);
}

std::optional<TableAxis> parseTableAxis(std::string_view name) {
  for (auto [value, text] : axisNames)
    if (text == name)
      return value;
  return {};
}

TableSizes TableSizes::inBlocks(int64_t blockQ, int64_t blockK, const std::optional<TokenOrder> &order) const {
  TableSizes sizes = *this;
  if (order && checkTokenOrder(*order, tokensQ, tokensK).ok()) {
    sizes.blocksQ = order->blocks(tokensQ);
    sizes.blocksK = order->blocks(tokensK);
  } else if (blockQ > 0 && blockK > 0) {
    sizes.blocksQ = (tokensQ + blockQ - 1) / blockQ;
    sizes.blocksK = (tokensK + blockK - 1) / blockK;
  }
  return sizes;
}

int64_t tableExtent(int64_t axis, const TableSizes &sizes) {
  switch (static_cast<TableAxis>(axis)) {
  case TableAxis::batch:
    return sizes.batch;
  case TableAxis::head:
    return sizes.headsQ;
  case TableAxis::kvHead:
    return sizes.headsKV;
  case TableAxis::query:
    return sizes.tokensQ;
  case TableAxis::key:
    return sizes.tokensK;
  case TableAxis::queryBlock:
    return sizes.blocksQ;
  case TableAxis::keyBlock:
    return sizes.blocksK;
  case TableAxis::feature:
    return sizes.valueDim;
  case TableAxis::any:
    return 0;
  }
  return axis;
}

Status checkTable(std::string_view name, const Tensor &tensor, const std::vector<int64_t> &axes, DType dtype,
                  const TableSizes &sizes) {
  bool fits = tensor.rank == static_cast<int>(axes.size()) && tensor.dtype == dtype;
  std::vector<std::string> legal;
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    int64_t extent = tableExtent(axes[axis], sizes);
    bool isNamed = axes[axis] < 0;
    std::string text = isNamed ? tableAxisText(axes[axis]) + " " : "";
    legal.push_back(extent == 0 ? "any" : fmt::format("{}{}{}", text, extent, isNamed && extent != 1 ? " or 1" : ""));
    if (!fits)
      continue;
    int64_t given = tensor.shape[axis];
    fits = given >= 1 && (extent == 0 || given == extent || (isNamed && given == 1));
  }
  if (fits)
    return {};
  return Status::make(Code::invalidArgument, "table '{}' is {}; expected [{}] {}", name, tensor.describe(),
                      fmt::join(legal, ", "), dtypeName(dtype));
}

} // namespace tercet
