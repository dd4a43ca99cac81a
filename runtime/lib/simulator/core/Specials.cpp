// One row per special register.
#include "core/Specials.h"

#include "core/Cta.h"

namespace tercet::sim {

uint64_t specialValue(const Warp &warp, Special special, int lane) {
  const Cta &cta = warp.cta;
  const LaunchConfig &config = cta.config();
  const auto &block = config.block, &grid = config.grid, &cluster = config.cluster, &id = cta.id();
  uint32_t thread = warp.index * warpLanes + uint32_t(lane);
  uint32_t below = (uint32_t{1} << lane) - 1, self = uint32_t{1} << lane;
  auto inCluster = [&](int axis) { return id[axis] % cluster[axis]; };
  switch (special) {
  case Special::tidX:
    return thread % block[0];
  case Special::tidY:
    return thread / block[0] % block[1];
  case Special::tidZ:
    return thread / block[0] / block[1];
  case Special::ntidX:
    return block[0];
  case Special::ntidY:
    return block[1];
  case Special::ntidZ:
    return block[2];
  case Special::ctaidX:
    return id[0];
  case Special::ctaidY:
    return id[1];
  case Special::ctaidZ:
    return id[2];
  case Special::nctaidX:
    return grid[0];
  case Special::nctaidY:
    return grid[1];
  case Special::nctaidZ:
    return grid[2];
  case Special::laneid:
    return uint32_t(lane);
  case Special::warpid:
    return warp.index;
  case Special::nwarpid:
    return (cta.threads() + warpLanes - 1) / warpLanes;
  case Special::smid:
    return cta.linear() % 132; // any number of multiprocessors will do; this is an H100's
  case Special::nsmid:
    return 132;
  case Special::gridid:
    return 1;
  case Special::lanemaskEq:
    return self;
  case Special::lanemaskLt:
    return below;
  case Special::lanemaskLe:
    return below | self;
  case Special::lanemaskGt:
    return ~(below | self);
  case Special::lanemaskGe:
    return ~below;
  case Special::clusteridX:
    return id[0] / cluster[0];
  case Special::clusteridY:
    return id[1] / cluster[1];
  case Special::clusteridZ:
    return id[2] / cluster[2];
  case Special::nclusteridX:
    return grid[0] / cluster[0];
  case Special::nclusteridY:
    return grid[1] / cluster[1];
  case Special::nclusteridZ:
    return grid[2] / cluster[2];
  case Special::clusterCtaidX:
    return inCluster(0);
  case Special::clusterCtaidY:
    return inCluster(1);
  case Special::clusterCtaidZ:
    return inCluster(2);
  case Special::clusterNctaidX:
    return cluster[0];
  case Special::clusterNctaidY:
    return cluster[1];
  case Special::clusterNctaidZ:
    return cluster[2];
  case Special::clusterCtarank:
    return cta.rank();
  case Special::clusterNctarank:
    return cluster[0] * cluster[1] * cluster[2];
  case Special::isExplicitCluster:
    return cluster[0] * cluster[1] * cluster[2] > 1;
  case Special::dynamicSmemSize:
    return config.dynamicShared;
  case Special::totalSmemSize:
    return cta.shared.size();
  }
  return 0;
}

} // namespace tercet::sim
