"""The release code of this project: six nox sessions and the logic behind them."""
