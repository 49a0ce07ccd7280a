"""Tables by form: what can be read, and as which frame. Below `data` and `schema`, which both need it."""
