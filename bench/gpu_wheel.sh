#!/usr/bin/env bash
# bench/gpu_wheel.sh FOLDER [PYTHON]: builds, without a GPU, what bench/gpu.sh takes to a machine that has one, so that
# no minute there goes into compiling: a wheel for PYTHON (python3.12) and Hopper, and the tuning program of bench/tune.
# Needs nvcc on PATH. FOLDER then holds:
#   gradstep-*.whl  tune  COMMIT  SOURCES (sums of what was built)  kernels.txt (registers of each kernel)  build.log
set -euo pipefail
folder=$(realpath -m "${1:?names the folder for the wheel}")
python=${2:-python3.12}
newest_glibc=2.39 # of the machine that the wheel is for
cd "$(dirname "$0")/.."
define=--config-settings=cmake.define
"$python" --version >/dev/null || { echo "name a Python that runs: bench/gpu_wheel.sh $1 PYTHON"; exit 1; }

mkdir -p "$folder"
rm -f "$folder"/gradstep-*.whl
git describe --always --dirty --exclude='*' >"$folder/COMMIT"
git ls-files --cached --others --exclude-standard CMakeLists.txt pyproject.toml cpp python | LC_ALL=C sort |
  while read -r file; do [ ! -f "$file" ] || sha256sum "$file"; done >"$folder/SOURCES"
"$python" -m pip wheel -v --no-deps --wheel-dir "$folder" \
  "$define.GRADSTEP_CUDA=ON" "$define.GRADSTEP_WERROR=OFF" "$define.GRADSTEP_EMULATED=OFF" \
  "$define.CMAKE_CUDA_ARCHITECTURES=90-real" "$define.CMAKE_CUDA_FLAGS=-lineinfo -Xptxas=-v" . \
  >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log"; exit 1; }
python3 .ci/cuda_resources.py <"$folder/build.log" >"$folder/kernels.txt"
bash bench/tune/build.sh "$folder"

# What asks for a newer C library than the machine's would not load there.
wheel=$(echo "$folder"/gradstep-*.whl)
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
"$python" -m zipfile -e "$wheel" "$unpacked"
[ -f "$(echo "$unpacked"/gradstep/_cuda.*.so)" ] || { echo "$wheel holds no gradstep/_cuda"; exit 1; }
needed=$(objdump -T "$unpacked"/gradstep/*.so "$folder/tune" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
if [ "$(printf '%s\n' "$needed" "GLIBC_$newest_glibc" | sort -V | tail -n 1)" != "GLIBC_$newest_glibc" ]; then
  echo "$folder needs $needed, and the machine has GLIBC_$newest_glibc at most: build it on an older distribution"
  exit 1
fi

printf '%s, %d KB, needs %s, of commit %s, built in %d s\n' "$(basename "$wheel")" $(($(stat -c %s "$wheel") / 1024)) \
  "$needed" "$(cat "$folder/COMMIT")" "$SECONDS"
