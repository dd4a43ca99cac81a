#!/usr/bin/env bash
# Checks and times a bundle on this machine's GPU: bash gpu_check.sh [--device cuda:0] [--out DIR] [--quick] [STEP ..]
# Steps: conformance layouts cases sanitizer benchmarks baselines; all by default. --quick: no long shapes, few repetitions.
# Needs a driver and the files beside it; compute-sanitizer, and python3 with torch, are used where they are. Downloads
# nothing and changes no setting. Writes DIR/results.json and DIR/report.md; exit code 1 when a check failed.
# --device sim:sm_80 proves the script and the bundle without a GPU.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
device=cuda:0
out=./gpu-results
quick=0
steps=()
while [ $# -gt 0 ]; do
  case "$1" in
    --device) device=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --quick) quick=1; shift ;;
    conformance|layouts|cases|sanitizer|benchmarks|baselines) steps+=("$1"); shift ;;
    *) echo "gpu_check.sh: unknown argument $1" >&2; exit 1 ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(conformance layouts cases sanitizer benchmarks baselines)
mkdir -p "$out" || exit 1
run=$here/tercet-run
table=$here/cases.json
log=$out/log.txt
: > "$log"
failed=0
declare -A state

wanted() { printf '%s\n' "${steps[@]}" | grep -qx "$1"; }
# say STEP TEXT: the state of a step, for the report
say() { state[$1]=$2; echo "$1: $2"; }

if wanted conformance; then
  if [ "${device#cpu}" != "$device" ] || [ ! -d "$here/conformance" ]; then
    say conformance "not run: needs a device for PTX, and the bundle's kernels"
  else
    timeout 600 "$run" --conformance "$here/conformance" --target "$device" \
      --json-file "$out/conformance.json" --markdown "$out/conformance.md" > /dev/null 2>> "$log"
    code=$?
    case $code in
      0) say conformance "$(sed -n 's/^# Conformance: //p' "$out/conformance.md")" ;;
      3) tail -1 "$log" >&2; exit 3 ;;
      *) say conformance "FAILED with exit code $code"; failed=1 ;;
    esac
  fi
fi

if wanted layouts; then
  if [ "${device#cpu}" != "$device" ] || [ ! -x "$here/tercet-conformance" ]; then
    say layouts "not run: needs a device for PTX, and the bundle's program"
  else
    # Every kernel in a process of its own: one that hangs or traps takes no other with it.
    mkdir -p "$out/layouts"
    for name in $("$here/tercet-conformance" --list); do
      timeout 60 "$here/tercet-conformance" --target "$device" --only "$name" --record "$out/layouts/$name.json" \
        > /dev/null 2>> "$log" || echo "layouts: $name ended with exit code $?" >> "$log"
    done
    "$here/tercet-conformance" --merge "$out/layouts" --record "$out/layouts.json" --against "$here/layouts.json" \
      --markdown "$out/layouts.md" > /dev/null 2>> "$log"
    code=$?
    case $code in
      0|1) say layouts "$(grep -m 1 ' cases ran' "$out/layouts.md")" ;; # a difference is a finding about the simulator
      *) say layouts "FAILED with exit code $code"; failed=1 ;;
    esac
  fi
fi

if wanted cases; then
  # On a GPU every result is also compared with the simulator's, of the same code and inputs.
  beside=()
  [ "${device#cuda}" = "$device" ] || beside=(--beside sim)
  timeout 3600 "$run" --cases "$table" --target "$device" --no-benchmarks "${beside[@]}" \
    --json-file "$out/cases.json" --markdown "$out/cases.md" > /dev/null 2>> "$log"
  code=$?
  case $code in
    0) say cases passed ;;
    1) say cases FAILED; failed=1 ;;
    3) tail -1 "$log" >&2; exit 3 ;;
    *) say cases "FAILED with exit code $code"; failed=1 ;;
  esac
fi

if wanted sanitizer; then
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2> /dev/null | head -1)
  if [ "${device#cuda}" = "$device" ]; then
    say sanitizer "not run: $device is no GPU"
  elif [ -z "$sanitizer" ]; then
    say sanitizer "not run: there is no compute-sanitizer"
  else
    # One process, small shapes: the tool slows kernels a hundredfold.
    if timeout 1200 "$sanitizer" --tool memcheck --error-exitcode 9 "$run" --cases "$table" --target "$device" --together \
        --no-benchmarks --only n150 > "$out/sanitizer.txt" 2>&1; then
      say sanitizer passed
    else
      say sanitizer FAILED; failed=1
    fi
  fi
fi

if wanted benchmarks; then
  limits=(--repetitions 50)
  [ $quick = 0 ] || limits=(--repetitions 3 --largest 4096)
  # No benchmark is an answer too: quick bundles hold none.
  timeout 3600 "$run" --cases "$table" --target "$device" --benchmarks-only "${limits[@]}" \
    --json-file "$out/benchmarks.json" --markdown "$out/benchmarks.md" > /dev/null 2>> "$log"
  code=$?
  case $code in
    0) say benchmarks passed ;;
    3) say benchmarks "not run: the bundle has none for $device" ;;
    *) say benchmarks "FAILED with exit code $code"; failed=1 ;;
  esac
fi

if wanted baselines; then
  if [ "${device#cuda}" = "$device" ]; then
    say baselines "not run: $device is no GPU"
  elif ! python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
    say baselines "not run: there is no python3 with torch and a GPU"
  else
    arguments=(--table "$table" --device "$device" --json "$out/baselines.json" --markdown "$out/baselines.md")
    [ $quick = 0 ] || arguments+=(--largest 4096 --repetitions 5)
    if timeout 1800 python3 "$here/gpu_baselines.py" "${arguments[@]}" >> "$log" 2>&1; then
      say baselines passed
    else
      say baselines "did not finish; see log.txt"
    fi
  fi
fi

json() { [ -s "$1" ] && cat "$1" || echo null; }
{
  printf '{\n"device": "%s",\n"date": "%s",\n"driver": "%s",\n"steps": {' "$device" "$(date -u +%FT%TZ)" \
    "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -1 | tr -d '"\\')"
  separator=
  for step in "${!state[@]}"; do
    printf '%s\n  "%s": "%s"' "$separator" "$step" "$(printf %s "${state[$step]}" | tr -d '"\\')"
    separator=,
  done
  printf '\n},\n"conformance": '; json "$out/conformance.json"
  printf ',\n"layouts": '; json "$out/layouts.json"
  printf ',\n"cases": '; json "$out/cases.json"
  printf ',\n"benchmarks": '; json "$out/benchmarks.json"
  printf ',\n"baselines": '; json "$out/baselines.json"
  printf '}\n'
} > "$out/results.json"
{
  echo "# GPU check, $(date -u +%F)"
  echo
  echo "| step | state |"
  echo "|---|---|"
  for step in conformance layouts cases sanitizer benchmarks baselines; do
    [ -z "${state[$step]:-}" ] || echo "| $step | ${state[$step]} |"
  done
  for page in conformance layouts cases benchmarks baselines; do
    [ ! -s "$out/$page.md" ] || { echo; sed 's/^#/##/' "$out/$page.md"; }
  done
} > "$out/report.md"
echo "report: $out/report.md"
exit $failed
