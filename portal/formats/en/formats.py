"""English formats. The admin shows records: their times have seconds."""

DATETIME_FORMAT = "j M Y, H:i:s"
