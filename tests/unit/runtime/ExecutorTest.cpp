#include "SamplePlan.h"

#include "tercet/rt/CpuKernel.h"
#include "tercet/rt/Grouping.h"

#include <catch2/catch.hpp>

#include <bit>
#include <cstring>
#include <thread>

using namespace tercet;

namespace {

/// Counts the passes over each (pair, slice); o[b, h, n, :] += keep * q[b, h, n, :] once per slice.
/// slots: q o lse rows keep G0 G S0 S depth qStrideN lsePresent. H = 2 * HKV, all tensors contiguous with N = 5.
void scaleRows(const int64_t *slots, int64_t item, int64_t item1, int64_t item2, char *scratch) {
  constexpr int64_t tokens = 5, dim = 4;
  const float *q = reinterpret_cast<const float *>(slots[0]);
  float *o = reinterpret_cast<float *>(slots[1]), *lse = reinterpret_cast<float *>(slots[2]);
  auto *line = reinterpret_cast<float *>(slots[3] + item * 64);
  std::memset(scratch, 0xff, 100);
  std::memset(line, 0, 64);
  int64_t head = slots[5] * 2 + item; // pairs are (batch, KV head), so heads of a group are contiguous
  float keep = static_cast<float>(std::bit_cast<double>(slots[4]));
  for (int64_t n = 0; n < tokens; ++n)
    for (int64_t c = 0; c < dim; ++c)
      o[(head * tokens + n) * dim + c] +=
          static_cast<float>(slots[8]) * keep * q[head * tokens * dim + n * slots[10] + c];
  if (slots[11])
    for (int64_t n = 0; n < tokens; ++n)
      lse[head * tokens + n] += static_cast<float>(slots[8] * slots[9] + item1 + item2);
}

struct Run {
  std::vector<float> q, k, v, o, lse;
  Arguments arguments;
  Run(int64_t batch, int64_t headsKV) {
    int64_t heads = 2 * headsKV;
    q.resize(size_t(batch * heads * 5 * 4));
    k.resize(size_t(batch * headsKV * 7 * 4));
    v = k;
    for (size_t i = 0; i < q.size(); ++i)
      q[i] = float(i % 31);
    o.resize(q.size());
    lse.resize(size_t(batch * heads * 5));
    arguments.tensors = {{"q", Tensor::contiguous(q.data(), DType::f32, {batch, heads, 5, 4})},
                         {"k", Tensor::contiguous(k.data(), DType::f32, {batch, headsKV, 7, 4})},
                         {"v", Tensor::contiguous(v.data(), DType::f32, {batch, headsKV, 7, 4})},
                         {"o", Tensor::contiguous(o.data(), DType::f32, {batch, heads, 5, 4})},
                         {"lse", Tensor::contiguous(lse.data(), DType::f32, {batch, heads, 5})}};
  }
  Tensor &tensor(const std::string &name) {
    for (auto &[known, tensor] : arguments.tensors)
      if (known == name)
        return tensor;
    throw std::out_of_range(name);
  }
};

std::shared_ptr<Kernel> sampleKernel(int threads = 2, int64_t budget = 4096) {
  Artifact artifact = test::samplePlanArtifact();
  artifact.modules[0].plan.grouping.budgetBytes = budget;
  Result<std::shared_ptr<Kernel>> kernel =
      rt::makeCpuKernel(std::make_shared<const Artifact>(std::move(artifact)), {{"scale_rows", {scaleRows, 100}}},
                        std::make_shared<const rt::Workers>(threads));
  REQUIRE(kernel.ok());
  return *kernel;
}

/// Workspace of the size that the kernel asks for, filled with a pattern that no result may depend on.
struct Workspace {
  std::vector<char> bytes;
  void *data = nullptr;
  size_t size;
  explicit Workspace(size_t size) : bytes(size + 64, char(0xcd)), size(size) {
    data = bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64);
  }
};

Status launch(const Kernel &kernel, const Arguments &arguments, LaunchReport *report = nullptr) {
  Result<size_t> size = kernel.workspaceBytes(arguments);
  if (!size.ok())
    return size.takeStatus();
  Workspace workspace(*size);
  return kernel.launch(arguments, workspace.data, workspace.size, report);
}

