"""Which GPUs this machine has, counted without torch and mostly without Ray; not what trials do with them."""
