"""Logs of a run: rate, norms of gradient and update, skipped steps.

>>> import numpy as np, gradstep, tempfile, pathlib
>>> from gradstep.logs import CsvSink, StepLog
>>> path = pathlib.Path(tempfile.mkdtemp()) / "run.csv"
>>> w = np.zeros(2)
>>> opt = gradstep.SGD([w], lr=gradstep.Linear(0.5, 0.0, steps=4))
>>> log = StepLog(opt, CsvSink(path), every=2)
>>> for _ in range(3):
...     gradients = [np.array([3.0, 4.0])]
...     with log.step(gradients):
...         opt.step(gradients)
>>> log.close()
>>> print(path.read_text())
step,rate,gradient_norm,update_norm,skipped_steps
0,0.5,5.0,2.5,0
2,0.25,5.0,1.25,0
<BLANKLINE>
"""

from gradstep.logs.sinks import CsvSink, Sink, TensorBoardSink, WandbSink
from gradstep.logs.step_log import StepLog

__all__ = ["CsvSink", "Sink", "StepLog", "TensorBoardSink", "WandbSink"]
