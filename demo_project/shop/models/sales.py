"""Books, companies and what they order."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()
    born = models.PositiveSmallIntegerField()
    bio = models.TextField()

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    published = models.BooleanField(default=False)
    published_on = models.DateField(null=True, blank=True)
    pages = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    summary = models.TextField()

    def __str__(self) -> str:
        return self.title


class Company(models.Model):
    symbol = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=100)
    sector = models.CharField(max_length=40)
    city = models.CharField(max_length=40)
    founded = models.PositiveSmallIntegerField()
    employees = models.PositiveIntegerField()
    website = models.URLField()
    description = models.TextField()

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return f"{self.symbol} {self.name}"


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="customers")

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    name = models.CharField(max_length=60, unique=True)
    description = models.TextField()

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    name = models.CharField(max_length=100)
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="products")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        SHIPPED = "shipped"

    number = models.CharField(max_length=12, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    # No index on purpose: the examples about indexes and query plans filter and sort by these.
    status = models.CharField(max_length=10, choices=Status)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField()
    unit_price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"
