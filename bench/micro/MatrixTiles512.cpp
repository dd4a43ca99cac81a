// 512-bit register tiles: 32 registers, so up to 28 accumulators beside the panel row and a broadcast.
#include "MatrixTile.h"

namespace tercet::bench {

template <int Rows, int Columns> static void timeShape(Findings &findings) {
  constexpr int64_t l2Floats = 1 << 18; // 1 MiB of panels
  for (int64_t depth : {64, 128}) {
    timeMatrixTile<16, Rows, Columns>(findings, "tiles512", depth, 256, 1);
    timeMatrixTile<16, Rows, Columns>(findings, "tiles512", depth, 256, l2Floats / (depth * Columns * 16));
    timeMatrixTile<16, Rows, Columns>(findings, "tiles512", depth, 64, l2Floats / (depth * Columns * 16));
  }
}

void matrixTiles512(Findings &findings) {
  timeMatrixTile<16, 4, 4, Broadcast::memoryOperand>(findings, "tiles512", 64, 256, 1);
  timeMatrixTile<16, 12, 2, Broadcast::memoryOperand>(findings, "tiles512", 64, 256, 1);
  timeMatrixTile<16, 24, 1, Broadcast::memoryOperand>(findings, "tiles512", 64, 256, 1);
  timeShape<2, 4>(findings);
  timeShape<4, 4>(findings);
  timeShape<5, 4>(findings);
  timeShape<6, 4>(findings);
  timeShape<5, 5>(findings);
  timeShape<4, 6>(findings);
  timeShape<8, 3>(findings);
  timeShape<8, 2>(findings);
  timeShape<12, 2>(findings);
  timeShape<14, 2>(findings);
}

} // namespace tercet::bench
