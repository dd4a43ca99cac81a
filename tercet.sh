#!/usr/bin/env bash
# tercet.sh: from a bare Debian 12 to a result, in one command. Needs root or sudo for missing packages only; every step
# looks first and does what is missing, so a second run goes straight to the build.
#
#   ./tercet.sh demo [ARGS]  install, build, compile SLA, denoise a photograph with it (ARGS go to tercet-demo)
#   ./tercet.sh test [ARGS]  install, build, run every test (ARGS go to ctest, such as -L lit)
#   ./tercet.sh test --torch install, build, fetch PyTorch into build/torch (2.6 GB, 5.5 GB on disk), run its tests
#   ./tercet.sh build        install and build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

packages=(
  build-essential clang-19 cmake ninja-build python3                  # build tools
  libmlir-19-dev llvm-19-dev llvm-19-tools mlir-19-tools              # compiler, lit, FileCheck
  libzstd-dev zlib1g-dev                                              # named by LLVM's CMake targets
  libfmt-dev nlohmann-json3-dev libxxhash-dev libcli11-dev libpng-dev # libraries
  catch2 libbenchmark-dev python3-numpy python3-venv                  # tests and benchmarks
)
nvrtc_wheel=nvidia-cuda-nvrtc==13.0.88 # on PyPI; any NVRTC from 12.8 on will do
nvrtc_dir=build/lib/nvrtc
torch_wheels=(torch==2.15.0 numpy) # on PyPI, where PyTorch brings CUDA's libraries and does not load without them
torch_dir=build/torch
log=build/setup.log

say() { printf 'tercet: %s\n' "$*"; }
warn() { printf 'tercet: warning: %s\n' "$*" >&2; }
die() { printf 'tercet: error: %s\n' "$*" >&2; exit 1; }

# logged WHAT CMD..: runs CMD into the log; on failure shows its last lines.
logged() {
  local what=$1
  shift
  printf '\n== %s\n' "$*" >>"$log"
  if ! "$@" >>"$log" 2>&1; then
    tail -n 25 "$log" >&2
    printf 'tercet: %s failed; the whole output is in %s\n' "$what" "$log" >&2
    return 1
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]; }

