"""The method `auto`: a portfolio of random, density, local and model-based proposals."""
