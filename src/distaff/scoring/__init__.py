"""What makes one number trustworthy: the card, intervals, chance and ceiling, protocols, health checks."""
