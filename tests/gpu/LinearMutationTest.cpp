// Bugs put one by one into the kernels of the gradients of a linear branch, each found by running the backward with it.
#include "gpu/EditedPlan.h"
#include "gpu/SimulatedGradients.h"

namespace tercet::test {
namespace {

/// Heads that share keys, several pairs in a group, tails, lengths, and a denominator that eps is a part of.
const Case sample{.name = "edited",
                  .spec = "sla",
                  .settings = {{"block_q", "64"}, {"block_k", "32"}},
                  .parameters = {{"keep", 0.3}, {"drop", 0.2}, {"eps", 0.3}},
                  .shape = {.batch = 3, .heads = 8, .headsKV = 4, .tokensQ = 75, .tokensK = 90, .headDim = 16},
                  .dtype = DType::bf16,
                  .queryLengths = {75, 40, 66},
                  .keyLengths = {90, 50, 20},
                  .poison = true};

rt::SimulationOptions bounded(rt::SimulationOptions options) {
  options.launch.maxInstructions = 4000000;
  options.launch.checks.races = true;
  return options;
}

SimulatedBackend &plainBackend() {
  static SimulatedBackend backend("sim:sm_80", bounded({}));
  return backend;
}
SimulatedBackend &adversarialBackend() {
  static SimulatedBackend backend("sim:sm_80", bounded(rt::adversarialSimulation(3)));
  return backend;
}

/// A backward whose inputs a forward saved.
class EditedBackward {
public:
  EditedBackward(const Artifact &artifact, const Spec &spec, const Arguments &inputs, const Arguments &outputs)
      : artifact(artifact), program(programOf(spec)), inputs(takenBy(artifact.signature(), inputs)),
        outputs(takenBy(artifact.signature(), outputs)), known(inputs) {
    std::erase_if(known.tensors, [](const auto &named) {
      return named.first == "o" || named.first == "lse" || named.first == "lse_rest";
    });
  }

