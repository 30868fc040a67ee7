"""The process that trains: seeds, devices, what is reset between trials; nothing about models or data."""
