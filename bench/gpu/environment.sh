#!/usr/bin/env bash
# The machine and the versions on it, as far as each can be asked. The first import of torch takes long: it is this one.
trap 'exit 130' INT
ended=0
ask() { "$@" 2>&1 || ended=1; }
ask nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv
ask nvcc --version
ask gcc --version
ask ldd --version
uname -r && nproc
ask python3 - <<'PYTHON'
import sys
import numpy
import torch
print("python", sys.version)
print("numpy", numpy.__version__, "torch", torch.__version__, torch.version.cuda)
print(torch.cuda.get_device_properties(0))
PYTHON
exit $ended
