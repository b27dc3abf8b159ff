"""What comes after a run: record, table, board. Never imports torch."""
