#!/usr/bin/env bash
# Builds the bundle for a machine with a GPU and nothing else: bench/gpu_bundle.sh [--target T,..] [--quick] [-o FILE.tar.xz]
# Needs the compiler and NVRTC, and no GPU. docs/gpu-bundle.md says what is in it.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=sm_80,sm_86,sm_89,sm_90a,sm_100,sm_120
out=build/tercet-gpu-bundle.tar.xz
quick=()
while [ $# -gt 0 ]; do
  case "$1" in
    --target) targets=$2; shift 2 ;;
    --quick) quick=(--quick); shift ;;
    -o) out=$2; shift 2 ;;
    *) echo "gpu_bundle.sh: unknown option $1" >&2; exit 1 ;;
  esac
done
programs=${BUNDLE_PROGRAMS:-build/bin} # a build elsewhere, with BUNDLE_BUILT=1: nothing is built here
if [ "${BUNDLE_BUILT:-}" != 1 ]; then
  [ -f build/build.ninja ] || cmake --preset release
  ninja -C build tercet-run tercet-bundle tercet-nvrtc tercet-conformance
fi
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit="$commit with changes"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bundle=$folder/tercet-gpu
mkdir "$bundle"
"$programs/tercet-bundle" -o "$bundle" --target "$targets" --commit "$commit" \
  --conformance bench/conformance/instructions.cu "${quick[@]}"
cp "$programs/tercet-run" "$programs/tercet-conformance" "$bundle/"
strip "$bundle/tercet-run" "$bundle/tercet-conformance"
cp tests/gpu/conformance/recordings/simulator.json "$bundle/layouts.json"
cp bench/gpu_check.sh bench/baselines/gpu_baselines.py "$bundle/"
mkdir -p "$(dirname "$out")"
tar -C "$folder" -cJf "$out" tercet-gpu
bytes=$(stat -c %s "$out")
echo "$out: $bytes bytes"
if [ "$bytes" -gt $((60 * 1000 * 1000)) ]; then
  echo "gpu_bundle.sh: more than 60 MB; name fewer targets" >&2
  exit 1
fi