  /// What is wrong with the gradients where a kernel has this text; empty if nothing. Called on several threads.
  std::string findFault(const std::string &kernel, const std::string &edited) const {
    Result<Artifact> changed = withEditedKernel(artifact, kernel, edited, "sm_80");
    if (!changed.ok())
      return changed.status().message();
    for (SimulatedBackend *backend : {&plainBackend(), &adversarialBackend()}) {
      reference::Data got;
      for (const auto &[name, tensor] : outputs.tensors)
        got.tensors.emplace_back(
            name, reference::OwnedTensor::make(tensor.dtype, {tensor.shape.begin(), tensor.shape.begin() + tensor.rank},
                                               0xff));
      if (Status status = backend->run(*changed, inputs, got.arguments()); !status.ok())
        return status.message();
      reference::CheckOptions options;
      options.probabilities = sample.dtype;
      Result<reference::Verdict> verdict = reference::checkGradients(program, known, got.arguments(), options);
      if (!verdict.ok())
        return verdict.status().message();
      if (!verdict->passed)
        return verdict->reason;
    }
    return "";
  }

private:
  Artifact artifact;
  reference::Program program;
  Arguments inputs, outputs, known; ///< known: to the oracle
};

void requireFound(const std::vector<std::pair<const char *, std::vector<KernelEdit>>> &kernels) {
  GradientRun run(sample);
  run.run([&](const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs) {
    if (problem.direction == Direction::forward)
      return runTaken(plainBackend(), spec, problem, inputs, outputs);
    auto kernel = plainBackend().kernelFor(spec, problem);
    INFO(kernel.status().message());
    REQUIRE(kernel.ok());
    const Artifact &artifact = (*kernel)->artifact();
    EditedBackward backward(artifact, spec, inputs, outputs);
    for (const auto &[name, edits] : kernels) {
      INFO(name);
      BugCount count =
          countBugs(sourceOf(artifact, name), edits, [&, name = std::string(name)](const std::string &edited) {
            return backward.findFault(name, edited);
          });
      CHECK(count.bugs >= 3);
      CHECK(count.found == count.bugs);
    }
  });
}

const std::vector<KernelEdit> queryEdits = {
    {"BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0", "0"},
    {"(quad_add(d[half]) - eps * s[half])", "quad_add(d[half])"},
    {"(d[half] + s[half]) * eps", "d[half] * eps"},
    {"(g.at[i] - d[half] * z.x)", "g.at[i]"},
    {"return f * (derivative - mean);", "return f * derivative;"},
    {"__shfl_sync(whole_warp, pair, from + 4)", "__shfl_sync(whole_warp, pair, from)"},
    {"row % 2 == 0 ? (first & 0xffff)", "row % 2 != 0 ? (first & 0xffff)"},
    {"multiply<bf16>(c, a.high, rest.x, rest.y);", "multiply<bf16>(c, a.high, x.x, x.y);"},
    {"r < live && denominator != 0", "denominator != 0", "features of rows beyond the length are 0"},
};

const std::vector<KernelEdit> queryStateEdits = {
    {"return reciprocals[r];", "return 1;"},
    {"? -sums[r]", "? sums[r]"},
    {"in_block = live_in_block<BLOCK>(live, block)", "in_block = BLOCK"},
    {"at = (gr * blocks + block) * State::columns", "at = block * State::columns"},
    {"first = block * BLOCK", "first = 0"},
    {"if (r < live)\n      factor *= factor_of(r);", ""},
};

const std::vector<KernelEdit> transposeEdits = {
    {">> (j % 64) & 1", ">> (i % 64) & 1"},
    {"<< i;", "<< (i ^ 1);"},
    {"(g * lines + 64 * word) * words", "64 * word * words"},
    {"(g * key_blocks + j) * ceil_div", "j * ceil_div"},
};

const std::vector<KernelEdit> keyEdits = {
    {"key_block = BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0", "key_block = 0"},
    {"g.at[i] += i % 2 == 0 ? z.x : z.y;", ""},
    {"mean[half] = quad_add(mean[half]);", ""},
    {"return f * (derivative - mean);", "return f * derivative;"},
    {"add_times_state(y, state, col, features_of);", ""},
    {"((n + col / 16) * (DV / 8) + 2 * k)", "((n + col / 16) * (DV / 8) + 2 * k + 1)"},
};

const std::vector<KernelEdit> projectEdits = {
    {"x.y - rows.centre[c + 1]", "x.y"},
    {"uint2{x[0], x[4]}", "uint2{x[0], x[0]}"},
    {"lane() / 4 * (PADDED / 2)", "lane() / 8 * (PADDED / 2)"},
};

const std::vector<KernelEdit> centreEdits = {
    {"x = to_float(line[0]) + to_float(line[PADDED * PADDED])", "x = 0"},
    {"weight) + e * PADDED + c", "weight) + c * PADDED + e"},
    {"fmaf(x, centre.base[c], sum)", "sum"},
};

const std::vector<KernelEdit> weightEdits = {
    {"col + 16 * m + 8 * half", "col + 16 * m"},
    {"16 * block + 8 * n + 2", "16 * block + 2"},
    {"in_part = live_in_block<BLOCK>(live, block)", "in_part = BLOCK"},
    {"tile.add(values, others);", ""},
};

const std::vector<KernelEdit> sumEdits = {
    {"p * SIZE + row * PADDED", "row * PADDED"},
    {"row * row_stride + col * col_stride", "col * row_stride + row * col_stride"},
    {"index p = 0; p < count", "index p = 1; p < count"},
};

const std::vector<KernelEdit> passEdits = {
    {"tile.at[i] += pair.x;", ""},
    {"tile.at[i + 1] += pair.y;", "tile.at[i + 1] += pair.x;"},
    {"kept.row(r)", "kept.row(row)"},
};

} // namespace

TEST_CASE("bugs in linear gradients of queries are found by running them", "[mutation]") {
  requireFound({{"query_gradient", queryEdits}, {"query_states", queryStateEdits}, {"gradient_queries", passEdits}});
}

TEST_CASE("bugs in linear gradients of keys are found by running them", "[mutation]") {
  requireFound({{"transpose_bits", transposeEdits}, {"key_gradient", keyEdits}, {"gradient_keys", passEdits}});
}

TEST_CASE("bugs in gradients of projections are found by running them", "[mutation]") {
  requireFound({{"project_values", projectEdits},
                {"value_centre", centreEdits},
                {"weight_part", weightEdits},
                {"sum_weight", sumEdits}});
}

} // namespace tercet::test