apt_install() {
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "packages are missing and there is neither root nor sudo; install: $*"
  logged 'apt-get update' as_root apt-get -o DPkg::Lock::Timeout=300 update || warn 'installing from the package lists at hand'
  logged 'apt-get install' as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
    --no-install-recommends "$@"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    warn "this is not Debian: expecting the equivalents of ${packages[*]}"
    return
  fi
  local missing=() package
  for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
  if [ ${#missing[@]} -eq 0 ]; then
    say "packages: all ${#packages[@]} are here"
  else
    say "packages: installing ${missing[*]}"
    apt_install "${missing[@]}" || die 'packages could not be installed'
  fi
}

# nvrtc_version LIBRARY: prints "13.0" if the library loads and is 12.8 or newer.
nvrtc_version() {
  python3 - "$1" <<'PYTHON' 2>/dev/null
import ctypes, sys
library, major, minor = ctypes.CDLL(sys.argv[1]), ctypes.c_int(), ctypes.c_int()
library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
if (major.value, minor.value) < (12, 8):
    sys.exit(1)
print(f"{major.value}.{minor.value}")
PYTHON
}

python_with_pip() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

# fetch_nvrtc: the wheel from PyPI, its libraries unpacked into $nvrtc_dir.
fetch_nvrtc() {
  local python aside=$nvrtc_dir.part
  if ! python=$(python_with_pip); then
    apt_install python3-pip && python=$(python_with_pip) || return 1
  fi
  rm -rf "$aside" && mkdir -p "$aside/wheel"
  logged 'pip download' "$python" -m pip download --quiet --retries 2 --no-deps --only-binary=:all: --dest "$aside/wheel" "$nvrtc_wheel" || return 1
  "$python" - "$aside" <<'PYTHON' || return 1
import pathlib, sys, zipfile
aside = pathlib.Path(sys.argv[1])
for wheel in (aside / "wheel").glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ("/lib/libnvrtc" in name and ".alt." not in name) or "/licenses/" in name.lower():
                (aside / pathlib.PurePosixPath(name).name).write_bytes(archive.read(name))
PYTHON
  rm -rf "$aside/wheel" "$nvrtc_dir" && mv "$aside" "$nvrtc_dir"
}

# link_nvrtc DIR: the libraries of a toolkit, by link, where the program looks beside itself (build/lib/nvrtc).
link_nvrtc() {
  rm -rf "$nvrtc_dir" && mkdir -p "$nvrtc_dir"
  ln -s "$1"/libnvrtc*.so* "$nvrtc_dir/"
}

# find_library: the NVRTC library in a folder, by its versioned name.
find_library() {
  local file
  for file in "$1"/libnvrtc.so.[0-9]*; do
    if [ -e "$file" ]; then
      echo "$file"
      return
    fi
  done
  return 1
}

prepare_nvrtc() {
  local library version folder
  if library=$(find_library "$nvrtc_dir") && version=$(nvrtc_version "$library"); then
    say "NVRTC: $version, $(readlink -f "$library")"
    return
  fi
  for folder in "${CUDA_HOME:-/usr/local/cuda}/lib64" /usr/local/cuda/lib64 /usr/local/cuda-*/lib64; do
    if library=$(find_library "$folder") && version=$(nvrtc_version "$library"); then
      link_nvrtc "$folder"
      say "NVRTC: $version, from the CUDA toolkit at $(dirname "$(readlink -f "$folder")")"
      return
    fi
  done
  say "NVRTC: no CUDA toolkit from 12.8 on; fetching $nvrtc_wheel from PyPI (about 90 MB)"
  if fetch_nvrtc && library=$(find_library "$nvrtc_dir") && version=$(nvrtc_version "$library"); then
    say "NVRTC: $version, $library"
  else
    warn 'NVRTC could not be fetched: CUDA targets can be printed but not compiled; the CPU target is complete without it'
  fi
}

# prepare_torch: PyTorch in an environment of its own, for the tests of label torch.
prepare_torch() {
  if "$torch_dir/bin/python" -c 'import torch' 2>/dev/null; then
    say "PyTorch: $("$torch_dir/bin/python" -c 'import torch; print(torch.__version__)')"
    return
  fi
  say "PyTorch: fetching ${torch_wheels[*]} from PyPI (about 2.6 GB) into $torch_dir"
  rm -rf "$torch_dir"
  logged 'making an environment' python3 -m venv "$torch_dir" || die 'there is no environment for PyTorch'
  logged 'pip install' "$torch_dir/bin/python" -m pip install --quiet --no-cache-dir "${torch_wheels[@]}" || die 'PyTorch could not be installed'
}

# One job per core, and 1.5 GB of memory for each: MLIR's headers are hungry.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

build() {
  mkdir -p build
  : >"$log"
  install_packages
  prepare_nvrtc
  # Compiles in less than half of g++'s time, most of it by what it keeps of precompiled headers. A build folder keeps its own.
  if [ -z "${CXX:-}" ] && command -v clang++-19 >/dev/null; then
    export CC=clang-19 CXX=clang++-19
  fi
  say 'configuring: preset release, into build/'
  logged 'cmake' cmake --preset release || exit 1
  say "building with $(build_jobs) jobs"
  cmake --build build -j "$(build_jobs)"
}

action=${1:-help}
[ $# -eq 0 ] || shift
case $action in
build)
  build
  ;;
demo)
  build
  say 'running build/bin/tercet-demo: pictures go to build/demo'
  exec build/bin/tercet-demo --out build/demo "$@"
  ;;
test)
  torch=
  if [ "${1:-}" = --torch ]; then
    torch=yes
    shift
    set -- -L torch "$@"
  fi
  [ ! -x "$(command -v python3)" ] || python3 tests/checks/run.py || die 'the source checks failed'
  build
  [ -z "$torch" ] || { prepare_torch && logged 'cmake' cmake --preset release || exit 1; }
  say 'running the tests'
  exec ctest --test-dir build --output-on-failure --timeout 900 -j "$(nproc)" "$@"
  ;;
help | -h | --help)
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  ;;
*)
  die "there is no command '$action'; commands are demo, test and build"
  ;;
esac
