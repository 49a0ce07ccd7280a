"""What is served against what it was trained on: drift, quality and age as findings, recorded, told."""
