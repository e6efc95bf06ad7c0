"""A thread that looks at something again and again."""

import threading

from integrations.http.deadlines import Watch


class Failing(Watch):
    """Fails at the first look; has nothing left to look at after the second."""

    def __init__(self) -> None:
        super().__init__(0.01)
        self.looks = 0
        self.has_ended = threading.Event()

    def look(self) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise RuntimeError("Set changed size during iteration")
        self.has_ended.set()
        return False

    def forget(self) -> None:
        pass


def test_the_thread_goes_on_when_a_look_fails(caplog):
    watch = Failing()
    with watch.lock:
        watch.begin()
    assert watch.has_ended.wait(5)
    assert "could not be looked at" in caplog.text


def test_a_thread_is_started_again_when_the_last_one_has_ended():
    watch = Failing()
    for _ in range(2):
        watch.has_ended.clear()
        with watch.lock:
            watch.begin()
        assert watch.has_ended.wait(5)


def test_no_thread_counts_as_running_when_none_could_be_started(monkeypatch):
    watch = Failing()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        try:
            watch.begin()
        except RuntimeError:
            pass
    with watch.lock:
        watch.begin()
    assert watch.has_ended.wait(5)
