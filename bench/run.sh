#!/usr/bin/env bash
# Runs every benchmark and writes bench/results: bench/run.sh [--quick] [SUITE ..]   (suites: dense gradient sla full cold language memory)
# --quick: seconds instead of minutes, small shapes, into build/bench-quick; shows that it runs, not how fast.
# Builds first if need be. Give it a quiet machine; repetitions that had to wait for a core are taken again.
set -euo pipefail
cd "$(dirname "$0")/.."
out=bench/results
quick=()
suites=()
for argument in "$@"; do
  case "$argument" in
    --quick) quick=(--quick); out=build/bench-quick; mkdir -p "$out" ;;
    *) suites+=("$argument") ;;
  esac
done
[ -f build/build.ninja ] || cmake --preset release
ninja -C build tercet tercet-micro tercet-kernels
# OpenBLAS 0.3.21 takes processors newer than itself for Haswell, and so do environments that are set up for it.
if grep -q avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE=Cooperlake; fi
if [ ${#suites[@]} = 0 ]; then
  build/bin/tercet-micro "${quick[@]}" --out "$out/micro.json"
fi
build/bin/tercet-kernels "${quick[@]}" --out "$out" "${suites[@]}"
python3 bench/report.py "$out" > "$out/README.md"
echo "table: $out/README.md"
