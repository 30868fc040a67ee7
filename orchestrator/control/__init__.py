"""What other processes see of a driver and ask of it; how the driver answers is in driver/."""
