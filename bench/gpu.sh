#!/usr/bin/env bash
# On a machine with a CUDA GPU and nvcc, in one call of less than 8 minutes: builds for this machine, tests the engine
# on the GPU, looks for bad memory accesses and races, and runs the benchmark of the device. Leaves in the folder $OUT:
#   environment.txt build.log kernels.txt tests.log sanitizer.log bench.log bench.json bench.png
# It needs torch with CUDA, cmake, ninja, pybind11 and scikit-build-core in python3; $WHEELS may name a folder of wheels
# with what is missing there. What it builds goes with it.
set -uo pipefail
: "${OUT:?names the folder for the results}"
mkdir -p "$OUT" && OUT=$(realpath "$OUT")
cd "$(dirname "$0")/.." || exit
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
export OUT site PYTHONPATH=$site PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
failed=()

# part NAME SECONDS LOG COMMAND...: runs the command, no longer than that, and adds what it says to the log.
part() {
  local name=$1 limit=$2 log=$OUT/$3 start=$SECONDS
  shift 3
  timeout -k 5 "$limit" "$@" >>"$log" 2>&1
  local status=$?
  printf '%-12s %4d s  %s\n' "$name" $((SECONDS - start)) "$([ $status = 0 ] && echo passed || echo "failed ($status)")"
  [ $status = 0 ] || failed+=("$name")
  return $status
}

look_around() {
  nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv
  nvcc --version | tail -2
  python3 -c 'import sys, torch; print("python", sys.version); print("torch", torch.__version__, torch.version.cuda)'
  git log -1 --format='commit %h %s' 2>/dev/null
  nproc
}

define=--config-settings=cmake.define

build() {
  if [ -n "${WHEELS:-}" ]; then
    python3 -m pip install -q --no-index --no-deps --target "$site" "$WHEELS"/*.whl || return
  fi
  python3 -m pip install -v --no-index --no-deps --no-build-isolation --target "$site" \
    "$define.GRADSTEP_WERROR=ON" "$define.GRADSTEP_CUDA=ON" "$define.GRADSTEP_EMULATED=ON" \
    "$define.CMAKE_CUDA_ARCHITECTURES=native" "$define.CMAKE_CUDA_FLAGS=-Xptxas=-v" .
}

# Both tools look at this library's kernels alone, on a few small steps.
sanitize() {
  compute-sanitizer --tool "$1" --target-processes all --kernel-name kernel_substring=gradstep --error-exitcode 9 \
    python3 -m pytest -q -p no:cacheprovider -p no:xdist tests/device/test_around.py \
    -k 'cuda and f32 and (AdamW or LAMB) and (clip_norm or stats or cast_to)'
}

measure() {
  python3 -m gradstep bench --device cuda --json "$OUT/bench.json" --out "$OUT/bench.png"
}

export -f look_around build sanitize measure
part environment 30 environment.txt bash -c look_around
if part build 150 build.log bash -c build; then
  part kernels 10 kernels.txt python3 .ci/cuda_resources.py <"$OUT/build.log"
  part tests 110 tests.log python3 -m pytest -q -n 8 --durations=10 tests/device tests/bench/test_cuda_bench.py
  part benchmark 90 bench.log bash -c measure
  part memcheck $(((460 - SECONDS) / 2)) sanitizer.log bash -c 'sanitize memcheck'
  part racecheck $((460 - SECONDS)) sanitizer.log bash -c 'sanitize racecheck'
fi
tail -n 3 "$OUT"/tests.log "$OUT"/sanitizer.log
tail -n 40 "$OUT"/bench.log
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
