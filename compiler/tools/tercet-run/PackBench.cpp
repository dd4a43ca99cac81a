#include "PackBench.h"

#include "BoundKernel.h"

#include <algorithm>
#include <chrono>

namespace tercet::run {
namespace {

/// Expected classes are known for the blocks of expected rows; what is not known is taken from what came, and so never differs.
std::vector<int8_t> classesFor(const tune::Pack &pack, const Tensor &got, int64_t blockQ) {
  const auto *bytes = static_cast<const int8_t *>(got.data);
  std::vector<int8_t> classes(bytes, bytes + got.elements());
  const Tensor rows = pack.find("rows")->view(), known = pack.find("classes")->view();
  const int64_t blocks = got.shape[3];
  for (int64_t slot = 0; slot < rows.shape[0]; ++slot) {
    auto field = [&](int64_t at) { return static_cast<int64_t>(rows.get(slot, at)); };
    int64_t first = ((field(0) * got.shape[1] + field(1)) * got.shape[2] + field(2) / blockQ) * blocks;
    std::copy_n(static_cast<const int8_t *>(known.data) + slot * blocks, blocks, classes.begin() + first);
  }
  return classes;
}

std::string failureOf(const CaseErrors &errors) {
  return fmt::format(
      "relative L2 error {:.3g} (bound {:.3g}), largest {:.3g} ({:.3g}), mean {:.3g} ({:.3g}), {} elements not "
      "finite, {} of {} rows in blocks of other classes",
      errors.o.relativeL2, errors.o.bounds.relativeL2, errors.o.max, errors.o.bounds.max, errors.o.mean,
      errors.o.bounds.mean, errors.o.nonFinite, errors.rowsElsewhere, errors.rows + errors.rowsElsewhere);
}

} // namespace

struct PackBench::Loaded {
  PlanSignature signature;
  std::optional<BoundKernel> kernel;
  std::unique_ptr<rt::GpuGraph> graph; ///< null on a CPU
};

PackBench::PackBench(const tune::Pack &pack, const tune::PackSpace &space, const RunTarget &target,
                     const std::vector<std::string> &excluded, int64_t *marker)
    : pack(pack), packed(space), target(target), excluded(excluded), marker(marker) {
  for (size_t number = 0; number < space.candidates.size(); ++number)
    if (space.candidates[number].refusal.empty())
      numbers.push_back(number);
  loaded.resize(numbers.size());
}

PackBench::~PackBench() = default;

tune::Space PackBench::space() const {
  tune::Space space{packed.kernel, {}};
  for (size_t number : numbers)
    space.candidates.push_back(packed.candidates[number].schedule);
  return space;
}

Status PackBench::prepare(size_t candidate) {
  const tune::PackCandidate &wanted = at(candidate);
  if (std::find(excluded.begin(), excluded.end(), wanted.schedule.text) != excluded.end())
    return Status::make(Code::launchFailed, "it hung, or ended the process, when it was launched before");
  TERCET_TRY(Artifact artifact, Artifact::parse(pack.artifacts[wanted.artifact]));
  if (artifact.specDigest != pack.key.spec || artifact.headDim != pack.key.headDim ||
      artifact.valueDim != pack.key.valueDim || dtypeName(artifact.dtype) != pack.key.dtype)
    return Status::make(Code::invalidArgument, "its artifact is one of another program than the pack says");
  auto entry = std::make_unique<Loaded>();
  entry->signature = artifact.signature();
  if (!call)
    call = std::make_unique<SeededCall>(makeSeededCall(artifact,
                                                       {pack.batch, pack.heads, pack.headsKV, pack.queries, pack.keys},
                                                       pack.parameters, pack.lse.has_value()));
  TERCET_TRY(std::shared_ptr<Kernel> kernel, target.session.load(std::move(artifact), target.target));
  TERCET_TRY(BoundKernel bound, BoundKernel::bind(std::move(kernel), target.device, call->arguments));
  entry->kernel.emplace(std::move(bound));
  if (marker)
    *marker = static_cast<int64_t>(numbers[candidate]);
  TERCET_RETURN_IF_ERROR(entry->kernel->launch().takeStatus());
  if (target.device && target.device->properties().runsCubin) {
    TERCET_TRY(entry->graph, entry->kernel->capture());
    TERCET_RETURN_IF_ERROR(entry->kernel->replay(*entry->graph));
  }
  if (marker)
    *marker = -1;
  loaded[candidate] = std::move(entry);
  return {};
}

Result<tune::Measurement> PackBench::measure(size_t candidate) {
  Loaded &entry = *loaded[candidate];
  if (!entry.graph) {
    TERCET_TRY(LaunchReport report, entry.kernel->launch());
    return tune::Measurement{report.totalMs};
  }
  constexpr int64_t replays = 5;
  TERCET_TRY(std::vector<double> ms, entry.kernel->timeReplays(*entry.graph, replays));
  std::sort(ms.begin(), ms.end());
  return tune::Measurement{ms[replays / 2]};
}

Status PackBench::verify(size_t candidate) {
  Loaded &entry = *loaded[candidate];
  TERCET_RETURN_IF_ERROR(entry.kernel->launch().takeStatus());
  TERCET_RETURN_IF_ERROR(entry.kernel->download());
  using Role = PlanArgument::Role;
  CaseEntry bounds;
  bounds.o = {pack.o.relativeL2, pack.o.max, pack.o.mean};
  std::map<std::string, Tensor> expected = {{"expected_rows", pack.find("rows")->view()},
                                            {"expected_o", pack.find("o")->view()}};
  std::map<std::string, Tensor> got = {{"o", *call->find(entry.signature, Role::output)}};
  if (pack.lse) {
    const Tensor *lse = call->find(entry.signature, Role::lse);
    if (!lse)
      return Status::make(Code::invalidArgument, "the pack expects a log-sum-exp, which its artifact does not give");
    bounds.hasLse = true;
    bounds.lse = {pack.lse->relativeL2, pack.lse->max, pack.lse->mean};
    expected["expected_lse"] = pack.find("lse")->view();
    got["lse"] = *lse;
  }
  std::vector<int8_t> classes;
  if (const Tensor *written = call->find(entry.signature, Role::classesOutput); written && pack.find("classes")) {
    if (pack.find("classes")->shape[1] != written->shape[3] || entry.signature.blockQ < 1)
      return Status::make(Code::invalidArgument, "the pack expects classes of another number of blocks");
    classes = classesFor(pack, *written, entry.signature.blockQ);
    bounds.hasClasses = true;
    expected["expected_classes"] = Tensor::contiguous(classes.data(), DType::i8, std::span(written->shape));
    got["classes"] = *written;
  }
  lastErrors = compareOutputs(bounds, entry.signature.blockQ, expected, got);
  // At most one block of rows may have classes of its own, for scores that fp32 cannot tell apart, and rows must be left to compare.
  if (lastErrors.passed() && lastErrors.classRowsDiffering <= 1 && lastErrors.rows > 0)
    return {};
  return Status::make(Code::launchFailed, "{}", failureOf(lastErrors));
}

void PackBench::release(size_t candidate) { loaded[candidate].reset(); }

double PackBench::seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace tercet::run
