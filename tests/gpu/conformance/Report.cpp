#include "Report.h"

namespace tercet::conformance {

namespace {

const char *nameOf(Agreement::Kind kind) {
  switch (kind) {
  case Agreement::Kind::equal:
    return "equal";
  case Agreement::Kind::close:
    return "within its bound";
  case Agreement::Kind::different:
    return "**different**";
  case Agreement::Kind::failed:
    return "**failed**";
  case Agreement::Kind::absent:
    return "not run";
  }
  return "";
}

} // namespace

Report reportOf(const Recording &got, const Recording *expected) {
  Report report;
  size_t counts[5] = {}, ran = 0;
  std::string rows;
  for (const Case &given : allCases()) {
    Agreement agreement = compare(given, expected ? *expected : got, got);
    ++counts[size_t(agreement.kind)];
    ran += got.outputs.count(given.name);
    report.passed &= agreement.kind != Agreement::Kind::different && agreement.kind != Agreement::Kind::failed;
    const char *result = !expected && agreement.kind == Agreement::Kind::equal ? "recorded" : nameOf(agreement.kind);
    rows += fmt::format("| {} | {} | {}{}{} |\n", given.name, given.about, result, agreement.detail.empty() ? "" : ": ",
                        agreement.detail);
  }
  report.markdown = fmt::format("# Conformance kernels on {} ({})\n\n{} of {} cases ran.", got.device, got.driver, ran,
                                allCases().size());
  if (expected)
    report.markdown +=
        fmt::format(" Against {}: {} equal, {} within their bounds, {} different, {} failed, {} not run.",
                    expected->device, counts[0], counts[1], counts[2], counts[3], counts[4]);
  report.markdown += "\n\n| case | settles | result |\n|---|---|---|\n" + rows;
  return report;
}

} // namespace tercet::conformance
