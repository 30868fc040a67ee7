"""Which GPUs this machine has, counted without torch and, unless it has other GPUs than NVIDIA's, without Ray."""
