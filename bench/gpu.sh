#!/usr/bin/env bash
# On a machine with a CUDA GPU, in one call: installs gradstep there, tests its engine on the GPU, looks for bad memory
# accesses and races, and measures. bench/README.md says how to use it. It needs torch with CUDA, and where it builds
# from source nvcc, cmake, ninja, pybind11 and scikit-build-core in python3.
#
#   OUT     the folder for the results: summary.txt COMMIT bench.json bench.png tests.xml logs.tgz
#   WHEELS  a folder from bench/gpu_wheel.sh, if there is one: what it holds is installed; otherwise, and where that is of
#           another tree or does not load, this builds from source
#   LIMITS_PERCENT  scales the limit and the grace of each part (100)
#
# All limits and graces together come to 450 s at most with a wheel, and to 590 s from source.
# tests/bench/test_gpu_kit.py rehearses this script, with stand-ins for all that it calls.
set -uo pipefail
: "${OUT:?names the folder for the results}"
mkdir -p "$OUT" && OUT=$(realpath "$OUT")
WHEELS=$(realpath -m "${WHEELS:-/nonexistent}")
percent=${LIMITS_PERCENT:-100}
cd "$(dirname "$0")/.." || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=$work/logs site=$work/site
mkdir "$logs"
export PYTHONPATH=$site PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=${CUDA_HOME:-/usr/local/cuda}/bin:$PATH

# scale SECONDS: what LIMITS_PERCENT leaves of them.
scale() { printf '%d.%02d' $(($1 * percent / 100)) $(($1 * percent % 100)); }

# run NAME SECONDS GRACE COMMAND...: the command writes the log of that name and is interrupted at the limit, so that it
# can still say what it found; after the grace it is killed. Its status, its seconds, limit and grace go into a list.
# timeout interrupts its child twice, and pytest gives up its summary at the second: a shell between them takes one.
run() {
  local name=$1 limit grace start=$SECONDS status
  limit=$(scale "$2") grace=$(scale "$3")
  shift 3
  timeout -s INT -k "$grace" "$limit" bash -c 'trap : INT; "$@"; exit' shell "$@" >>"$logs/$name.log" 2>&1
  status=$?
  echo "$name $status $((SECONDS - start)) $limit $grace" | tee -a "$logs/parts.txt"
  return $status
}

# part ...: a run, and then all logs so far go into the archive: the call may end before the script does.
part() {
  run "$@"
  local status=$?
  tar -czf "$work/logs.tgz" -C "$work" logs 2>/dev/null
  cp "$work/logs.tgz" "$OUT/logs.tgz"
  return $status
}

# The wheel is used if it was made from what lies here. What else lies beside it is installed in any case.
define=--config-settings=cmake.define
install_gradstep() {
  local fits=true
  if compgen -G "$WHEELS/*.whl" >/dev/null; then
    part install 15 5 python3 -m pip install -q --no-index --no-deps --no-compile --target "$site" "$WHEELS"/*.whl ||
      fits=false
    if ! sha256sum --check --quiet "$WHEELS/SOURCES" >"$logs/sources.log" 2>&1; then
      echo "the wheel in $WHEELS was not made from this tree" | tee "$logs/stale.log"
      fits=false
    fi
    $fits && part import 10 5 python3 -c 'import gradstep._cuda' && return
  fi
  part build 130 5 python3 -m pip install -v --no-index --no-deps --no-build-isolation --upgrade --target "$site" \
    "$define.GRADSTEP_CUDA=ON" "$define.GRADSTEP_WERROR=OFF" "$define.GRADSTEP_EMULATED=OFF" \
    "$define.CMAKE_CUDA_ARCHITECTURES=native" "$define.CMAKE_CUDA_FLAGS=-lineinfo" . &&
    part import 10 5 python3 -c 'import gradstep._cuda'
}

# Without torch's caching allocator each array is an allocation of its own, whose ends are watched. What initcheck is to
# know as written must not be written by a kernel that it does not watch.
sanitize() {
  local tool=$1 kernels=(--kernel-name kernel_substring=gradstep)
  [ "$tool" != initcheck ] || kernels=()
  run "$tool" 110 10 env PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool "$tool" --target-processes all \
    --error-exitcode 9 "${kernels[@]}" python3 bench/gpu/small_steps.py
}

# A wait that spins would take a core from another process; the benchmark has the machine for itself.
# The grace is 20 s since xdist gives a worker that is stuck in a kernel 10 s before pytest prints its summary.
test_all() {
  part tests 110 20 env OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive COLUMNS=160 \
    python3 -m pytest -q -rf --tb=short --exhaustive --maxfail=40 -n 12 --max-worker-restart=20 --durations=10 \
    --junitxml="$OUT/tests.xml" -k 'cuda and not emulated' tests/device tests/bench/test_cuda_bench.py
}

profile() {
  part ncu 50 5 ncu --clock-control none --cache-control none --target-processes all --profile-from-start off \
    --kernel-name 'regex:update_kernel|prepare_kernel|sum_gradients_kernel' --launch-count 8 --print-details all \
    --section SpeedOfLight --section MemoryWorkloadAnalysis --section Occupancy --section LaunchStats \
    --section SchedulerStats --section WarpStateStats python3 bench/gpu/large_steps.py
}

git describe --always --dirty --exclude='*' >"$OUT/COMMIT" 2>/dev/null ||
  cp "$WHEELS/COMMIT" "$OUT/COMMIT" 2>/dev/null || echo unknown >"$OUT/COMMIT"
GRADSTEP_COMMIT=$(cat "$OUT/COMMIT") && export GRADSTEP_COMMIT
part environment 40 5 bash bench/gpu/environment.sh
if install_gradstep; then
  part smoke 35 5 python3 bench/gpu/smoke.py
  part kernel_times 25 5 python3 bench/gpu/kernel_times.py "$logs/traces"
  for tool in memcheck racecheck synccheck initcheck; do sanitize "$tool" & done
  test_all
  wait
  part benchmark 85 5 python3 -m gradstep bench --device cuda --json "$OUT/bench.json" --out "$OUT/bench.png"
  profile
fi
part summary 10 5 python3 bench/gpu/summary.py "$logs" "$OUT" || tail -n 4 "$logs"/*.log >>"$logs/summary.log"
cp "$logs/summary.log" "$OUT/summary.txt"
tail -c 11000 "$OUT/summary.txt" # the call shows the last 12,000 characters of all that is printed
failed=$(awk '$2 != 0 { print $1 }' "$logs/parts.txt" | paste -sd ' ')
[ -z "$failed" ] || { echo "failed: $failed"; exit 1; }
