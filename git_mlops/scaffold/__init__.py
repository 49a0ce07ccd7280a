"""Projects from templates, and workflows compiled from one spec."""
