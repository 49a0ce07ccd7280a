"""What each git hook does, and how the hooks are installed."""
