"""The yardsticks: a Django project with two views that insert one row, a plain one and one of Django REST framework."""
