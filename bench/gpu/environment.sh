#!/usr/bin/env bash
# The machine and the versions on it, as far as each can be asked. The first import of torch takes long: it is this one.
set -o pipefail
trap 'exit 130' INT
failed=0
nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv || failed=1
nvcc --version | tail -n 2 || failed=1
gcc --version | sed -n 1p || failed=1
ldd --version | sed -n 1p || failed=1
echo "kernel $(uname -r), $(nproc) cores"
python3 - <<'PYTHON' || failed=1
import sys
import numpy
import torch
print("python", sys.version.split()[0], "numpy", numpy.__version__, "torch", torch.__version__, torch.version.cuda)
print(torch.cuda.get_device_properties(0))
PYTHON
exit $failed
