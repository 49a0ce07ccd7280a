"""A registered model at work: its bytes brought and verified, batches scored, a server, a container."""
