"""The webhook endpoints: authentication, parsing, views."""
