#!/usr/bin/env bash
# Stands in for python3, nvidia-smi, nvcc, compute-sanitizer and ncu in a rehearsal of bench/gpu.sh, under their names.
# STAND_IN holds words like `tests=hang`: how the calls of a part end. One that hangs ends where it is interrupted, and
# one that is deaf where it is killed. CALLS names a file, which gets a line for each call.
set -u

part_of() {
  case "$*" in
    nvidia-smi* | nvcc* | 'python3 -') echo environment ;;
    compute-sanitizer*) echo "$3" ;; # after --tool
    ncu*) echo ncu ;;
    *'pip install'*' .') echo build ;;
    *'pip install'*) echo install ;;
    *'-c import'*) echo import ;;
    *'-m pytest'*) echo tests ;;
    *'-m gradstep bench'*) echo benchmark ;;
    *) basename "$2" .py ;;
  esac
}

name=${0##*/}
echo "$name$(printf ' %q' "$@")" >>"$CALLS"
part=$(part_of "$name" "$@")
echo "$part speaks"
echo "OMP_WAIT_POLICY=${OMP_WAIT_POLICY-}, PYTORCH_NO_CUDA_MEMORY_CACHING=${PYTORCH_NO_CUDA_MEMORY_CACHING-}, $PYTHONPATH"
case " $STAND_IN " in
  *" $part=fail "*) echo "$part is wrong" && exit 1 ;;
  *" $part=crash "*) kill -SEGV $$ ;;
  *" $part=hang "*) trap 'echo "$part was interrupted" && exit 130' INT && while :; do sleep 1; done ;;
  *" $part=deaf "*) trap '' INT && while :; do sleep 1; done ;;
  *" $part=pytest "*) PYTHONPATH='' exec "$REAL_PYTHON" -m pytest "${@:3:3}" -n 1 "$PYTEST_FILE" ;;
esac
[ "$part" != summary ] || PYTHONPATH=$REAL_PYTHONPATH exec "$REAL_PYTHON" "$@"
[ "$part" != tests ] ||
  echo '<testsuites><testsuite><testcase name="test[cuda-AdamW-f32]"/></testsuite></testsuites>' >"$OUT/tests.xml"
