"""Read the configuration file that a command is given."""

from pathlib import Path

from integrations.configuration import Configuration, ConfigurationError, load


def configuration_in(path: Path) -> Configuration:
    """Return the contents of the file. Raises ConfigurationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text.") from error
    return load(text)
