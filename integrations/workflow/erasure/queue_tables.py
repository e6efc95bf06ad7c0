"""django-q2's own tables. Rows are worked without them, and nothing in them is read: their columns are pickles."""

from django.db.models import Q
from django_q.models import OrmQ, Task


def empty_queue_tables() -> dict[str, int]:
    """Empty what is stored of every task, whomever it is about; return how many rows that changed, by table."""
    stored = Q(args__isnull=False) | Q(kwargs__isnull=False) | Q(result__isnull=False)
    counts = {
        Task._meta.db_table: Task.objects.filter(stored).update(args=None, kwargs=None, result=None),
        OrmQ._meta.db_table: OrmQ.objects.all().delete()[0],
    }
    return {table: count for table, count in counts.items() if count}
