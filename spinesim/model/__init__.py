"""Description -> checked -> scaled -> arrays."""
