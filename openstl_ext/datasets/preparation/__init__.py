"""How each published dataset is fetched, verified and laid out; its tools call this."""
