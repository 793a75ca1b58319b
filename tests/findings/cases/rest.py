"""Serializers of Django REST framework: they read what their fields name."""

from __future__ import annotations

import re

from django.db.models import Count
from django.test import RequestFactory
from rest_framework import generics, serializers
from rest_framework.renderers import JSONRenderer

from tests.library.models import Essay, Person, Topic


def _get(view, **kwargs):
    """The words of the answer: objects without an order come in that of the database."""
    response = view.as_view()(RequestFactory().get("/"), **kwargs)  # read
    return sorted(re.findall(r"[\w ]+", response.render().content.decode()))


class _View:
    renderer_classes = (JSONRenderer,)
    authentication_classes = ()
    permission_classes = ()


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("name", "born")


class NestedSerializer(serializers.ModelSerializer):
    writer = PersonSerializer()

    class Meta:
        model = Essay
        fields = ("title", "writer")


class Nested(_View, generics.ListAPIView):
    queryset = Essay.objects.order_by("pk")  # origin
    serializer_class = NestedSerializer


class NestedFixed(Nested):
    queryset = Essay.objects.order_by("pk").select_related("writer")


class NestedSilent(_View, generics.RetrieveAPIView):
    queryset = Essay.objects.all()
    serializer_class = NestedSerializer
    lookup_field = "title"


def nested_slow():
    return _get(Nested)


def nested_fixed():
    return _get(NestedFixed)


def nested_silent():
    return _get(NestedSilent, title="Essay 1")


class SourceSerializer(serializers.ModelSerializer):
    journal = serializers.CharField(source="journal.name")

    class Meta:
        model = Essay
        fields = ("title", "journal")


class Source(_View, generics.ListAPIView):
    serializer_class = SourceSerializer

    def get_queryset(self):
        return Essay.objects.filter(published=True).order_by("pk")  # origin


class SourceFixed(Source):
    def get_queryset(self):
        return Essay.objects.filter(published=True).order_by("pk").select_related("journal")


class KeySerializer(serializers.ModelSerializer):
    class Meta:
        model = Essay
        fields = ("title", "words")


class SourceSilent(Source):
    serializer_class = KeySerializer


def source_slow():
    return _get(Source)


def source_fixed():
    return _get(SourceFixed)


def source_silent():
    return _get(SourceSilent)


class TopicSerializer(serializers.ModelSerializer):
    class Meta:
        model = Topic
        fields = ("name",)


class ManySerializer(serializers.ModelSerializer):
    topics = TopicSerializer(many=True)

    class Meta:
        model = Essay
        fields = ("title", "topics")


class Many(_View, generics.ListAPIView):
    queryset = Essay.objects.order_by("pk")  # origin
    serializer_class = ManySerializer


class ManyFixed(Many):
    queryset = Essay.objects.order_by("pk").prefetch_related("topics")


class ManySilent(_View, generics.RetrieveAPIView):
    queryset = Essay.objects.all()
    serializer_class = ManySerializer
    lookup_field = "title"


def many_slow():
    return _get(Many)


def many_fixed():
    return _get(ManyFixed)


def many_silent():
    return _get(ManySilent, title="Essay 1")


class CountSerializer(serializers.ModelSerializer):
    number = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("name", "number")

    def get_number(self, person):
        return person.essays.count()  # read: count


class CountFixedSerializer(serializers.ModelSerializer):
    number = serializers.IntegerField()

    class Meta:
        model = Person
        fields = ("name", "number")


class Counted(_View, generics.ListAPIView):
    queryset = Person.objects.order_by("pk")  # origin
    serializer_class = CountSerializer


class CountedFixed(_View, generics.ListAPIView):
    queryset = Person.objects.order_by("pk").annotate(number=Count("essays"))
    serializer_class = CountFixedSerializer


class CountedSilent(_View, generics.ListAPIView):
    queryset = Person.objects.order_by("pk").prefetch_related("essays")
    serializer_class = CountSerializer


def count_slow():
    return _get(Counted)


def count_fixed():
    return _get(CountedFixed)


def count_silent():
    return _get(CountedSilent)


class TextSerializer(serializers.ModelSerializer):
    writer = serializers.StringRelatedField()

    class Meta:
        model = Essay
        fields = ("title", "writer")


def text_slow():
    essays = Essay.objects.order_by("pk")  # origin
    return TextSerializer(essays, many=True).data  # read


def text_fixed():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return TextSerializer(essays, many=True).data


def text_silent():
    return TextSerializer(Essay.objects.get(title="Essay 1")).data
