// FakeBench: candidates with known costs on a made-up machine: times that drift, now and then take much longer, and pass on
// a clock of their own.
#pragma once

#include "tercet/autotune/Tuner.h"

#include <cmath>
#include <functional>
#include <random>

namespace tercet::tune {

struct FakeMachine {
  double prepareSeconds = 0.3, verifySeconds = 0.5;
  double jitter = 0.02;     ///< of every sample: log-normal, upwards
  double tail = 0.05;       ///< share of the samples with a Pareto tail
  double drift = 0.2;       ///< the machine's slow changes, up and down by this share
  double driftSeconds = 15; ///< their period
  double burst = 0.02;      ///< chance that a neighbour comes, who stays for a while and takes half
};

class FakeBench final : public Bench {
public:
  FakeBench(std::vector<double> costs, uint64_t seed, FakeMachine machine = {})
      : costs(std::move(costs)), machine(machine), random(seed), isReleased(this->costs.size(), false) {
    phase = uniform(random) * 6.3;
  }

  Status prepare(size_t candidate) override {
    prepared.push_back(candidate);
    now += machine.prepareSeconds * (0.5 + uniform(random));
    if (onPrepare)
      onPrepare(candidate);
    return failing == candidate ? Status::make(Code::compileFailed, "no code for it") : Status();
  }

  Result<Measurement> measure(size_t candidate) override {
    if (isReleased[candidate])
      return Status::make(Code::internal, "measured after its release");
    double time = costs[candidate] * (1 + machine.drift * std::sin(phase + 6.283 * now / machine.driftSeconds));
    time *= std::exp(std::abs(normal(random)) * machine.jitter);
    if (uniform(random) < machine.tail)
      time *= std::min(20.0, std::pow(1 - uniform(random), -0.7)); // a tail whose variance is infinite
    if (now > burstUntil && uniform(random) < machine.burst)
      burstUntil = now + uniform(random);
    if (now < burstUntil)
      time *= 1.7;
    now += time / 1e3;
    if (onMeasure)
      onMeasure(candidate);
    return Measurement{time, 0};
  }

  Status verify(size_t candidate) override {
    now += machine.verifySeconds;
    return wrong == candidate ? Status::make(Code::internal, "o differs") : Status();
  }

  void release(size_t candidate) override { isReleased[candidate] = true; }
  double seconds() override { return now; }

  std::optional<size_t> failing, wrong;
  std::function<void(size_t)> onPrepare, onMeasure;
  std::vector<size_t> prepared;
  double now = 100;

private:
  std::vector<double> costs;
  FakeMachine machine;
  std::mt19937_64 random;
  std::uniform_real_distribution<double> uniform{0, 1};
  std::normal_distribution<double> normal;
  std::vector<bool> isReleased;
  double phase = 0, burstUntil = 0;
};

/// `count` candidates without knobs; `predicted` in the order given.
inline Space plainSpace(const std::vector<double> &predicted) {
  Space space{"cpu", {}};
  for (size_t i = 0; i < predicted.size(); ++i)
    space.candidates.push_back({"s" + std::to_string(i), {{"id", std::to_string(i)}}, predicted[i]});
  return space;
}

} // namespace tercet::tune
