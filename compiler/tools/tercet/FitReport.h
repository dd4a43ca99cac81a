// FitReport: what `fit` found, as JSON, as a table, as a picture, and as a spec file with its table of values per head.
#pragma once

#include "FitContender.h"
#include "Output.h"

#include "tercet/compiler/PngFile.h"

namespace tercet::cli {

struct FitReport {
  const std::vector<std::unique_ptr<FitContender>> &contenders;
  const tune::FitResult &result;
  double maxError;
  std::string against; ///< the spec that counts as exact

  Json json() const;
  /// Of the object that json() gave, with what the command added.
  static std::string text(const Json &object);
  compiler::RgbImage picture() const;
  /// The text of the best contender's spec, with a comment that says what it promises and where its table lies.
  std::string specText(const std::string &tableFile) const;
};

} // namespace tercet::cli
