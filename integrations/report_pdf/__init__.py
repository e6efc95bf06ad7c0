"""The report on one assessment as a PDF: what it says, and how it looks. No tables, no platforms."""
