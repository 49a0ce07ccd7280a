"""Findings rendered: `formats.FORMATS` is the list, and each format is one module with `render`."""
