"""Evidence packs: what happened to a candidate or in a period, in a form that proves it wasn't altered."""
