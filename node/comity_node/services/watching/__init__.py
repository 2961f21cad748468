"""What changed, whom it concerns here, and who is told: the feed, vendors, judgements of them, watches and alerts."""
