// GradientRun: forward and backward of a case through a Session, as a host that trains runs them: the forward saves, the backward
// takes what it saved.
#pragma once

#include "NaiveGradient.h"
#include "RunSpec.h"

#include "tercet/Cpu.h"
#include "tercet/Jit.h"
#include "tercet/dialect/reference/Gradients.h"

#include <functional>
#include <map>
#include <random>
#include <set>

namespace tercet::test {

inline void launch(const Kernel &kernel, const Arguments &arguments) {
  Result<size_t> bytes = kernel.workspaceBytes(arguments);
  INFO(bytes.status().message());
  REQUIRE(bytes.ok());
  std::vector<float> memory(*bytes / 4 + 16, std::nanf("")); // what is there must not matter
  void *workspace = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  Status status = kernel.launch(arguments, workspace, *bytes);
  INFO(status.message());
  REQUIRE(status.ok());
}

/// Those of these arguments that a plan takes.
inline Arguments takenBy(const PlanSignature &signature, Arguments arguments) {
  std::erase_if(arguments.tensors, [&](const auto &named) { return !signature.find(named.first); });
  return arguments;
}

/// A case with dO, and the two kernels of its spec.
class GradientRun {
public:
  explicit GradientRun(const Case &entry) : entry(entry), prepared(prepare(entry)) {
    const Tensor &q = prepared.inputs["q"], &v = prepared.inputs["v"];
    gradient = makeLike({q.shape[0], q.shape[1], q.shape[2], v.shape[3]}, entry.dtype);
    std::mt19937_64 random(entry.seed + 17);
    std::normal_distribution<double> normal;
    for (int64_t b = 0; b < q.shape[0]; ++b)
      for (int64_t h = 0; h < q.shape[1]; ++h)
        for (int64_t i = 0; i < q.shape[2]; ++i)
          for (int64_t c = 0; c < v.shape[3]; ++c) {
            bool beyond = !entry.queryLengths.empty() && i >= entry.queryLengths[static_cast<size_t>(b)];
            gradient.view().set(beyond && entry.poison ? NAN : normal(random), b, h, i, c);
          }
  }

  /// Runs a kernel of the spec, forward or backward.
  using Launch = std::function<void(const Spec &, const Problem &, const Arguments &inputs, const Arguments &outputs)>;

  Gradients run(const std::string &target, int threads = 1) {
    return run([&](const Spec &spec, Problem problem, const Arguments &inputs, const Arguments &outputs) {
      problem.target = target;
      Arguments all = inputs;
      all.tensors.insert(all.tensors.end(), outputs.tensors.begin(), outputs.tensors.end());
      std::shared_ptr<Kernel> kernel = compile(spec, problem, threads);
      launch(*kernel, takenBy(kernel->artifact().signature(), std::move(all)));
    });
  }

  Gradients run(const Launch &launch) {
    const Tensor &q = prepared.inputs["q"], &v = prepared.inputs["v"];
    int64_t B = q.shape[0], H = q.shape[1], N = q.shape[2];
    reference::OwnedTensor o = makeLike({B, H, N, v.shape[3]}, entry.dtype),
                           wide = makeLike({B, H, N, v.shape[3]}, DType::f32),
                           lse = reference::OwnedTensor::make(DType::f32, {B, H, N}, 0xff),
                           rest = reference::OwnedTensor::make(DType::f32, {B, H, N}, 0xff);
    Arguments saved, backward = prepared.arguments;
    saved.tensors = {{"o", o.view()}, {"lse", lse.view()}, {"lse_rest", rest.view()}};
    bool isWide = entry.dtype != DType::f32 || prepared.spec.text.find("tercet.linear") != std::string::npos;
    if (isWide)
      saved.tensors.emplace_back("o_wide", wide.view());
    reference::OwnedTensor classes;
    if (prepared.program.selection) {
      classes = reference::OwnedTensor::make(DType::i8, shapeOf(prepared.outputs["classes"]), 3);
      saved.tensors.emplace_back("classes_out", classes.view());
    }
    Problem problem = prepared.problem;
    problem.direction = Direction::forward;
    launch(prepared.spec, problem, prepared.arguments, saved);

    outputs = {};
    for (auto [name, of] : {std::pair{"dq", "q"}, {"dk", "k"}, {"dv", "v"}})
      outputs.tensors.emplace_back(name, makeLike(shapeOf(prepared.inputs[of]), entry.dtype));
    for (const auto &[name, tensor] : prepared.inputs.tensors)
      if ((isWeight(name) || (makesTables && isTable(name))) && !unwanted.contains("d" + name))
        outputs.tensors.emplace_back("d" + name, makeFull(shapeOf(tensor.view())));
    std::erase_if(backward.tensors, [](const auto &named) { return named.first == "classes"; });
    backward.tensors.insert(backward.tensors.end(), {{"do", gradient.view()},
                                                     {"o", isWide ? wide.view() : o.view()},
                                                     {"lse", lse.view()},
                                                     {"lse_rest", rest.view()}});
    if (classes.view())
      backward.tensors.emplace_back("classes", classes.view());
    problem.direction = Direction::backward;
    launch(prepared.spec, problem, backward, outputs.arguments());
    Gradients result{made("dq"), made("dk"), made("dv")};
    kept = std::move(classes);
    return result;
  }

