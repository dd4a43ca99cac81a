#include "GraphCheck.h"

#include <cstring>

namespace tercet::run {
namespace {

using Bytes = std::vector<char>;

Bytes bytesOf(const Tensor &tensor) { // made row-major by the callers of this program
  const char *data = static_cast<const char *>(tensor.data);
  return {data, data + static_cast<size_t>(tensor.elements()) * dtypeSize(tensor.dtype)};
}

void restore(const Tensor &tensor, const Bytes &bytes) { std::memcpy(tensor.data, bytes.data(), bytes.size()); }

void doubleValues(const Tensor &tensor) {
  for (int64_t b = 0; b < tensor.shape[0]; ++b)
    for (int64_t h = 0; h < tensor.shape[1]; ++h)
      for (int64_t row = 0; row < tensor.shape[2]; ++row)
        for (int64_t c = 0; c < tensor.shape[3]; ++c)
          tensor.set(2 * tensor.get(b, h, row, c), b, h, row, c);
}

} // namespace

Result<GraphVerdict> checkGraphs(BoundKernel &kernel, const Tensor &v, const Tensor &o,
                                 const std::vector<std::pair<std::string, double>> &otherParameters) {
  GraphVerdict verdict;
  auto graph = kernel.capture();
  if (!graph.ok() && graph.status().code() == Code::unsupportedTarget)
    return verdict;
  TERCET_RETURN_IF_ERROR(graph.takeStatus());
  verdict.ran = true;
  Bytes originalV = bytesOf(v), untouchedO(bytesOf(o).size(), char(0xff));

  // Every run starts from outputs that hold no right value.
  auto replayed = [&](rt::GpuGraph &which) -> Result<Bytes> {
    restore(o, untouchedO);
    TERCET_RETURN_IF_ERROR(kernel.upload());
    TERCET_RETURN_IF_ERROR(kernel.replay(which));
    TERCET_RETURN_IF_ERROR(kernel.download());
    return bytesOf(o);
  };
  auto launched = [&](const std::vector<std::pair<std::string, double>> &parameters) -> Result<Bytes> {
    restore(o, untouchedO);
    TERCET_RETURN_IF_ERROR(kernel.upload());
    TERCET_RETURN_IF_ERROR(kernel.launch(parameters).takeStatus());
    TERCET_RETURN_IF_ERROR(kernel.download());
    return bytesOf(o);
  };

  TERCET_TRY(Bytes once, launched({}));
  TERCET_TRY(Bytes again, replayed(**graph));
  verdict.sameData = once == again;
  doubleValues(v);
  TERCET_TRY(Bytes changed, launched({}));
  TERCET_TRY(Bytes changedAgain, replayed(**graph));
  verdict.changedData = changed == changedAgain && changed != once;
  restore(v, originalV);
  if (!otherParameters.empty()) {
    TERCET_TRY(auto other, kernel.capture(otherParameters));
    TERCET_TRY(Bytes direct, launched(otherParameters));
    TERCET_TRY(Bytes byGraph, replayed(*other));
    TERCET_TRY(Bytes first, replayed(**graph)); // the first graph keeps its own parameters
    verdict.parametersMatter = direct != once;
    verdict.changedParameters = direct == byGraph && first == once;
  }
  return verdict;
}

} // namespace tercet::run
