"""What comes from outside: arrays, tensors, numbers, devices, and the threads of others."""