  /// Gradients of weights that no run makes.
  GradientRun &without(std::set<std::string> names) {
    unwanted = std::move(names);
    return *this;
  }

  /// Also gradients of tables.
  GradientRun &withTables() {
    makesTables = true;
    return *this;
  }

  /// A gradient that the last run made.
  std::vector<double> made(std::string_view name) const { return valuesOf(outputs[name]); }

  /// Takes the tokens of another run in place of its own: of the same head and batch, or of the first ones.
  void copyTokens(const GradientRun &from, bool sameHead) {
    for (const char *name : {"q", "k", "v", "do"})
      replace(name, remapped(from[name], shapeOf(name), [&](Index4 at) {
                return Index4{0, sameHead ? at[1] : 0, at[2], at[3]};
              }));
  }

  /// Of the last run: all that it made, weights' gradients too, against the oracle, within the contract. probabilities: what the
  /// target rounds P and dS to.
  reference::Verdict verdict(DType probabilities = DType::f32) const {
    Arguments inputs = prepared.arguments, got = outputs.arguments();
    inputs.tensors.emplace_back("do", gradient.view());
    if (kept.view())
      got.tensors.emplace_back("classes", kept.view());
    reference::CheckOptions options = checkOptions(entry);
    options.probabilities = probabilities;
    Result<reference::Verdict> verdict = reference::checkGradients(prepared.program, inputs, got, options);
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    return *std::move(verdict);
  }

  /// What the gradients are for the classes of the last run.
  NaiveAttention naive() const {
    NaiveAttention attention;
    attention.q = prepared.inputs["q"];
    attention.k = prepared.inputs["k"];
    attention.v = prepared.inputs["v"];
    attention.gradient = gradient.view();
    attention.scale = 1 / std::sqrt(static_cast<double>(attention.q.shape[3]));
    attention.queryLengths = entry.queryLengths;
    attention.keyLengths = entry.keyLengths;
    if (prepared.program.selection)
      attention.allowed = [classes = kept.view(), bq = prepared.program.selection->blockQ,
                           bk = prepared.program.selection->blockK](int64_t b, int64_t h, int64_t i, int64_t j) {
        return classes.get(b, h, i / bq, j / bk) == 1;
      };
    return attention;
  }

  /// An input, or do.
  const Tensor &operator[](std::string_view name) const {
    return name == "do" ? gradient.view() : prepared.inputs[name];
  }
  std::vector<int64_t> shapeOf(std::string_view name) const { return shapeOf((*this)[name]); }
  void replace(std::string_view name, reference::OwnedTensor tensor) {
    if (name == "do") {
      gradient = std::move(tensor);
      return;
    }
    for (auto &[input, owned] : prepared.inputs.tensors)
      if (input == name)
        owned = std::move(tensor);
    prepared.arguments.tensors = prepared.inputs.arguments().tensors;
  }

private:
  Case entry;
  PreparedCase prepared;
  reference::OwnedTensor gradient, kept;
  reference::Data outputs;
  std::set<std::string> unwanted;

  bool makesTables = false;

  bool isTable(std::string_view name) const {
    std::vector<std::string> inputs = reference::differentiableInputs(prepared.program);
    return name != "q" && name != "k" && name != "v" && !isWeight(name) &&
           std::find(inputs.begin(), inputs.end(), name) != inputs.end();
  }
  static bool isWeight(std::string_view name) { return name == "w" || name == "b"; }
  reference::OwnedTensor makeFull(std::vector<int64_t> shape) const {
    std::vector<int64_t> padding(shape.size(), entry.layout == Layout::padded ? 3 : 0);
    return reference::OwnedTensor::makeStrided(DType::f32, std::move(shape), padding);
  }
  static std::vector<int64_t> shapeOf(const Tensor &tensor) {
    return {tensor.shape.begin(), tensor.shape.begin() + tensor.rank};
  }

