"""The help of the site, for the people who use it: what to do where, and what each thing means."""
