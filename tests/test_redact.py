from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat, Lower, Upper

from django_hotpath import redact
from tests.recording import recording


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host:8443/a?b=1", "https://host:8443/a?b=1"),
        ("https://ada:hunter2@host/a#b", "https://***@host/a"),
        ("https://host/a?page=1&api_key=hunter2", "https://host/a?page=1&api_key=***"),
        ("https://[hunter2/?a=1", "***"),
        ("/a?token=hunter2", "/a?token=***"),
    ],
)
def test_an_address_shows_neither_who_asks_nor_secrets(text: str, shown: str) -> None:
    assert redact.url(text) == shown


def test_query_string_masks_values_of_secret_names_only() -> None:
    text = "q=book&access_token=abc&a=&flag&Pass%77ord=x&csrfmiddlewaretoken=y"
    masked = "q=book&access_token=***&a=&flag&Pass%77ord=***&csrfmiddlewaretoken=***"
    assert redact.query_string(text) == masked


BULK_UPDATE = (
    'UPDATE "u" SET "password" = (CASE WHEN ("u"."id" = %s) THEN %s WHEN ("u"."id" = %s) THEN %s '
    'ELSE NULL END)::varchar(128) WHERE "u"."id" IN (%s, %s)'
)


@pytest.mark.parametrize(
    ("sql", "secret"),
    [
        pytest.param('SELECT * FROM "u" WHERE "u"."id" = %s', set(), id="no secret word"),
        pytest.param("SELECT UPPER(%s) || %s FROM u", set(), id="no secret word, expressions"),
        pytest.param('SELECT "u"."password" FROM u WHERE u.id = %s', set(), id="id of a user"),
        pytest.param('UPDATE "u" SET "password" = %s, "name" = %s WHERE "id" = %s', {0}, id="SET"),
        pytest.param("UPDATE u SET a = %s, password = %s WHERE b = %s", {1}, id="SET, second"),
        pytest.param('SELECT 1 FROM s WHERE s."session_key" = %s AND "s"."n" > %s', {0}, id="AND"),
        pytest.param("WHERE token IN (%s, %s, %s) AND n = %s", {0, 1, 2}, id="IN"),
        pytest.param("WHERE password NOT IN (%s, %s) AND n NOT IN (%s, %s)", {0, 1}, id="NOT IN"),
        pytest.param("WHERE id = ANY(%s) AND token = ANY(%s)", {1}, id="ANY"),
        pytest.param("WHERE secret LIKE %s ESCAPE '\\' AND n LIKE %s ESCAPE '\\'", {0}, id="LIKE"),
        pytest.param('WHERE "password"::text LIKE %s AND name::text LIKE %s', {0}, id="cast"),
        pytest.param("WHERE password LIKE BINARY %s AND n LIKE BINARY %s", {0}, id="BINARY"),
        pytest.param("WHERE password IS NOT %s AND n IS NOT %s", {0}, id="IS NOT"),
        pytest.param("WHERE password IS DISTINCT FROM %s AND n IS DISTINCT FROM %s", {0}, id="IS"),
        pytest.param("WHERE NOT (password = %s AND NOT (id = %s))", {0}, id="NOT"),
        pytest.param("WHERE password BETWEEN %s AND %s AND n = %s", {0, 1}, id="BETWEEN"),
        pytest.param("WHERE n BETWEEN %s AND %s AND password = %s", {2}, id="BETWEEN of another"),
        pytest.param("WHERE n BETWEEN password AND %s", {0}, id="BETWEEN with a secret"),
        pytest.param("WHERE %s = password AND %s = id", {0}, id="reversed"),
        pytest.param('WHERE UPPER("password") = %s AND id = %s', {0}, id="function of a column"),
        pytest.param("WHERE password = LOWER(%s) AND id = %s", {0}, id="function of a value"),
        pytest.param(
            'WHERE UPPER("password"::text) LIKE UPPER(%s) OR UPPER("u"."n"::text) LIKE UPPER(%s)',
            {0},
            id="icontains on PostgreSQL",
        ),
        pytest.param("WHERE password = %s || %s AND id = %s", {0, 1}, id="concatenation"),
        pytest.param("WHERE name = %s || password", {0}, id="concatenation with a secret"),
        pytest.param("WHERE password || name = %s", {0}, id="expression of a secret"),
        pytest.param("WHERE (password, name) = (%s, %s)", {0, 1}, id="rows compared"),
        pytest.param("WHERE password = (SELECT p FROM x WHERE name = %s)", set(), id="subquery"),
        pytest.param("SELECT %s, token FROM u", {0}, id="value without a column"),
        pytest.param("SELECT id, password FROM u LIMIT %s OFFSET %s", set(), id="LIMIT"),
        pytest.param("SELECT set_password(id, name = %s)", {0}, id="argument of a function"),
        pytest.param(BULK_UPDATE, {1, 3}, id="bulk_update"),
        pytest.param("SET a = 'x%%s', password = %s WHERE id = %s", {0}, id="percent in a string"),
        pytest.param("SET a = 'what?', password = %s WHERE id = %s", {0}, id="mark in a string"),
        pytest.param("SET a = 'it''s', password = %s WHERE id = %s", {0}, id="doubled quote"),
        pytest.param("SET a = $x$ ' %s $x$, password = %s WHERE id = %s", {0}, id="dollar quotes"),
        pytest.param('SET "a?%%s" = %s, password = %s WHERE id = %s', {1}, id="odd identifier"),
        pytest.param("SET a = %s, -- don't %s\n password = %s", {1}, id="comment"),
        pytest.param("/* ' %s */ SET a = %s, password = %s", {1}, id="block comment"),
        pytest.param("SET a = 'x\\', password = %s WHERE id = %s", {0, 1}, id="backslash quote"),
        pytest.param("SET password = %s, a = 'open WHERE id = %s", {0, 1}, id="open quote"),
        pytest.param("SET password = ?, a = ? WHERE id = ?", {0}, id="question marks"),
        pytest.param("WHERE data ? 'a' AND password = %s AND id = %s", {0}, id="operator ?"),
        pytest.param("WHERE password = %(p)s AND id = %(i)s", {0}, id="named"),
        pytest.param("WHERE [password] = %s AND [id] = %s", {0}, id="brackets"),
        pytest.param("WHERE `u`.`password` = %s AND `u`.`id` = %s", {0}, id="backticks"),
        pytest.param("SELECT password AS p, id AS i FROM u HAVING p = %s AND i = %s", {0}, id="AS"),
        pytest.param(
            "SELECT UPPER(password) AS p FROM u HAVING p = %s", {0}, id="AS of a function"
        ),
        pytest.param(
            "WITH x (i, p) AS (SELECT id, password FROM u) SELECT 1 FROM x WHERE p = %s",
            {0},
            id="WITH",
        ),
        pytest.param(
            'SELECT 1 FROM "u" INNER JOIN "authtoken_token" T3 ON ("u"."id" = T3."user_id") '
            'WHERE "authtoken_token"."key" = %s AND T3."key" = %s AND "u"."id" = %s',
            {0, 1},
            id="table with a secret name",
        ),
        pytest.param(
            "DELETE FROM authtoken_token WHERE key = %s", {0}, id="column of such a table"
        ),
    ],
)
def test_placeholders_are_masked_unless_they_belong_to_another_column(
    sql: str, secret: set[int]
) -> None:
    assert redact.secret_positions(sql) == secret


