def loop(
    timeout: float = ...,
    use_poll: bool = ...,
    map: dict[int, object] = ...,  # noqa: A002
    count: int | None = ...,
) -> None: ...
