"""spinesim: how muscle imbalance loads the lower back and its nerves."""
