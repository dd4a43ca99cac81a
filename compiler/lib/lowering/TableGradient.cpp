// deriveTableGradients: see the header.
#include "TableGradient.h"

#include "PairDependence.h"
#include "RegionDerivative.h"

#include "tercet/TableAxis.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Value yieldedBy(Region &region) { return region.front().getTerminator()->getOperand(0); }

/// A kernel takes the tables of its regions from outside: none that nothing needs.
static void removeUnused(Region &region) {
  SmallVector<Operation *> ops(llvm::make_pointer_range(region.front().without_terminator()));
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

static std::shared_ptr<Region> yielding(Region &region, Value value) {
  auto copy = std::make_shared<Region>();
  IRMapping mapping;
  region.cloneInto(copy.get(), mapping);
  copy->front().getTerminator()->setOperand(0, mapping.lookup(value));
  removeUnused(*copy);
  return copy;
}

static Status refuse(ir::ReadOp read) {
  return Status::make(
      Code::invalidSpec,
      "{}: '{}' is read at an index that depends on the score, so no gradient of it is derived; make the "
      "index of positions",
      placeOf(read), ir::argumentName(read.getTable()));
}

/// Those of a region whose batch is argument `first`.
static Result<std::vector<TableRead>> readsOf(Region &region, unsigned first) {
  std::vector<TableRead> reads;
  llvm::DenseMap<Value, unsigned> dependence = pairDependence(region.front(), first);
  for (auto op : region.getOps<ir::ReadOp>()) {
    if (!op.getType().isF32())
      continue;
    TERCET_TRY(std::unique_ptr<Region> factor, derivativeOf(region, op.getResult()));
    if (matchPattern(yieldedBy(*factor), m_AnyZeroFloat()))
      continue;
    TableRead read{.table = cast<BlockArgument>(op.getTable()), .first = first};
    if (!matchPattern(yieldedBy(*factor), m_OneFloat())) {
      removeUnused(*factor);
      read.factor = std::move(factor);
    }
    for (Value index : op.getIndices()) {
      read.indices.push_back(yielding(region, index));
      read.needs.push_back(dependence.lookup(index));
      if (first > 0 && !read.indices.back()->getArgument(0).use_empty())
        return refuse(op);
    }
    reads.push_back(std::move(read));
  }
  return reads;
}

static TableShares::Kind kindOf(const TableRead &read) {
  unsigned needs = onNeither;
  for (unsigned each : read.needs)
    needs |= each;
  if (needs != onBoth)
    return needs == onKey ? TableShares::Kind::keys : TableShares::Kind::queries;
  for (size_t axis = 0; axis < read.indices.size(); ++axis)
    if (read.owns(axis))
      return TableShares::Kind::owned;
  return TableShares::Kind::entries;
}

SmallVector<BlockArgument> compiler::differentiatedTables(ArrayRef<GradientPass> passes) {
  SmallVector<Region *> regions;
  for (const GradientPass &pass : passes)
    regions.append({pass.forward->score, pass.gate});
  SmallVector<BlockArgument> tables = pairOperandsOf(regions).tables;
  llvm::erase_if(tables,
                 [](BlockArgument table) { return !cast<ir::TableType>(table.getType()).getElementType().isF32(); });
  return tables;
}

static std::string shareName(const std::string &of, const TableRead &read, size_t number) {
  return of + "_d" + ir::argumentName(read.table) + std::to_string(number);
}

// Every gate has its kernel once, with the pass of queries whose rows it makes.
static Status addGateShares(GradientPass &pass) {
  if (!pass.gate || pass.ofKeys)
    return {};
  TERCET_TRY(std::vector<TableRead> reads, readsOf(*pass.gate, /*first=*/0));
  for (TableRead &read : reads) {
    bool byFeature = llvm::any_of(read.needs, [](unsigned needs) { return (needs & onKey) != 0; });
    std::string name = shareName("gate_" + pass.rows->name, read, pass.ofGate.size());
    pass.ofGate.push_back(
        {name, std::move(read), byFeature ? TableShares::Kind::features : TableShares::Kind::queries});
  }
  return {};
}

// The passes of a stage's queries and keys are next to each other.
Status compiler::deriveTableGradients(std::vector<GradientPass> &passes) {
  std::vector<GradientPass> all;
  GradientPass *ofQueries = nullptr;
  for (GradientPass &pass : passes) {
    TERCET_RETURN_IF_ERROR(addGateShares(pass));
    all.push_back(pass);
    if (pass.ofMeans || pass.stores || !pass.forward->score)
      continue;
    TERCET_TRY(std::vector<TableRead> reads, readsOf(*pass.forward->score, /*first=*/1));
    for (auto [number, read] : llvm::enumerate(reads)) {
      TableShares shares{shareName(pass.name, read, number), read, kindOf(read)};
      if (pass.forward->pools)
        shares.tokens = pass.ofKeys ? pass.forward->pools->stride : pass.forward->queryRows();
      if (shares.kind == TableShares::Kind::keys ? pass.ofKeys
                                                 : shares.kind == TableShares::Kind::queries && !pass.ofKeys)
        all.back().tables.push_back(shares);
    }
    if (!pass.ofKeys) {
      ofQueries = &pass;
      continue;
    }
    for (auto [number, read] : llvm::enumerate(reads)) {
      TableShares::Kind kind = kindOf(read);
      if (kind != TableShares::Kind::entries && kind != TableShares::Kind::owned)
        continue;
      GradientPass ofTable = *ofQueries;
      ofTable.ofTable = true;
      ofTable.adds = false;
      ofTable.ofGate.clear();
      ofTable.name = shareName("gradient_" + pass.forward->name, read, number);
      ofTable.tables = {{ofTable.name, read, kind}};
      all.push_back(std::move(ofTable));
    }
  }
  passes = std::move(all);
  return {};
}

/// The shares of a stage that a pass of queries does not sum by row.
static std::vector<TableShares> centredSharesOf(ArrayRef<GradientPass> passes, const GradientPass &ofQueries) {
  std::vector<TableShares> shares;
  for (const GradientPass &pass : passes)
    for (const TableShares &each : pass.tables)
      if (pass.forward == ofQueries.forward && each.kind != TableShares::Kind::queries)
        shares.push_back(each);
  return shares;
}

std::vector<GradientPass> compiler::withTablesApart(std::vector<GradientPass> passes, bool centres) {
  std::vector<GradientPass> all;
  auto addOf = [&](const GradientPass &pass, std::string name, std::vector<TableShares> tables) -> GradientPass & {
    GradientPass &ofTable = all.emplace_back(pass);
    ofTable.ofTable = true;
    ofTable.adds = false;
    ofTable.ofGate.clear();
    ofTable.name = std::move(name);
    ofTable.tables = std::move(tables);
    ofTable.isCentred = centres && pass.isWhole() && ofTable.tables.front().kind != TableShares::Kind::queries;
    return ofTable;
  };
  for (const GradientPass &pass : passes) {
    if (pass.ofTable) {
      addOf(pass, pass.name, pass.tables);
      continue;
    }
    all.push_back(pass);
    all.back().tables.clear();
    for (const TableShares &shares : pass.tables)
      addOf(pass, shares.name, {shares});
    if (pass.ofKeys || pass.ofMeans || pass.stores || !centres || !pass.isWhole())
      continue;
    if (std::vector<TableShares> tables = centredSharesOf(passes, pass); !tables.empty()) {
      GradientPass &centre = addOf(pass, "centre_" + pass.forward->name, std::move(tables));
      centre.centres = true;
      centre.isCentred = false;
    }
  }
  return all;
}

std::vector<const TableShares *> compiler::summedSharesOf(ArrayRef<GradientPass> passes, BlockArgument table) {
  std::vector<const TableShares *> shares;
  auto add = [&](const std::vector<TableShares> &made) {
    for (const TableShares &each : made)
      if (each.read.table == table && each.kind != TableShares::Kind::owned)
        shares.push_back(&each);
  };
  for (const GradientPass &pass : passes) {
    add(pass.tables);
    if (pass.rows == pass.forward)
      add(pass.ofGate);
  }
  return shares;
}

PairOperands compiler::indexOperandsOf(ArrayRef<const TableShares *> shares) {
  SmallVector<Region *> regions;
  for (const TableShares *each : shares)
    for (const std::shared_ptr<Region> &index : each->read.indices)
      regions.push_back(index.get());
  return pairOperandsOf(regions);
}
