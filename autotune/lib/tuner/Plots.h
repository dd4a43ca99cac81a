// Plots: the pictures of a report.
#pragma once

#include "tercet/autotune/Report.h"

namespace tercet::tune {

/// Quartiles of the best candidates and of the default, one line each.
std::string spreadPlot(const TuneReport &report);

/// Cost against the values of one knob; the line is the best cost with each value.
std::string knobPlot(const TuneReport &report, const std::string &knob);

/// Operations per second against operations per byte under the machine's roof; empty where either is not known.
std::string rooflinePlot(const TuneReport &report);

/// The names of the knobs that have several values among the candidates with samples, in the order of the first.
std::vector<std::string> variedKnobs(const TuneReport &report);

/// "best", "default" or "other": a class of the page's style sheet.
std::string kindOf(const TuneReport &report, size_t candidate);

} // namespace tercet::tune