@pytest.mark.parametrize(
    ("sql", "secret"),
    [
        pytest.param('INTO "u" ("name", "password") VALUES (%s, %s), (%s, %s)', {1, 3}, id="rows"),
        pytest.param(
            "INTO u (a, b, c, password) VALUES (%s, CURRENT_TIMESTAMP, %s, %s), "
            "(%s, f(%s, 2), %s, %s)",
            {2, 6},
            id="expressions in rows",
        ),
        pytest.param("INTO u (a, b) VALUES (vault_secret(%s), %s)", {0}, id="secret function"),
        pytest.param("INTO u (password) VALUES (%s), (%s)", {0, 1}, id="one column"),
        pytest.param("INTO u (a, password) VALUES (%s, %s, %s)", {1, 2}, id="more values"),
        pytest.param("INTO u (token, a) SELECT %s, %s", {0, 1}, id="SELECT"),
        pytest.param(
            "INTO u (token, a) SELECT t, a FROM v WHERE id = %s", set(), id="SELECT WHERE"
        ),
        pytest.param(
            "INTO u (a, password) VALUES (%s, %s) ON CONFLICT (a) DO UPDATE SET password = %s, "
            "a = %s WHERE u.id = %s RETURNING id, password",
            {1, 2},
            id="ON CONFLICT",
        ),
        pytest.param(
            "INTO u (a, password) VALUES (%s, %s) ON DUPLICATE KEY UPDATE password = %s, a = %s",
            {1, 2},
            id="ON DUPLICATE KEY",
        ),
        pytest.param("INTO u SET a = %s, password = %s", {1}, id="SET"),
        pytest.param("INTO u VALUES (%s, %s) RETURNING password", {0, 1}, id="without columns"),
        pytest.param(
            "INTO u (password, a) SELECT * FROM UNNEST((%s)::varchar[], (%s)::int[])",
            {0, 1},
            id="UNNEST",
        ),
        pytest.param(
            'INTO "authtoken_token" ("key", "user_id") VALUES (%s, %s)', {0, 1}, id="table"
        ),
    ],
)
def test_the_values_of_an_insert_are_those_of_its_columns(sql: str, secret: set[int]) -> None:
    assert redact.secret_positions(f"INSERT {sql}") == secret


