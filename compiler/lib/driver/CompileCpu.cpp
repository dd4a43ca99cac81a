// compileCpu: see the header.
#include "CompileCpu.h"

#include "CpuKernels.h"
#include "CpuPlan.h"
#include "ObjectCode.h"
#include "RowRemark.h"
#include "TableGradient.h"

#include "tercet/Digest.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Result<codegen::CpuTarget> compiler::parseCpuTarget(const std::string &target) {
  if (target == "cpu")
    return codegen::cpuTarget(detectCpuLevel());
  if (target.starts_with("cpu:"))
    if (std::optional<CpuLevel> level = parseCpuLevel(target.substr(4)))
      return codegen::cpuTarget(*level);
  return Status::make(Code::unsupportedTarget,
                      "target '{}' is not known here; CPU targets are cpu, cpu:v4, cpu:v3, cpu:portable", target);
}

Status compiler::checkProblem(const Problem &problem) {
  // The largest head dimension in use is 512 (MLA's latent); beyond it a score tile's row would leave L1.
  constexpr int64_t largest = 512;
  for (auto [name, dim] : {std::pair{"head", problem.headDim}, std::pair{"value", problem.valueDim}})
    if (dim < 1 || dim > largest)
      return Status::make(Code::invalidArgument, "the {} dimension is {}; it lies between 1 and {}", name, dim,
                          largest);
  if (problem.dtype != DType::f32 && problem.dtype != DType::f16 && problem.dtype != DType::bf16)
    return Status::make(Code::invalidArgument, "the compute dtype is {}; it is one of f32, f16, bf16",
                        dtypeName(problem.dtype));
  return {};
}

static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

// Of means by means of queries a builtin sees to it.
static void buildAttends(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  for (const AttendStage &stage : program.attends)
    if (!stage.ofMeans)
      buildAttend(module, program, stage, schedule);
}

static void buildForward(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  if (program.classified() && program.selection->multiplies())
    buildScores(module, program, schedule);
  if (program.classified() && program.selection->hasRules())
    buildBlockRules(module, program, schedule);
  if (program.linear) {
    buildState(module, program, schedule);
    buildAggregate(module, program, schedule);
    buildLinear(module, program, schedule);
  }
  buildAttends(module, program, schedule);
}

static void buildBackward(ModuleOp module, const Program &program, ArrayRef<GradientPass> passes,
                          const CpuSchedule &schedule) {
  if (program.classified() && program.selection->mask)
    buildBlockRules(module, program, schedule);
  if (program.linear) {
    buildState(module, program, schedule);
    buildAggregate(module, program, schedule);
    buildCenterValues(module, program, schedule);
    buildLinearQueries(module, program, schedule);
    buildStateGradient(module, program, schedule);
    buildGradientAggregate(module, program, schedule);
    buildLinearKeys(module, program, schedule);
  }
  if (!program.weight.empty()) {
    buildProjectGradient(module, program, schedule);
    buildWeightGradient(module, program, schedule);
  }
  if (passes.front().isBranch)
    buildAttends(module, program, schedule);
  for (const GradientPass &pass : passes) {
    if (pass.ofMeanRows())
      continue;
    if (pass.rows == pass.forward && !pass.ofKeys && !pass.ofTable)
      buildGateGradient(module, program, pass, schedule);
    buildGradient(module, program, pass, schedule);
  }
  for (BlockArgument table : differentiatedTables(passes)) {
    buildTableClear(module, table);
    if (std::vector<const TableShares *> shares = summedSharesOf(passes, table); !shares.empty())
      buildTableSums(module, program, table, shares);
  }
}

static void noteSchedule(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  for (auto kernel : module.getOps<tkern::KernelOp>())
    kernel->setAttr("schedule", StringAttr::get(module.getContext(), textOf(program, schedule)));
}

// A CPU's kernels share buffers, and so a schedule.
static Result<CpuSchedule> namedSchedule(const Program &program, CpuLevel level, const Problem &problem) {
  std::string_view text;
  for (const auto &[kernel, schedule] : problem.schedules) {
    if (kernel != "cpu" || !text.empty())
      return Status::make(Code::invalidArgument,
                          "there is {} for kernel '{}' of a CPU; all its kernels have one schedule, named 'cpu'",
                          kernel == "cpu" ? "a second schedule" : "no schedule", kernel);
    text = schedule;
  }
  return text.empty() ? chooseCpuSchedule(program, level) : parseCpuSchedule(program, level, text);
}

