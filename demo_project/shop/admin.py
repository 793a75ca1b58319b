"""The admin, and beside it one whose list of orders is the same without its N+1."""

from django.contrib import admin

from shop.models import (
    Author,
    Book,
    Box,
    Category,
    Company,
    Content,
    Customer,
    Delivery,
    Member,
    Order,
    OrderItem,
    Parcel,
    Product,
    Visit,
)


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


class OrderList(admin.ModelAdmin):
    list_display = ["number", "customer", "company", "status", "created_at"]
    list_filter = ["status"]
    autocomplete_fields = ["customer"]
    inlines = [OrderItemInline]

    @admin.display(ordering="customer__company__name")
    def company(self, order: Order) -> str:
        return order.customer.company.name


@admin.register(Order)
class OrderAdmin(OrderList):
    # The company of each customer is read row by row. (By itself Django joins the columns' own
    # foreign keys, before 6.1 all that follow from them too.)
    list_select_related = ["customer"]


class FixedOrderAdmin(OrderList):
    list_select_related = ["customer__company"]


fixed_site = admin.AdminSite("fixed-admin")
fixed_site.site_header = "Django administration, the N+1 fixed"
fixed_site.register(Order, FixedOrderAdmin)
for model, its_admin in admin.site._registry.items():
    if model is not Order and model._meta.app_label == "shop":
        fixed_site.register(model, type(its_admin))


class ContentInline(admin.TabularInline):
    model = Content
    extra = 0


@admin.register(Box)
class BoxAdmin(admin.ModelAdmin):
    list_display = ["label", "room"]
    list_filter = ["room"]
    inlines = [ContentInline]


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "city", "plan"]
    list_filter = ["plan"]
    search_fields = ["name", "email"]


@admin.register(Visit)
class VisitAdmin(admin.ModelAdmin):
    list_display = ["page", "company", "seconds"]
    list_filter = ["page"]
    list_select_related = ["company"]
    autocomplete_fields = ["company"]


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    list_display = ["number", "city", "status", "created_at"]
    list_filter = ["status"]


@admin.register(Parcel)
class ParcelAdmin(admin.ModelAdmin):
    list_display = ["number", "customer", "status", "created_at"]
    list_filter = ["status"]
    list_select_related = ["customer"]
    autocomplete_fields = ["customer"]
