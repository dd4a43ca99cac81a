// PlanWalk: the order in which a launch visits a program's nodes: loops over groups of pairs, value slices and query blocks, with
// their symbols bound to each part. What a node does is the visitor's.
#pragma once

#include "Frame.h"

#include <algorithm>

namespace tercet::rt {

/// Calls visit(node), which returns a Status, for every call and memset in order, as often as loops repeat it, and stops
/// at the first failure. frame.symbols holds the current part during a visit and a full part afterwards.
template <typename Visit> class PlanWalk {
public:
  PlanWalk(const Program &program, Frame &frame, Visit visit) : program(program), frame(frame), visit(visit) {}

  Status run() { return all(program.nodes); }

private:
  Status all(const std::vector<ProgramNode> &nodes) {
    const SymbolIndices &known = program.known;
    for (const ProgramNode &node : nodes) {
      if (node.kind == PlanNode::Kind::groups)
        TERCET_RETURN_IF_ERROR(loop(node, frame.pairs, frame.groupPairs, known.group, known.groupFirst));
      else if (node.kind == PlanNode::Kind::slices)
        TERCET_RETURN_IF_ERROR(loop(node, frame.slices, frame.passSlices, known.slice, known.sliceFirst));
      else if (node.kind == PlanNode::Kind::rows)
        TERCET_RETURN_IF_ERROR(loop(node, frame.rows, frame.passRows, known.row, known.rowFirst));
      else
        TERCET_RETURN_IF_ERROR(visit(node));
    }
    return {};
  }

  Status loop(const ProgramNode &node, int64_t total, int64_t part, int size, int first) {
    for (int64_t begin = 0; begin < total; begin += part) {
      frame.set(size, std::min(part, total - begin));
      frame.set(first, begin);
      TERCET_RETURN_IF_ERROR(all(node.body));
    }
    frame.set(size, part);
    frame.set(first, 0);
    return {};
  }

  const Program &program;
  Frame &frame;
  Visit visit;
};

/// The extents of a node's grid now, none negative, and their product.
struct NodeGrid {
  int64_t extents[3] = {1, 1, 1};
  int64_t count = 1;
};
Result<NodeGrid> gridOf(const Program &program, const ProgramNode &node, const Frame &frame);

} // namespace tercet::rt
