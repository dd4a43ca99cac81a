// CurvePicture: named curves of error over time, with axes, a bound, and a mark where each of them meets it.
#pragma once

#include "tercet/compiler/PngFile.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tercet::cli {

/// Points (x, y): x >= 0 on a linear axis, y on a logarithmic one; y of 0 lies on the lower edge, infinite ones on the upper.
struct PictureCurve {
  std::string name;
  std::vector<std::pair<double, double>> points;
  std::optional<std::pair<double, double>> mark;
};

struct CurveAxes {
  std::string xLabel, yLabel;
  double bound = 0; ///< a dashed line at this y; > 0
  std::string boundLabel;
};

/// 960 x 640 pixels. Colours stay apart for colour-blind eyes, and curves have different markers.
compiler::RgbImage curvePicture(const std::vector<PictureCurve> &curves, const CurveAxes &axes);

} // namespace tercet::cli
