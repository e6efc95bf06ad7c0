"""What people and commands do: each operation checks, stores and audits."""
