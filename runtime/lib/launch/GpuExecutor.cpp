// Two walks over the plan: the first encodes every tensor map and checks every grid, so that a launch that must be
// refused queues nothing; the second queues. Encoding is host arithmetic of about a microsecond, so it is simply done
// again.
#include "GpuExecutor.h"

#include "GpuTensorMap.h"
#include "PlanWalk.h"

namespace tercet::rt {
namespace {

constexpr int64_t largestGrid[3] = {(int64_t{1} << 31) - 1, 65535, 65535}; // CUDA C++ Programming Guide

class Queueing {
public:
  Queueing(const GpuExecution &execution, Frame &frame) : e(execution), frame(frame) {}

  Status run() {
    TERCET_RETURN_IF_ERROR(walk(/*queue=*/false));
    TERCET_RETURN_IF_ERROR(walk(/*queue=*/true));
    return e.stageBegins ? e.stageBegins(e.program.stages.size()) : Status();
  }

private:
  Status walk(bool queue) {
    return PlanWalk(e.program, frame,
                    [this, queue](const ProgramNode &node) {
                      return node.kind == PlanNode::Kind::memset ? fill(node, queue) : launch(node, queue);
                    })
        .run();
  }

  Status enter(size_t stage) {
    if (!e.stageBegins || current == stage)
      return {};
    current = stage;
    return e.stageBegins(stage);
  }

  Status fill(const ProgramNode &node, bool queue) {
    TERCET_TRY(FillRange range, fillRange(node, frame));
    if (!queue || range.bytes == 0)
      return {};
    TERCET_RETURN_IF_ERROR(enter(node.stage));
    return e.device.fill(e.workspace + range.offset, node.byte, range.bytes, e.stream);
  }

  Status launch(const ProgramNode &node, bool queue) {
    TERCET_TRY(NodeGrid grid, gridOf(e.program, node, frame));
    if (grid.count == 0)
      return {};
    for (int axis = 0; axis < 3; ++axis)
      if (grid.extents[axis] > largestGrid[axis])
        return Status::make(Code::invalidArgument,
                            "the tensors are too large: kernel {} would need {} blocks along axis {}; a GPU starts at "
                            "most {}",
                            node.callee, grid.extents[axis], axis, largestGrid[axis]);
    TERCET_TRY(std::vector<int64_t> slots, fillSlots(node, frame, e.workspace));
    std::vector<TensorMapBytes> maps;
    maps.reserve(slots.size()); // parameters point into it
    std::vector<GpuParameter> parameters;
    parameters.reserve(slots.size());
    for (size_t index = 0; index < slots.size(); ++index) {
      if (node.slots[index].kind != PlanSlot::Kind::tensorMap) {
        parameters.push_back({&slots[index], sizeof(int64_t)});
        continue;
      }
      TERCET_TRY(TensorMapBytes map, encode(node.slots[index], slots[index]));
      maps.push_back(map);
      parameters.push_back({maps.back().bytes.data(), sizeof(TensorMapBytes)});
    }
    if (!queue)
      return {};
    TERCET_RETURN_IF_ERROR(enter(node.stage));
    size_t kernel = static_cast<size_t>(node.kernel);
    const GpuKernelInfo &info = e.kernels[kernel].gpu;
    GpuLaunch launch;
    std::copy(std::begin(grid.extents), std::end(grid.extents), launch.grid);
    launch.threads = info.threads;
    launch.clusterSize = info.clusterSize;
    launch.sharedBytes = info.dynamicSharedBytes;
    launch.parameters = parameters;
    return e.device.launch(*e.functions[kernel], launch, e.stream);
  }

  /// The map of a slot, all zero where its tensor is absent.
  Result<TensorMapBytes> encode(const ProgramSlot &slot, int64_t address) const {
    if (address == 0)
      return TensorMapBytes{};
    size_t index = static_cast<size_t>(slot.index);
    const std::string &name = slot.map->ofBuffer ? e.plan.buffers[index].name : e.plan.arguments[index].name;
    TERCET_TRY(TensorMapDescription description,
               describeTensorMap(*slot.map, name, reinterpret_cast<const void *>(address), frame));
    return e.device.encodeTensorMap(description);
  }

  const GpuExecution &e;
  Frame &frame;
  size_t current = SIZE_MAX; ///< the stage of the last queued node
};

} // namespace

Status enqueueProgram(const GpuExecution &execution, Frame &frame) { return Queueing(execution, frame).run(); }

} // namespace tercet::rt
