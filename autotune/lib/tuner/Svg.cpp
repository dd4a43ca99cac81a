// Marks are written as they come; later ones lie on top.
#include "Svg.h"

#include <fmt/format.h>

#include <cmath>

namespace tercet::tune {

std::string escaped(std::string_view text) {
  std::string result;
  for (char each : text)
    switch (each) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += each;
    }
  return result;
}

Axis::Axis(double least, double most, bool isLog, double from, double to) : from(from), to(to), isLog(isLog) {
  low = scaled(least), high = scaled(most);
  double margin = high > low ? 0.06 * (high - low) : isLog ? 0.1 : std::max(0.05 * std::fabs(high), 1e-9);
  low -= margin, high += margin;
}

double Axis::scaled(double value) const { return isLog ? std::log10(value) : value; }

double Axis::at(double value) const { return from + (to - from) * (scaled(value) - low) / (high - low); }

std::vector<double> Axis::ticks() const {
  std::vector<double> found;
  if (isLog && high - low > 0.9) {
    for (int power = static_cast<int>(std::floor(low)); power <= static_cast<int>(std::ceil(high)); ++power)
      for (double factor : {1.0, 2.0, 5.0})
        if (double value = factor * std::pow(10, power); scaled(value) >= low && scaled(value) <= high)
          if (factor == 1 || high - low < 3)
            found.push_back(value);
    return found;
  }
  double first = isLog ? std::pow(10, low) : low, last = isLog ? std::pow(10, high) : high;
  double rough = (last - first) / 4, power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  for (double value = std::ceil(first / step) * step; value <= last; value += step)
    found.push_back(value);
  return found;
}

Svg::Svg(double width, double height, std::string_view title) {
  body = fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" style=\"max-width:{0:.0f}px\" role=\"img\" aria-label=\"{2}\">\n", width,
      height, escaped(title));
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view kind) {
  body += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                      kind);
}

void Svg::box(double x, double y, double width, double height, std::string_view kind, std::string_view tooltip) {
  body += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"><title>{}</title></rect>\n", x,
      y, std::max(width, 0.5), height, kind, escaped(tooltip));
}

void Svg::dot(double x, double y, double radius, std::string_view kind, std::string_view tooltip) {
  body += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}\"><title>{}</title></circle>\n", x,
                      y, radius, kind, escaped(tooltip));
}

void Svg::text(double x, double y, std::string_view content, std::string_view anchor, std::string_view kind) {
  body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y, anchor, kind,
                      escaped(content));
}

void Svg::gridX(const Axis &axis, double from, double to) {
  for (double value : axis.ticks()) {
    line(axis.at(value), from, axis.at(value), to, "grid");
    text(axis.at(value), to + 14, fmt::format("{:.4g}", value), "middle", "tick");
  }
}

void Svg::gridY(const Axis &axis, double from, double to) {
  for (double value : axis.ticks()) {
    line(from, axis.at(value), to, axis.at(value), "grid");
    text(from - 5, axis.at(value) + 4, fmt::format("{:.4g}", value), "end", "tick");
  }
}

} // namespace tercet::tune
