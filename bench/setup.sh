#!/usr/bin/env bash
# Installs the matrix libraries that the baselines use (Debian). The build uses what it finds, so this is optional, and
# nothing but the benchmarks needs it. Configure again afterwards: cmake --preset release.
set -euo pipefail
run() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
run apt-get update -qq
run apt-get install -y --no-install-recommends libdnnl-dev libopenblas-pthread-dev
