"""The queue's own tables. Its tasks carry no candidate's data; should an error quote some, it is removed."""

from django_q.models import OrmQ, Task

from integrations.workflow.erasure.subject import Subject


def erase_queue_tables(subject: Subject) -> dict[str, int]:
    """Empty what a stored task says about the person, and remove waiting ones: rows are worked without them too."""
    tasks = [
        task.pk
        for task in Task.objects.iterator()
        if subject.is_mentioned([repr(task.args), repr(task.kwargs), repr(task.result)])
    ]
    waiting = [row.pk for row in OrmQ.objects.iterator() if subject.is_mentioned(repr(row.task))]
    counts = {
        Task._meta.db_table: Task.objects.filter(pk__in=tasks).update(args=(), kwargs={}, result=None),
        OrmQ._meta.db_table: OrmQ.objects.filter(pk__in=waiting).delete()[0],
    }
    return {table: count for table, count in counts.items() if count}
