"""Who takes part: the authority, data owners, clients, and the provider with its two units."""
