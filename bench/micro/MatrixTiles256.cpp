// 256-bit register tiles: 16 registers, the budget of AVX2.
#include "MatrixTile.h"

namespace tercet::bench {

template <int Rows, int Columns> static void timeShape(Findings &findings) {
  constexpr int64_t l2Floats = 1 << 18;
  for (int64_t depth : {64, 128}) {
    timeMatrixTile<8, Rows, Columns>(findings, "tiles256", depth, 240, 1);
    timeMatrixTile<8, Rows, Columns>(findings, "tiles256", depth, 240, l2Floats / (depth * Columns * 8));
  }
}

void matrixTiles256(Findings &findings) {
  timeShape<4, 2>(findings);
  timeShape<5, 2>(findings);
  timeShape<6, 2>(findings);
  timeShape<3, 4>(findings);
  timeShape<4, 3>(findings);
  timeShape<2, 4>(findings);
  timeShape<12, 1>(findings);
  timeShape<4, 4>(findings); // does not fit: shows the cost of spilling
}

} // namespace tercet::bench
