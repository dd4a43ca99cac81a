// A plain plot: a grid, lines with markers, a legend. Colours are those of Okabe and Ito.
#include "CurvePicture.h"

#include "PixelText.h"

#include <algorithm>
#include <cmath>

namespace tercet::cli {
namespace {

constexpr int64_t pictureWidth = 960, pictureHeight = 640;
constexpr int64_t left = 110, right = 30, top = 60, bottom = 80;
constexpr int64_t plotWidth = pictureWidth - left - right, plotHeight = pictureHeight - top - bottom;
constexpr Colour ink{40, 40, 40}, faint{222, 222, 222}, warning{200, 30, 30};
constexpr Colour palette[] = {{0, 114, 178},  {230, 159, 0}, {0, 158, 115},  {204, 121, 167},
                              {86, 180, 233}, {213, 94, 0},  {120, 120, 120}};
constexpr int64_t markerSizes[] = {7, 9, 5};

/// The smallest of 1, 2 and 5 times a power of ten that gives at most eight steps.
double stepFor(double most) {
  double power = std::pow(10.0, std::floor(std::log10(most)) - 1);
  for (double factor : {1.0, 2.0, 5.0, 10.0, 20.0})
    if (most / (factor * power) <= 8)
      return factor * power;
  return most;
}

struct Plot {
  compiler::RgbImage image = compiler::RgbImage::filled(pictureWidth, pictureHeight, 255, 255, 255);
  double mostX = 1, lowDecade = -3, highDecade = 0;

  double x(double value) const { return double(left) + double(plotWidth) * value / mostX; }
  double y(double value) const {
    double decade = value > 0 ? std::log10(value) : lowDecade;
    decade = std::clamp(decade, lowDecade, highDecade);
    return double(top) + double(plotHeight) * (highDecade - decade) / (highDecade - lowDecade);
  }

  void line(double x0, double y0, double x1, double y1, const Colour &colour) {
    int64_t steps = static_cast<int64_t>(std::max(std::abs(x1 - x0), std::abs(y1 - y0))) + 1;
    for (int64_t step = 0; step <= steps; ++step) {
      double share = double(step) / double(steps);
      fillRectangle(image, std::llround(x0 + share * (x1 - x0)), std::llround(y0 + share * (y1 - y0)), 2, 2, colour);
    }
  }
  void square(double px, double py, int64_t size, const Colour &colour) {
    fillRectangle(image, std::llround(px) - size / 2, std::llround(py) - size / 2, size, size, colour);
  }
};

void choosePlotRange(Plot &plot, const std::vector<PictureCurve> &curves, double bound) {
  double mostX = 0, least = bound, most = bound;
  auto take = [&](const std::pair<double, double> &point) {
    mostX = std::max(mostX, point.first);
    if (point.second > 0 && std::isfinite(point.second)) {
      least = std::min(least, point.second);
      most = std::max(most, point.second);
    }
  };
  for (const PictureCurve &curve : curves) {
    std::for_each(curve.points.begin(), curve.points.end(), take);
    if (curve.mark)
      take(*curve.mark);
  }
  constexpr double deepest = 4; // decades below the bound are rounding, not approximation
  plot.mostX = mostX > 0 ? 1.05 * mostX : 1;
  plot.highDecade = std::ceil(std::log10(most) - 0.1); // an error a little above 1 opens no decade
  plot.lowDecade = std::floor(std::max(std::log10(least), std::log10(bound) - deepest) - 1e-9);
}

void drawAxes(Plot &plot, const CurveAxes &axes) {
  for (double decade = plot.lowDecade; decade <= plot.highDecade; ++decade) {
    int64_t y = std::llround(plot.y(std::pow(10.0, decade)));
    fillRectangle(plot.image, left, y, plotWidth, 1, faint);
    std::string text = fmt::format("{:g}", std::pow(10.0, decade));
    drawText(plot.image, left - 12 - textWidth(text), y - textHeight() / 2, text, ink);
  }
  double step = stepFor(plot.mostX);
  for (double value = 0; value <= plot.mostX; value += step) {
    int64_t x = std::llround(plot.x(value));
    fillRectangle(plot.image, x, top, 1, plotHeight, faint);
    std::string text = fmt::format("{:g}", std::round(value / step) * step);
    drawText(plot.image, x - textWidth(text) / 2, top + plotHeight + 12, text, ink);
  }
  fillRectangle(plot.image, left, top, 2, plotHeight, ink);
  fillRectangle(plot.image, left, top + plotHeight - 1, plotWidth, 2, ink);
  drawText(plot.image, left + (plotWidth - textWidth(axes.xLabel)) / 2, pictureHeight - 34, axes.xLabel, ink);
  drawText(plot.image, 14, 16, axes.yLabel, ink);
  int64_t y = std::llround(plot.y(axes.bound));
  for (int64_t x = left; x < left + plotWidth; x += 14)
    fillRectangle(plot.image, x, y, 8, 2, warning);
  fillRectangle(plot.image, left + plotWidth - textWidth(axes.boundLabel) - 4, y - textHeight() - 8,
                textWidth(axes.boundLabel) + 4, textHeight() + 4, {255, 255, 255});
  drawText(plot.image, left + plotWidth - textWidth(axes.boundLabel), y - textHeight() - 6, axes.boundLabel, warning);
}

void drawLegend(Plot &plot, const std::vector<PictureCurve> &curves) {
  int64_t widest = 0;
  for (const PictureCurve &curve : curves)
    widest = std::max(widest, textWidth(curve.name));
  int64_t x = left + plotWidth - widest - 8, y = top + 10;
  for (size_t index = 0; index < curves.size(); ++index, y += 24) {
    const Colour &colour = palette[index % std::size(palette)];
    fillRectangle(plot.image, x - 40, y, widest + 48, 22, {255, 255, 255});
    plot.line(double(x - 36), double(y + 7), double(x - 10), double(y + 7), colour);
    plot.square(double(x - 22), double(y + 8), markerSizes[index % std::size(markerSizes)], colour);
    drawText(plot.image, x, y, curves[index].name, colour);
  }
}

} // namespace

compiler::RgbImage curvePicture(const std::vector<PictureCurve> &curves, const CurveAxes &axes) {
  Plot plot;
  choosePlotRange(plot, curves, axes.bound);
  drawAxes(plot, axes);
  for (size_t index = 0; index < curves.size(); ++index) {
    const Colour &colour = palette[index % std::size(palette)];
    const auto &points = curves[index].points;
    for (size_t point = 0; point < points.size(); ++point) {
      double x = plot.x(points[point].first), y = plot.y(points[point].second);
      if (point > 0)
        plot.line(plot.x(points[point - 1].first), plot.y(points[point - 1].second), x, y, colour);
      plot.square(x, y, markerSizes[index % std::size(markerSizes)], colour);
    }
  }
  for (size_t index = 0; index < curves.size(); ++index)
    if (curves[index].mark) {
      double x = plot.x(curves[index].mark->first), y = plot.y(curves[index].mark->second);
      plot.square(x, y, 17, ink);
      plot.square(x, y, 11, palette[index % std::size(palette)]);
    }
  drawLegend(plot, curves);
  return std::move(plot.image);
}

} // namespace tercet::cli
