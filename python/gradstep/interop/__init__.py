"""Access to other libraries: arrays, tensors, numbers, devices and threads."""
