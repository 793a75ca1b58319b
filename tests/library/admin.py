from django.contrib import admin

from tests.library.models import Essay, Person

admin.site.register([Essay, Person])
