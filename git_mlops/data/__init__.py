"""Data under version control: DVC's pointers, cache and remotes."""
