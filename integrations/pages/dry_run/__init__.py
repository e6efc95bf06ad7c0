"""The dry run: what would happen if a candidate entered a stage."""
