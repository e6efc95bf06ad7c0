"""What the pretend Lever holds: accounts with people, postings, opportunities, webhooks and grants."""
