"""The site's pages for people: generic views, their forms and their addresses, one module per page."""
