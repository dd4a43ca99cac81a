// Svg: a plot as inline SVG: axes with ticks, marks with a tooltip each. Colours are classes of the page's style sheet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tercet::tune {

/// For element content and attribute values.
std::string escaped(std::string_view text);

/// From values to pixels, linear or logarithmic.
class Axis {
public:
  /// Reaches a little beyond the values; logarithmic needs them above 0.
  Axis(double least, double most, bool isLog, double from, double to);
  double at(double value) const;
  /// Values worth a label: 1, 2 or 5 times powers of ten.
  std::vector<double> ticks() const;

private:
  double scaled(double value) const;
  double low, high, from, to;
  bool isLog;
};

class Svg {
public:
  Svg(double width, double height, std::string_view title);
  void line(double x1, double y1, double x2, double y2, std::string_view kind);
  void box(double x, double y, double width, double height, std::string_view kind, std::string_view tooltip);
  void dot(double x, double y, double radius, std::string_view kind, std::string_view tooltip);
  /// anchor: start, middle, end.
  void text(double x, double y, std::string_view content, std::string_view anchor, std::string_view kind = "");
  /// Ticks and their grid lines between `from` and `to` across the axis.
  void gridX(const Axis &axis, double from, double to);
  void gridY(const Axis &axis, double from, double to);
  std::string done() const { return body + "</svg>\n"; }

private:
  std::string body;
};

} // namespace tercet::tune
