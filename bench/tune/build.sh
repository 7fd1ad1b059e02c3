#!/usr/bin/env bash
# build.sh FOLDER [option of nvcc...]: compiles the tuning program for Hopper (sm_90), as FOLDER/tune. It needs nvcc of
# CUDA 13 and no GPU; the program needs the driver alone. $NVCC names another compiler, $JOBS how many run side by side.
set -euo pipefail
: "${1:?names the folder for the program}"
mkdir -p "$1" && folder=$(realpath "$1")
shift
cd "$(dirname "$0")/../.."
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

# The arithmetic is that of the engine (cpp/cuda/CMakeLists.txt).
arithmetic="-O3 --fmad=false -prec-div=true -prec-sqrt=true -ftz=false"
export NVCC=${NVCC:-nvcc}
export FLAGS="-std=c++20 -arch=sm_90 -lineinfo $arithmetic -DGS_TARGET=cuda -Icpp -Xcompiler=-Wall,-Wextra $*"
export objects
printf '%s\n' bench/tune/*.cu |
  xargs -P "${JOBS:-$(nproc)}" -I{} bash -c '$NVCC $FLAGS -c {} -o "$objects/$(basename {}).o"'
"$NVCC" -arch=sm_90 -cudart=static -Xcompiler=-static-libstdc++,-static-libgcc "$objects"/*.o -o "$folder/tune"