/// The message of a launch that must be refused, with nothing written.
std::string refusal(Run &run) {
  std::vector<float> before = run.o;
  auto kernel = sampleKernel();
  Workspace workspace(1 << 20);
  Status status = kernel->launch(run.arguments, workspace.data, workspace.size);
  CHECK(status.code() == Code::invalidArgument);
  CHECK(run.o == before);
  return status.message();
}

} // namespace

TEST_CASE("a plan visits every head and slice once, whatever the groups and threads", "[executor]") {
  for (int64_t budget : {1, 112, 300, 700, 5000, 1000000})
    for (int threads : {1, 2, 5})
      for (int64_t batch : {1, 3}) {
        Run run(batch, 3);
        REQUIRE(launch(*sampleKernel(threads, budget), run.arguments).ok());
        INFO("budget " << budget << ", threads " << threads << ", batch " << batch);
        for (size_t i = 0; i < run.o.size(); ++i)
          if (std::abs(run.o[i] - 3 * 0.05f * run.q[i]) > 1e-5f)
            FAIL("o[" << i << "] is " << run.o[i]);
        CHECK(run.lse == std::vector<float>(run.lse.size(), 9));
      }
}

TEST_CASE("absent optional tensors arrive as null and runtime parameters as given", "[executor]") {
  Run run(1, 1);
  run.arguments.tensors.pop_back();
  run.arguments.parameters = {{"keep", 0.5}, {"depth", 4}};
  REQUIRE(launch(*sampleKernel(), run.arguments).ok());
  CHECK(run.o[7] == Approx(3 * 0.5 * run.q[7]));
}

TEST_CASE("the report names stages and executed operations", "[executor]") {
  Run run(2, 3);
  LaunchReport report;
  REQUIRE(launch(*sampleKernel(2, 300), run.arguments, &report).ok());
  REQUIRE(report.stageMs.size() == 1);
  CHECK(report.stageMs[0].first == "attend");
  CHECK(report.totalMs >= report.stageMs[0].second);
  // 300 bytes hold 2 units of 112: passes of 2 slices, groups of 1 pair; 2 passes * 6 pairs * N * 2.
  CHECK(report.stageFlops["attend"] == 2 * 6 * 5 * 2);
}