def test_named_placeholders_are_masked_by_the_column() -> None:
    sql = "SELECT 1 FROM u WHERE password = %(p)s AND id = %(i)s AND name = %(p)s"
    assert redact.secret_names(sql) == {"p"}


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("UPDATE u SET password = 'hunter2'", "UPDATE u SET password = '***'"),
        ("WHERE password = E'hunter2' AND id = 5", "WHERE password = E'***' AND id = 5"),
        ("WHERE password = $$hunter2$$", "WHERE password = '***'"),
        ('WHERE password = "hunter2"', "WHERE password = '***'"),
        ("WHERE cvv = 2222 AND id = 5 LIMIT 21", "WHERE cvv = '***' AND id = 5 LIMIT 21"),
        ("INSERT INTO u (id, cvv) VALUES (5, 22)", "INSERT INTO u (id, cvv) VALUES (5, '***')"),
        ("SELECT 1 AS a, password -- password hunter2", "SELECT 1 AS a, password /* *** */"),
        ("SET a = 'it\\'s', password = 'hunter2'", "SET a = ***"),
        ("WHERE password LIKE 'x' ESCAPE '\\'", "WHERE password LIKE '***' ESCAPE '\\'"),
    ],
)
def test_literals_of_a_statement_that_names_a_secret_are_masked(sql: str, shown: str) -> None:
    assert redact.sql_text(sql) == shown


def test_literals_of_other_statements_are_shown() -> None:
    sql = "SELECT 'hello' FROM shop_book WHERE title = 'x' -- why"
    assert redact.sql_text(sql) == sql