// A row of a database may be of another generation of schedules, or anybody's: what is not legal in it is passed over.
static Result<CpuSchedule> scheduleFor(const Program &program, CpuLevel level, const Problem &problem,
                                       std::vector<std::string> &remarks) {
  Result<CpuSchedule> named = namedSchedule(program, level, problem);
  if (named.ok() || problem.scheduleSource.kind != "database")
    return named;
  remarks.push_back(passedOverRow(problem, named.status()));
  return chooseCpuSchedule(program, level);
}

static std::vector<std::pair<std::string, std::string>> staticParameters(ir::SpecOp spec) {
  std::vector<std::pair<std::string, std::string>> list;
  for (ir::ParamOp param : spec.getBody().getOps<ir::ParamOp>()) {
    if (!param.isStatic())
      continue;
    std::string value;
    llvm::raw_string_ostream stream(value);
    switch (param.getKind()) {
    case ir::ParamKind::Float:
      stream << param.getFloat();
      break;
    case ir::ParamKind::Integer:
      stream << param.getInteger();
      break;
    case ir::ParamKind::Keyword:
      stream << param.getKeyword();
      break;
    case ir::ParamKind::Flag:
      stream << (param.getFlag() ? "true" : "false");
      break;
    }
    list.emplace_back(param.getName().str(), value);
  }
  return list;
}

Artifact compiler::startArtifact(const BoundSpec &bound, const Problem &problem) {
  Artifact artifact;
  ir::SpecOp spec = bound.spec;
  artifact.specName = spec.getSymName().str();
  artifact.specText = bound.text();
  artifact.specDigest = digestOf(artifact.specText).hex();
  artifact.compiler = compilerIdentity();
  artifact.headDim = problem.headDim;
  artifact.valueDim = problem.valueDim;
  artifact.dtype = problem.dtype;
  artifact.staticParameters = staticParameters(spec);
  return artifact;
}

Result<CpuCompilation> compiler::compileCpu(MLIRContext &context, const BoundSpec &bound, const Problem &problem,
                                            CpuStage until) {
  ir::SpecOp spec = bound.spec;
  TERCET_RETURN_IF_ERROR(checkProblem(problem));
  TERCET_TRY(codegen::CpuTarget target, parseCpuTarget(problem.target));
  TERCET_TRY(Program program, readProgram(spec, problem));
  std::vector<std::string> remarks;
  TERCET_TRY(CpuSchedule schedule, scheduleFor(program, target.level, problem, remarks));

  context.loadDialect<tkern::TkernDialect, scf::SCFDialect, arith::ArithDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  std::vector<GradientPass> passes;
  bool isBackward = problem.direction == Direction::backward;
  if (problem.direction != Direction::inference) { // what saves for a backward has one
    TERCET_TRY(passes, deriveGradient(program, spec.getSymName()));
    TERCET_RETURN_IF_ERROR(deriveTableGradients(passes));
  }
  Program running = program; // passes go on pointing into the forward's
  if (isBackward && passes.front().isBranch)
    running.attends = branchesOf(program);
  if (isBackward)
    buildBackward(*module, running, passes, schedule);
  else
    buildForward(*module, program, schedule);
  noteSchedule(*module, program, schedule);
  CpuCompilation compilation;
  if (until == CpuStage::tkern) {
    if (failed(verify(*module)))
      return Status::make(Code::compileFailed, "the lowering of spec '{}' does not verify", spec.getSymName().str());
    compilation.tkernText = print(*module);
    return compilation;
  }
  TERCET_TRY(codegen::CpuCode code, codegen::generateObject(*module, target, until == CpuStage::llvm));
  compilation.llvmText = std::move(code.llvmText);
  if (until == CpuStage::llvm)
    return compilation;
  compilation.object = std::move(code.object);
  compilation.kernels = std::move(code.kernels);
  if (until != CpuStage::artifact)
    return compilation;
  TERCET_TRY(std::vector<uint8_t> shared, codegen::linkSharedObject(compilation.object));

  Artifact &artifact = compilation.artifact = startArtifact(bound, problem);
  artifact.aggregation = !program.linear ? "none" : program.globalState() ? "global" : "subset-sums";
  Plan plan =
      isBackward ? buildCpuGradientPlan(spec, running, passes, schedule) : buildCpuPlan(spec, program, schedule);
  artifact.modules.push_back(
      {target.name, std::move(plan), compilation.kernels, std::move(shared), std::move(remarks)});
  return compilation;
}
