"""Boxes with contents, visits to count and add up, and a table of thirty columns."""

from django.db import models

from shop.models.sales import Company


class Box(models.Model):
    label = models.CharField(max_length=40)
    room = models.CharField(max_length=40)

    class Meta:
        verbose_name_plural = "boxes"

    def __str__(self) -> str:
        return self.label


class Content(models.Model):
    box = models.ForeignKey(Box, on_delete=models.CASCADE, related_name="contents")
    name = models.CharField(max_length=60)
    quantity = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.name


class Visit(models.Model):
    """Of one company's pages; there are many."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="visits")
    page = models.CharField(max_length=40)
    seconds = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.page}, {self.seconds} s"


class Member(models.Model):
    """Thirty columns, two of them long, as tables get that have grown for years."""

    name = models.CharField(max_length=100)
    email = models.EmailField()
    city = models.CharField(max_length=40)
    country = models.CharField(max_length=40)
    street = models.CharField(max_length=80)
    postcode = models.CharField(max_length=12)
    phone = models.CharField(max_length=20)
    mobile = models.CharField(max_length=20)
    fax = models.CharField(max_length=20)
    website = models.URLField()
    company = models.CharField(max_length=100)
    department = models.CharField(max_length=60)
    job = models.CharField(max_length=60)
    language = models.CharField(max_length=20)
    timezone = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    born = models.PositiveSmallIntegerField()
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    plan = models.CharField(max_length=20)
    is_active = models.BooleanField(default=True)
    is_verified = models.BooleanField(default=False)
    wants_news = models.BooleanField(default=False)
    logins = models.PositiveIntegerField()
    points = models.PositiveIntegerField()
    credit = models.IntegerField()
    notes = models.CharField(max_length=200)
    bio = models.TextField()
    # As a picture is kept where it should not be: in the row.
    image = models.TextField()

    def __str__(self) -> str:
        return self.name