HOSTILE = [
    *("'", '"', "`", "(", ")", "(%s", "%s, ", "?", "a", "$$", "$a$ ", "/*", "-- \n", "\\'", "'\\"),
    *("[a", "%(a", "::a(", "INTO a(b,", ") AS (", ") x (a,b ", "IN (", "password ", "x AS y "),
    *("%s=a.b AND ", "INSERT (a) ", "BETWEEN %s AND %s ", "WITH a (b) AS ("),
]


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_statements_are_read_in_linear_time(part: str) -> None:
    sql = "UPDATE u SET password = %s, a = " + part * (200_000 // len(part))
    started = time.process_time()
    assert 0 in redact.secret_positions(sql)
    # Quadratic, it would be minutes.
    assert time.process_time() - started < 5


def test_a_long_literal_is_read_in_linear_time() -> None:
    sql = f"SELECT 1 FROM u WHERE password = %s AND id = %s AND title <> '{'a' * 200_000}'"
    started = time.process_time()
    assert redact.secret_positions(sql) == {0}
    assert time.process_time() - started < 5


@pytest.mark.parametrize("part", ["password", "password='", "token: ", "Key (a)=(", "a-", "'\\"])
def test_hostile_messages_are_read_in_linear_time(part: str) -> None:
    started = time.process_time()
    redact.message(part * (200_000 // len(part)))
    assert time.process_time() - started < 5


def test_the_first_rows_of_a_very_long_insert_are_shown() -> None:
    sql = "INSERT INTO u (a, password) VALUES " + ", ".join(["(%s, %s)"] * 20_000)
    secret = redact.secret_positions(sql)
    assert {0, 1, 2, 3, 39_998, 39_999} & secret == {1, 3, 39_998, 39_999}


def test_long_statements_are_not_kept() -> None:
    before = redact._cached.cache_info().currsize
    redact.secret_positions(f"SELECT password, '{'a' * 10_000}'")
    assert redact._cached.cache_info().currsize == before


def test_keys_of_json_are_masked_at_any_depth() -> None:
    text = json.dumps({"a": [{"password": "hunter2"}, 5], "b": json.dumps({"token": "hunter2"})})
    shown = redact.json_text(text)
    assert "hunter2" not in shown
    assert json.loads(shown)["a"] == [{"password": "***"}, 5]


def test_an_escaped_key_of_json_is_masked() -> None:
    assert "hunter2" not in redact.json_text('{"p\\u0061ssword": "hunter2"}')


def test_json_that_does_not_parse_is_masked_as_text() -> None:
    assert redact.json_text("{'password': 'hunter2', 'a': 1}") == "{'password': ***, 'a': 1}"


def test_json_without_secret_keys_and_other_text_are_as_they_were() -> None:
    for text in ('{"a":1,  "b":"token"}', "[draft] a token", "password: see the manual", ""):
        assert redact.json_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("login failed: password=hunter2 for bob", "login failed: password=*** for bob"),
        ("password: hunter2, user: bob", "password: ***, user: bob"),
        ("{'password': 'hunter 2', 'id': 5}", "{'password': ***, 'id': 5}"),
        ('{"token": ["a", "b"], "id": 5}', '{"token": ***, "id": 5}'),
        ("user=bob,password=hunter2", "user=bob,password=***"),
        ("connect(password='a\\'b', port=1)", "connect(password=***, port=1)"),
        ("/x?id=5&token=abc&b=1", "/x?id=5&token=***&b=1"),
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
        ("token: Bearer abc", "token: ***"),
        ("secret_key == abc", "secret_key == ***"),
        ("Key (token)=(a b) already exists.", "Key (token)=*** already exists."),
        ("Key (token, id)=(abc, 5) already exists.", "Key (token, id)=(***) already exists."),
        ("Key (id)=(5) already exists.", "Key (id)=(5) already exists."),
        ("Duplicate entry 'abc' for key 'u.token'", "Duplicate entry '***' for key 'u.token'"),
        ("Duplicate entry 'abc' for key 'u.name'", "Duplicate entry 'abc' for key 'u.name'"),
        ("Failing row contains (5, abc).", "Failing row contains (***)"),
        ("InvalidTokenError: signature has expired", "InvalidTokenError: signature has expired"),
        ("UNIQUE constraint failed: u.password", "UNIQUE constraint failed: u.password"),
        ("no such table: nowhere", "no such table: nowhere"),
    ],
)
def test_messages_lose_the_values_of_secret_names(text: str, masked: str) -> None:
    assert redact.message(text) == masked


@pytest.mark.parametrize(
    ("path", "kwargs", "masked"),
    [
        ("/reset/MQ/abc-123/", {"uidb64": "MQ", "token": "abc-123"}, "/reset/MQ/***/"),
        ("/books/5/", {"pk": 5}, "/books/5/"),
        ("/a1/1/", {"token": 1}, "/a1/***/"),
        ("/x-abcd.pdf", {"token": "abcd"}, "/x-***.pdf"),
        ("/a%20bc/", {"token": "a bc"}, "/***/"),
        ("/abcd/abcdef/", {"token": "abcd", "secret": "abcdef"}, "/***/***/"),
        ("/a/", {"token_required": True, "token": None}, "/a/"),
        ("/files/xyz/", {"token": 12345}, "/***"),
    ],
)
def test_paths_lose_the_values_of_secret_arguments(
    path: str, kwargs: dict[str, object], masked: str
) -> None:
    assert redact.path(path, kwargs) == masked


def test_cache_keys_are_masked_from_the_secret_word_on() -> None:
    assert redact.cache_key("django.contrib.sessions.cacheabc") == "django.contrib.session***"
    assert redact.cache_key("books:1") == "books:1"


def test_patterns_come_from_the_settings(settings: Any) -> None:
    assert redact.secret_positions("WHERE facebook = %s") == set()
    settings.HOTPATH = {"REDACT": ["book", "(broken"]}
    assert redact.is_secret("facebook")
    assert not redact.is_secret("password")
    assert redact.secret_positions("WHERE facebook = %s") == {0}


def test_patterns_do_not_disturb_each_other(settings: Any) -> None:
    settings.HOTPATH = {"REDACT": [r"(a)\1", r"(b)\1", "(?i)pin", "(?P<x>c)c", "(?P<x>d)d", 5]}
    secret = [name for name in ("aa", "bb", "PIN", "cc", "dd", "e") if redact.is_secret(name)]
    assert secret == ["aa", "bb", "PIN", "cc", "dd"]


def recorded(sql: str, params: Any) -> Any:
    with recording("queries") as run, connection.cursor() as cursor:
        cursor.execute(sql, params)
    return run["queries"]["queries"][0]


@pytest.mark.django_db
def test_parameters_in_a_dict_are_masked_by_the_column() -> None:
    query = recorded(
        "SELECT 1 FROM auth_user WHERE password = %(p)s AND id = %(i)s", {"p": "hunter2", "i": 5}
    )
    assert query["params"] == ["p=***", "i=5"]


@pytest.mark.django_db
def test_a_count_that_does_not_fit_masks_every_parameter() -> None:
    # SQLite takes both kinds of placeholders in one statement.
    query = recorded("SELECT 1 FROM auth_user WHERE id = ? AND password = %s", ["5", "hunter2"])
    assert query["params"] == ["***", "***"]


@pytest.mark.django_db
def test_a_secret_key_of_json_among_the_parameters_masks_the_value() -> None:
    sql = "SELECT 1 FROM auth_user WHERE JSON_EXTRACT(%s, %s) = %s AND id = %s"
    assert recorded(sql, ["{}", '$."password"', "hunter2", 5])["params"][2:] == ["***", "5"]
    assert recorded(sql, ["{}", '$."name"', "bob", 5])["params"][2:] == ["'bob'", "5"]


@pytest.mark.django_db
def test_json_in_an_innocent_column_is_masked_by_key() -> None:
    query = recorded(
        "UPDATE auth_group SET name = %s WHERE id = %s", ['{"password": "hunter2", "a": 1}', 5]
    )
    assert query["params"] == ["""'{"password": "***", "a": 1}'""", "5"]


@pytest.mark.django_db
def test_the_fingerprint_is_that_of_the_statement_as_it_ran() -> None:
    first = recorded("SELECT 1 FROM auth_user WHERE password = 'hunter2'", None)
    second = recorded("SELECT 1 FROM auth_user WHERE password = 'other'", None)
    assert "hunter2" not in str(first)
    assert first["fingerprint"] == second["fingerprint"]


@pytest.fixture
def users(db: None, settings: Any) -> list[User]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return [
        User.objects.create_user(f"user{number}", password="start", email=f"{number}@example.com")
        for number in range(3)
    ]


def test_creating_a_user_shows_the_name_and_not_the_password(db: None) -> None:
    with recording("queries") as run:
        user = User.objects.create_user("bob", password="hunter2")
    assert user.password not in str(run["queries"])
    assert "'bob'" in run["queries"]["queries"][-1]["params"]


def test_bulk_create_with_expressions_hides_every_password(db: None) -> None:
    with recording("queries") as run:
        User.objects.bulk_create(
            User(username=f"user{n}", password=f"hunter{n}", first_name=Lower(Value("BOB")))
            for n in range(3)
        )
    assert "hunter" not in str(run["queries"])
    assert "'user2'" in run["queries"]["queries"][-1]["params"]


def test_bulk_update_hides_every_password(users: list[User]) -> None:
    for number, user in enumerate(users):
        user.password = f"hunter{number}"
    with recording("queries") as run:
        User.objects.bulk_update(users, ["password"])
    (query,) = (query for query in run["queries"]["queries"] if query["sql"].startswith("UPDATE"))
    assert "hunter" not in str(query)
    assert query["params"][::2][:3] == [str(user.pk) for user in users]


@pytest.mark.parametrize(
    "lookup",
    [
        {"password": "hunter2"},
        {"password__range": ("hunter1", "hunter2")},
        {"password__in": ["hunter1", "hunter2"]},
        {"password__icontains": "hunter2"},
        {"password__regex": "hunter2"},
        {"password__gt": Concat(Value("hunter2"), F("username"))},
        {"password": Lower(Value("hunter2"))},
        {"password_upper": "hunter2"},
    ],
    ids=str,
)
def test_lookups_of_passwords_hide_the_value_and_show_the_others(
    db: None, lookup: dict[str, Any]
) -> None:
    found = User.objects.annotate(password_upper=Upper("password"))
    with recording("queries") as run:
        list(found.filter(**lookup).filter(username__icontains="bob", pk=5)[:7])
        list(found.exclude(**lookup))
    first, second = run["queries"]["queries"]
    assert "hunter" not in f"{first}{second}"
    assert {"'%bob%'", "5"} <= set(first["params"])


def test_updating_a_password_with_another_column(users: list[User]) -> None:
    with recording("queries") as run:
        User.objects.filter(pk=users[0].pk).update(password="hunter2", first_name="Bob")
    (query,) = run["queries"]["queries"]
    assert query["params"] == ["***", "'Bob'", str(users[0].pk)]


def test_sessions_keep_their_key_and_data(db: None) -> None:
    with recording("queries") as run:
        session = SessionStore()
        session["a"] = "b"
        session.save()
        SessionStore(session.session_key).load()
    assert session.session_key is not None
    assert session.session_key not in str(run["queries"])