  /// Full of NaN, in the case's layout.
  reference::OwnedTensor makeLike(std::vector<int64_t> shape, DType dtype) const {
    std::vector<int64_t> padding =
        entry.layout == Layout::padded ? std::vector<int64_t>{1, 1, 3, 5} : std::vector<int64_t>(4, 0);
    return reference::OwnedTensor::makeStrided(dtype, std::move(shape), padding);
  }

  /// Kept for the whole test run, as are the sessions.
  static std::shared_ptr<Kernel> compile(const Spec &spec, const Problem &problem, int threads) {
    static std::map<int, std::unique_ptr<Session>> sessions;
    static std::map<std::string, std::shared_ptr<Kernel>> kernels;
    std::string key =
        fmt::format("{} {} {} {} {} {} {}", spec.text, problem.headDim, problem.valueDim, dtypeName(problem.dtype),
                    problem.target, threads, static_cast<int>(problem.direction));
    for (const auto &[name, value] : spec.settings)
      key += fmt::format(" {}={}", name, value);
    std::shared_ptr<Kernel> &kernel = kernels[key];
    if (kernel)
      return kernel;
    if (!sessions[threads]) {
      auto session = Session::create({.threads = threads, .useCache = false}, makeCompiler());
      REQUIRE(session.ok());
      sessions[threads] = *std::move(session);
    }
    Result<std::shared_ptr<Kernel>> compiled = sessions[threads]->compile(spec, problem);
    INFO(compiled.status().message());
    REQUIRE(compiled.ok());
    return kernel = *compiled;
  }
};

inline double normOf(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

/// f32: rounding of sums. 16 bits: one rounding of the result, 2^-9 or 2^-12, and room for what is summed before it.
inline void checkGradients(const Gradients &got, const Gradients &expected, DType dtype) {
  double bound = dtype == DType::f32 ? 1e-5 : 1e-2;
  for (auto [name, of] : {std::pair{"dq", &Gradients::dq}, {"dk", &Gradients::dk}, {"dv", &Gradients::dv}}) {
    INFO(name);
    CHECK(distance(got.*of, expected.*of) <= bound);
    double size = normOf(expected.*of), ratio = size == 0 ? 1 : normOf(got.*of) / size;
    CHECK((ratio > 0.98 && ratio < 1.02));
  }
}

/// The same bits.
inline void checkSame(const Gradients &got, const Gradients &expected) {
  CHECK(got.dq == expected.dq);
  CHECK(got.dk == expected.dk);
  CHECK(got.dv == expected.dv);
}

/// The same bits in every copy of what was expected of one.
inline void checkCopies(const Gradients &got, const Gradients &expected) {
  for (auto of : {&Gradients::dq, &Gradients::dk, &Gradients::dv})
    for (size_t index = 0; index < (got.*of).size(); ++index)
      REQUIRE((got.*of)[index] == (expected.*of)[index % (expected.*of).size()]);
}

/// The cpu targets that this machine runs.
inline std::vector<std::string> cpuTargets() {
  std::vector<std::string> targets;
  for (CpuLevel level : {CpuLevel::v4, CpuLevel::v3, CpuLevel::portable})
    if (level <= detectCpuLevel())
      targets.push_back("cpu:" + std::string(cpuLevelName(level)));
  return targets;
}

/// A case on these targets against the oracle, within the contract.
inline void checkOnCpus(const Case &entry) {
  GradientRun run(entry);
  run.withTables();
  for (const std::string &target : cpuTargets()) {
    run.run(target, 2);
    reference::Verdict verdict = run.verdict();
    INFO(target << " " << entry.name << " " << entry.describe() << ": " << reference::describe(verdict));
    CHECK(verdict.passed);
  }
}

/// The same bits on any number of threads, and run after run.
inline void checkThreads(const Case &entry) {
  GradientRun run(entry);
  for (const std::string &target : cpuTargets()) {
    Gradients alone = run.run(target, 1);
    for (int threads : {1, 2, 3, 7}) {
      INFO(target << " on " << threads << " threads");
      checkSame(run.run(target, threads), alone);
    }
  }
}

} // namespace tercet::test
