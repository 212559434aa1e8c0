"""What outlives an emulator: a journal of every change, and how objects are written into it."""
