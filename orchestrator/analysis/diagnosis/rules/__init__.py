"""The signs by which one sees what is wrong with a training, one a file. Each is a function of a trial's curve and of
what the sweep's trials reached, as far as that is known, and gives a verdict or None."""