TEST_CASE("launches from many threads do not disturb each other", "[executor]") {
  auto kernel = sampleKernel(4);
  std::vector<Run> runs;
  for (int i = 0; i < 4; ++i)
    runs.emplace_back(2, 4);
  for (Run &run : runs)
    for (auto [name, data] : {std::pair{"q", &run.q}, {"k", &run.k}, {"v", &run.v}, {"o", &run.o}, {"lse", &run.lse}})
      run.tensor(name).data = data->data();
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (Run &run : runs)
    threads.emplace_back([&] {
      for (int repetition = 0; repetition < 50; ++repetition)
        failures += !launch(*kernel, run.arguments).ok();
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(failures == 0);
  for (Run &run : runs)
    CHECK(run.lse == std::vector<float>(run.lse.size(), 50 * 9));
}

TEST_CASE("an embedder's threads run the items, and its mistakes are reported", "[executor]") {
  auto kernelOn = [](ParallelFor hook) {
    return *rt::makeCpuKernel(std::make_shared<const Artifact>(test::samplePlanArtifact()),
                              {{"scale_rows", {scaleRows, 100}}},
                              std::make_shared<const rt::Workers>(2, std::move(hook)));
  };
  Run run(1, 2);
  CHECK(launch(*kernelOn([](int64_t count, const WorkItem &body) {
          for (int64_t item = count; item-- > 0;)
            body(item, int(item % 2));
        }),
               run.arguments)
            .ok());
  CHECK(run.lse == std::vector<float>(run.lse.size(), 9));
  CHECK(launch(*kernelOn([](int64_t count, const WorkItem &body) { body(0, 2); }), run.arguments).code() ==
        Code::launchFailed);
  CHECK(launch(*kernelOn([](int64_t, const WorkItem &) {}), run.arguments).code() == Code::launchFailed);
  CHECK(
      launch(*kernelOn([](int64_t, const WorkItem &) { throw std::runtime_error("busy"); }), run.arguments).message() ==
      "the embedder's parallelFor threw: busy");
}

TEST_CASE("workspace that is too small or misaligned is refused", "[executor]") {
  Run run(1, 1);
  auto kernel = sampleKernel();
  size_t size = *kernel->workspaceBytes(run.arguments);
  Workspace workspace(size);
  CHECK(kernel->launch(run.arguments, workspace.data, size - 1).code() == Code::invalidArgument);
  CHECK(kernel->launch(run.arguments, static_cast<char *>(workspace.data) + 8, size).code() == Code::invalidArgument);
  CHECK(kernel->launch(run.arguments, nullptr, size).code() == Code::invalidArgument);
}

TEST_CASE("workspace needs are known before there is data", "[executor]") {
  Run run(2, 2);
  auto kernel = sampleKernel();
  size_t size = *kernel->workspaceBytes(run.arguments);
  for (auto &[name, tensor] : run.arguments.tensors)
    tensor.data = nullptr;
  CHECK(*kernel->workspaceBytes(run.arguments) == size);
}

TEST_CASE("arguments that do not fit are refused by name, with what is legal", "[arguments]") {
  Run run(2, 2);
  auto fails = [&](const std::string &part) {
    std::string message = refusal(run);
    CHECK_THAT(message, Catch::Contains(part));
  };
  SECTION("unknown name") {
    run.arguments.tensors.emplace_back("qq", run.tensor("q"));
    fails("there is no tensor 'qq'; this kernel takes q, k, v, q_len, k_len, o, lse; did you mean 'q'?");
  }
  SECTION("twice") {
    run.arguments.tensors.emplace_back("q", run.tensor("q"));
    fails("tensor 'q' is given twice");
  }
  SECTION("missing") {
    run.tensor("k").data = nullptr;
    fails("tensor 'k' is missing");
  }
  SECTION("rank") {
    run.tensor("q").rank = 3;
    fails("'q' is [2, 4, 5] f32; it must have 4 dimensions: [batch, heads, tokens, head dimension]");
  }
  SECTION("absurd rank") {
    run.tensor("q").rank = 400;
    fails("'q' has rank 400");
  }
  SECTION("dtype") {
    run.tensor("v").dtype = DType::f16;
    fails("'v' is [2, 2, 7, 4] f16; this kernel is compiled for f32");
  }
  SECTION("zero size") {
    run.tensor("k").shape[2] = 0;
    fails("its tokens must be at least 1");
  }
  SECTION("negative size") {
    run.tensor("q").shape[0] = -1;
    fails("its batch must be at least 1");
  }
  SECTION("head dimension") {
    run.tensor("q").shape[3] = 3;
    fails("compiled for head dimension 4 and value dimension 4");
  }
  SECTION("heads") {
    run.tensor("q").shape[1] = 3;
    fails("'q' has 3 heads and 'k' 2; the former must be a multiple of the latter");
  }
  SECTION("shapes that disagree") {
    run.tensor("v").shape[2] = 6;
    fails(
        "'v' is [2, 2, 6, 4] f32; with 'q' [2, 4, 5, 4] f32, 'k' [2, 2, 7, 4] f32 and 'v' [2, 2, 6, 4] f32 it must be "
        "[2, 2, 7, 4]");
  }
  SECTION("output shape") {
    run.tensor("o").shape[2] = 4;
    fails("it must be [2, 4, 5, 4]");
  }
  SECTION("last stride") {
    run.tensor("q").strides[3] = 2;
    fails("'q' has stride 2 along its last dimension; it must be 1");
  }
  SECTION("huge stride") {
    run.tensor("q").strides[0] = INT64_MIN;
    fails("spans more than 2^62 bytes");
  }
  SECTION("overlapping output") {
    run.tensor("o").strides[1] = 0;
    fails("elements of an output must not share addresses");
  }
  SECTION("misaligned") {
    run.tensor("q").data = reinterpret_cast<char *>(run.q.data()) + 1;
    fails("it must be a multiple of its element size, 4");
  }
  SECTION("lengths") {
    int32_t lengths[] = {7, 8};
    run.arguments.tensors.emplace_back("k_len", Tensor::contiguous(lengths, DType::i32, {2}));
    fails("'k_len' is 8 for batch 1; it must be from 0 to 7, the number of tokens");
  }
  SECTION("unknown parameter") {
    run.arguments.parameters = {{"kep", 0.1}};
    fails("there is no runtime parameter 'kep'; this kernel has keep, drop, depth; did you mean 'keep'?");
  }
  SECTION("not finite") {
    run.arguments.parameters = {{"keep", std::nan("")}};
    fails("parameter 'keep' is nan; it must be finite");
  }
  SECTION("out of range") {
    run.arguments.parameters = {{"keep", 1.5}};
    fails("parameter 'keep' is 1.5; it must be from 0 to 1");
  }
  SECTION("not whole") {
    run.arguments.parameters = {{"depth", 1.5}};
    fails("parameter 'depth' is 1.5; it must be a whole number");
  }
  SECTION("fractions that exceed one") {
    run.arguments.parameters = {{"keep", 0.8}, {"drop", 0.3}};
    fails("keep is 0.8 and drop is 0.3; as fractions they must not exceed 1 together");
  }
}

TEST_CASE("sizes that overflow are refused", "[arguments]") {
  Run run(1, 1);
  for (const char *name : {"k", "v"}) {
    run.tensor(name).shape[2] = int64_t{1} << 60;
    run.tensor(name).strides = {0, 0, 0, 1};
  }
  CHECK_THAT(refusal(run), Catch::Contains("the tensors are too large: M * 16 does not fit into 64 bits"));
}

TEST_CASE("groups fill the budget, slices first, and come out even", "[grouping]") {
  auto choose = [](int64_t unit, int64_t budget, int64_t slices, int64_t items, int64_t pairs, int threads) {
    rt::GroupingChoice choice = rt::chooseGrouping({unit, 0, budget, slices, 1, items, pairs, threads});
    return std::pair(choice.pairs, choice.slices);
  };
  using Choice = std::pair<int64_t, int64_t>;
  CHECK(choose(10, 0, 4, 1, 6, 2) == Choice(1, 1));
  CHECK(choose(10, 35, 4, 1, 6, 2) == Choice(1, 2)); // 3 would fit; 2 + 2 is even
  CHECK(choose(10, 90, 4, 1, 6, 2) == Choice(2, 4));
  CHECK(choose(10, 1000000, 4, 1, 6, 2) == Choice(6, 4));
  CHECK(choose(0, 0, 3, 4, 100, 2) == Choice(4, 3)); // 4 pairs * 4 items are 8 per thread
  CHECK(choose(0, 0, 1, 1000, 100, 2) == Choice(1, 1));
  CHECK(choose(0, 0, 1, 1, 5, 8) == Choice(5, 1));
}

TEST_CASE("query blocks go in passes where the states of all of them exceed the budget", "[grouping]") {
  auto choose = [](int64_t budget, int64_t rows) {
    rt::GroupingChoice choice = rt::chooseGrouping({100, 10, budget, 2, rows, 1, 4, 2});
    return std::tuple(choice.pairs, choice.slices, choice.rows);
  };
  using Choice = std::tuple<int64_t, int64_t, int64_t>;
  CHECK(choose(1000, 40) == Choice(1, 2, 40)); // 500 a slice
  CHECK(choose(500, 40) == Choice(1, 1, 40));
  CHECK(choose(499, 40) == Choice(1, 1, 20)); // 39 would fit; 20 + 20 is even
  CHECK(choose(300, 40) == Choice(1, 1, 20));
  CHECK(choose(100, 40) == Choice(1, 1, 8)); // 8 at the least
  CHECK(choose(50, 6) == Choice(1, 1, 6));
}
