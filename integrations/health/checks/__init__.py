"""The doctor's checks, by subject: each yields what is wrong with one organization and asks no platform."""
