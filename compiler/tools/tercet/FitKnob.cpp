#include "FitKnob.h"

#include <algorithm>

namespace tercet::cli {
namespace {

using reference::KeepUnit;

std::optional<FitKnob::Scale> scaleOf(KeepUnit unit) {
  switch (unit) {
  case KeepUnit::fraction:
    return FitKnob::Scale::fraction;
  case KeepUnit::count:
    return FitKnob::Scale::count;
  case KeepUnit::mass:
  case KeepUnit::within:
    return FitKnob::Scale::mass;
  case KeepUnit::above: // thresholds on scores have no row of values that serves all data
  case KeepUnit::relative:
  case KeepUnit::percentile:
    return std::nullopt;
  }
  return std::nullopt;
}

} // namespace

double FitKnob::value(int64_t level) const {
  double share = static_cast<double>(level) / static_cast<double>(last);
  switch (scale) {
  case Scale::fraction:
    return share;
  case Scale::count:
    return static_cast<double>(level);
  case Scale::mass:
    return 1 - (1 - share) * (1 - share);
  case Scale::tokens:
    return static_cast<double>(level * tokenStep);
  }
  return 0;
}

Result<FitKnob> findKnob(const LoadedSpec &spec, const reference::CallSizes &sizes) {
  const std::optional<reference::Selection> &selection = spec.info.program.selection;
  if (selection && !selection->keep.parameter.empty() && selection->keep.isRuntime) {
    using reference::Scope;
    if (selection->scope == Scope::allHeads || selection->scope == Scope::group)
      return Status::make(Code::invalidArgument,
                          "spec '{}' selects for several heads at once; what is fitted per head needs the scope row or "
                          "head",
                          spec.info.name);
    std::optional<FitKnob::Scale> scale = scaleOf(selection->keepUnit);
    if (!scale)
      return Status::make(Code::invalidArgument,
                          "spec '{}' keeps blocks by a threshold; fitted are top_fraction, top_count, top_mass and "
                          "within_mass",
                          spec.info.name);
    return FitKnob{selection->keep.parameter, *scale,
                   *scale == FitKnob::Scale::mass ? FitKnob::massLevels : sizes.blocksK};
  }
  const compiler::ParameterInfo *window = spec.info.find("window");
  if (window && !window->isStatic && window->kind == "i64")
    return FitKnob{window->name, FitKnob::Scale::tokens,
                   (std::max(sizes.tokensQ, sizes.tokensK) + FitKnob::tokenStep - 1) / FitKnob::tokenStep};
  return Status::make(Code::invalidArgument,
                      "spec '{}' has nothing to fit: neither a selection whose keep is a runtime parameter, nor a "
                      "runtime i64 parameter 'window'",
                      spec.info.name);
}

} // namespace tercet::cli
