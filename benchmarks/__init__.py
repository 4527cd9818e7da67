"""How long it takes, as ratios in one run against what people use today."""
