"""Measurements, side by side with the peer in one run; `make bench` prints the table. No tests."""
