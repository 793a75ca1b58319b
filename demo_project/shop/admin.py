from django.contrib import admin

from shop.models import Author, Book, Category, Company, Customer, Order, OrderItem, Product


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "born"]
    search_fields = ["name"]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "published_on", "price"]
    list_select_related = ["author"]
    search_fields = ["title"]
    autocomplete_fields = ["author"]


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):
    list_display = ["symbol", "name", "sector", "city"]
    search_fields = ["symbol", "name"]


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "company"]
    list_select_related = ["company"]
    search_fields = ["name"]
    autocomplete_fields = ["company"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "category", "price", "stock"]
    list_select_related = ["category"]
    search_fields = ["name"]


class OrderItemInline(admin.TabularInline):
    model = OrderItem
    autocomplete_fields = ["product"]
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["number", "customer", "status", "created_at"]
    list_filter = ["status"]
    list_select_related = ["customer"]
    autocomplete_fields = ["customer"]
    inlines = [OrderItemInline]
