from __future__ import annotations

from django.contrib import admin

from library.models import Author, Book


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "pages", "author")
    list_filter = ("author__country",)
    search_fields = ("title",)


admin.site.register(Author)
