"""Who a person is, and which invitations they have already: one answer for decisions, sends and people's acts."""
