// Micro: the questions a code generator has for a processor, one function per file, answered in parts of the FMA peak.
#pragma once

#include "tercet/Cpu.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tercet::bench {

/// One answer. value is the median of the repetitions, in `unit`.
struct Finding {
  std::string group, name, unit;
  double q1 = 0, median = 0, q3 = 0;
};

/// Collects findings and prints each as it comes.
class Findings {
public:
  explicit Findings(int repetitions) : repetitions(repetitions) {}
  /// Times `work`, repeated until it lasts a millisecond. `amount` of it is done per call.
  /// peakFraction: amount is floating-point operations; the finding is the fraction of the peak (of `level`).
  void peakFraction(std::string group, std::string name, double amount, const std::function<void()> &work,
                    std::optional<CpuLevel> level = {});
  /// Slots: the number of vector FMA issue slots (lanes floats wide) that one unit of `amount` costs.
  void slots(std::string group, std::string name, double amount, int lanes, const std::function<void()> &work);
  const std::vector<Finding> &all() const { return findings; }

private:
  std::vector<double> rates(double amount, const std::function<void()> &work, std::optional<CpuLevel> level);
  void add(Finding finding);

  int repetitions;
  std::vector<Finding> findings;
};

/// huge: the system is asked for 2 MiB pages.
enum class Pages { normal, huge };

/// Page-aligned floats, filled with a fixed pattern in (0, 1).
class Floats {
public:
  explicit Floats(size_t count, Pages pages = Pages::normal);
  ~Floats();
  Floats(const Floats &) = delete;
  Floats &operator=(const Floats &) = delete;
  float *data() { return values; }
  size_t size() const { return count; }

private:
  size_t count;
  float *values;
};

void instructionRates512(Findings &findings); ///< issue slots of single instructions
void exp2Variants512(Findings &findings);     ///< ways to compute 2^x
void matrixTiles512(Findings &findings);      ///< register tiles, 512-bit
void attendStep512(Findings &findings);       ///< scores, exponential and value product together
void listedBlocks512(Findings &findings);     ///< the same over lists of key blocks of a long sequence
void matrixTiles256(Findings &findings);      ///< register tiles, 256-bit
void exp2Variants256(Findings &findings);     ///< ways to compute 2^x, 256-bit
void attendStep256(Findings &findings);       ///< the step with 16 registers: tiles through memory, panels
void listedBlocks256(Findings &findings);     ///< the same over lists of key blocks of a long sequence
void aggregation512(Findings &findings);      ///< sums of listed rows
void transposingPack512(Findings &findings);  ///< K to K^T tiles

} // namespace tercet::bench
