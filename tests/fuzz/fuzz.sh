#!/usr/bin/env bash
# Fuzzes one target, after `cmake --preset fuzz && cmake --build --preset fuzz`. Inputs go to build/fuzz/found/TARGET.
#
#   tests/fuzz/fuzz.sh run TARGET SECONDS   fuzz: spec, npy, safetensors, artifact or tuning
#   tests/fuzz/fuzz.sh minimise TARGET      the fewest found inputs that reach what all of them do, into build/fuzz/small/TARGET
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

action=${1:?run or minimise} target=${2:?a target}
found=build/fuzz/found/$target small=build/fuzz/small/$target corpus=tests/fuzz/corpus/$target
case $target in
spec) seeds=(dialect/specs tests/lit/doc tests/lit/tercet) ;;
artifact | tuning) seeds=(tests/golden) ;;
*) seeds=() ;;
esac
program=(build/fuzz/bin/fuzz_"$target" -timeout=10 -rss_limit_mb=2048 -max_len=16384 "-artifact_prefix=$found-")

# MLIR's libraries are not instrumented: they use memory of LLVM's allocators as it was poisoned by our copies of their inline code.
export ASAN_OPTIONS=allow_user_poisoning=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}

case $action in
run)
  mkdir -p "$found"
  "${program[@]}" "-dict=tests/fuzz/dictionaries/$target.dict" "-max_total_time=${3:?seconds}" -print_final_stats=1 \
    "$found" "$corpus" "${seeds[@]}"
  ;;
minimise)
  rm -rf "$small"
  mkdir -p "$small"
  "${program[@]}" -set_cover_merge=1 -use_counters=0 "$small" "$corpus" "$found"
  ;;
*)
  echo "fuzz.sh: there is no action '$action'; actions are run and minimise" >&2
  exit 1
  ;;
esac
