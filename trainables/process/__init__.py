"""The process that trains: seeds, devices, what is set back between two trials; nothing about models or data."""
