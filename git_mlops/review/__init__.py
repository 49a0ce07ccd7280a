"""The report of a pull request: what a range of commits does to metrics, data, models; for people."""
