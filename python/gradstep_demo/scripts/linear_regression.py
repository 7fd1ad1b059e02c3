"""A line through five points by gradient descent, on NumPy arrays (document 2, sections 5.2 to 5.4).

Corrected: the gradient is that of mean((w*x + b - y)**2), and the rate is 0.05, as the document's 0.1 diverges here.
"""

import numpy as np

import gradstep

ITERATIONS = 2000

x = np.array([1.0, 2, 3, 4, 5])
y = np.array([2.0, 4, 5, 4, 5])

w, b = np.random.default_rng(0).standard_normal((2, 1))
optimizer = gradstep.SGD([w, b], lr=0.05)

for iteration in range(ITERATIONS):
    error = w * x + b - y
    dw = np.mean(2 * error * x, keepdims=True)
    db = np.mean(2 * error, keepdims=True)
    optimizer.step([dw, db])
    if iteration % 500 == 0:
        print(f"iteration {iteration}: loss {np.mean(error**2):.4f}")

print(f"w = {w.item():.6f}, b = {b.item():.6f}")
