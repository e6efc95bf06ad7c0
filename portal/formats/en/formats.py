"""How times are written in English where a template doesn't say it: records in the admin have seconds."""

DATETIME_FORMAT = "j M Y, H:i:s"
